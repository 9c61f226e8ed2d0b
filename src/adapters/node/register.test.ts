import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const register = resolve("src/adapters/node/register.ts");
const folder = mkdtempSync(join(tmpdir(), "fullduplex-register-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program as `node --import fullduplex/register PROGRAM` would. */
function run(program: string, env: Record<string, string> = {}): Promise<Outcome> {
  const path = existsSync(program) ? program : resolve("test/programs", program);
  return new Promise((done) => {
    const child = spawn(process.execPath, ["--import", "tsx", "--import", register, path], {
      env: { ...process.env, FULLDUPLEX_NETWORK: "loopback", NODE_OPTIONS: "", ...env },
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), 25_000);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code, output });
    });
  });
}

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("unmodified programs on the stack, each ending by itself", { timeout: 30_000 }, () => {
  for (const [program, last] of [
    ["web-stack.cjs", "web stack done"],
    ["fastify-undici.mjs", "fastify done"],
    ["secure.cjs", "secure done"],
    ["modules.mjs", "modules done"],
  ]) {
    test(program!, async () => {
      const { code, output } = await run(program!);
      expect(output).toContain(last);
      expect(code, output).toBe(0);
    });
  }
});

describe("FULLDUPLEX_NETWORK and FULLDUPLEX_CAPTURE", { timeout: 30_000 }, () => {
  test("the kernel does not see the program's sockets, and a capture has its packets", async () => {
    const capture = join(folder, "out.pcapng");
    const program = write(
      "hidden.cjs",
      `const fs = require("node:fs");
       const net = require("node:net");
       const server = net.createServer((socket) => socket.end("marked bytes")).listen(28_777, () => {
         const hex = (28_777).toString(16).toUpperCase();
         const files = ["/proc/net/tcp", "/proc/net/tcp6"].filter((file) => fs.existsSync(file));
         const seen = files.some((file) => fs.readFileSync(file, "utf8").includes(":" + hex));
         console.log("kernel sees it:", seen);
         net.connect(28_777).on("data", (data) => console.log(String(data))).on("close", () => server.close());
       });`,
    );
    const { code, output } = await run(program, { FULLDUPLEX_CAPTURE: capture });
    expect(output).toBe("kernel sees it: false\nmarked bytes\n");
    expect(code).toBe(0);
    const bytes = readFileSync(capture);
    expect(bytes.readUInt32BE(0)).toBe(0x0a0d0d0a);
    expect(bytes.includes("marked bytes")).toBe(true);
  });

  test("a LAN whose host has the address that the file says", async () => {
    const plan = write(
      "plan.json",
      JSON.stringify({
        name: "app",
        lan: { line: { delayMs: 1 } },
        addresses: ["10.1.2.3/24"],
        hosts: { database: ["10.1.2.3"] },
      }),
    );
    const program = write(
      "named.cjs",
      `const net = require("node:net");
       const server = net.createServer((socket) => socket.end()).listen(5432, "10.1.2.3", () => {
         net.connect(5432, "database").resume().on("connect", function () {
           console.log(this.remoteAddress);
         }).on("close", () => server.close());
       });`,
    );
    expect(await run(program, { FULLDUPLEX_NETWORK: plan })).toEqual({
      code: 0,
      output: "10.1.2.3\n",
    });
  });

  test("what is wrong with it is said in a sentence, and the program does not run", async () => {
    const program = write("never.cjs", 'console.log("ran");');
    const wrong = write("wrong.json", '{ "adresses": [] }');
    for (const [network, text] of [
      ["tap:fd0", "tap:fd0,10.9.0.2/24"],
      ["/nonexistent.json", "ENOENT"],
      [wrong, '"adresses" is not known'],
    ]) {
      const { code, output } = await run(program, { FULLDUPLEX_NETWORK: network! });
      expect(output).toContain(text);
      expect(output).not.toContain("ran\n");
      expect(code).not.toBe(0);
    }
  });
});
