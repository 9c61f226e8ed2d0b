import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { interopObstacle, missingPrograms, Namespace } from "../support/netns.ts";

const obstacle = interopObstacle ?? missingPrograms("curl", "nc", "ping");
const title = obstacle === undefined ? "" : ` (skipped: ${obstacle})`;

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const NODE = [process.execPath, "--import", "tsx", MAIN] as const;
const OURS = ["--tap", "fd0", "--address", "10.9.0.2/24", "--address", "fd00:9::2/64"];
const CREATE = ["--create", "--peer", "10.9.0.1/24", "--peer", "fd00:9::1/64"];
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

describe.skipIf(obstacle !== undefined)(`the command line on a TAP device${title}`, () => {
  let net: Namespace;
  let folder: string;
  beforeEach(() => {
    net = Namespace.create();
    folder = mkdtempSync(join(tmpdir(), "fdx-"));
  });
  afterEach(async () => {
    await net.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const cli = (...args: string[]) => net.run(NODE[0], [...NODE.slice(1), ...args]);

  /** Starts a command; resolves when its standard error matches. */
  const start = (ready: RegExp, ...args: string[]) => {
    const child = net.start(NODE[0], [...NODE.slice(1), ...args]);
    let errors = "";
    return new Promise<typeof child>((resolve, reject) => {
      child.stderr!.on("data", (chunk: Buffer) => {
        errors += chunk.toString();
        if (ready.test(errors)) resolve(child);
      });
      child.once("exit", (code) => reject(new Error(`exit code ${code}: ${errors}`)));
    });
  };

  /** A TAP device made beforehand, with a server of one file on the kernel's side. */
  const serveFromKernel = async (content: Uint8Array) => {
    for (const command of [
      "tuntap add dev fd0 mode tap",
      "address add 10.9.0.1/24 dev fd0",
      "address add fd00:9::1/64 dev fd0 nodad",
      "link set fd0 up",
    ]) {
      expect((await net.run("ip", command.split(" "))).stderr).toBe("");
    }
    writeFileSync(join(folder, "file"), content);
    const server = net.start(process.execPath, [
      "-e",
      `require("node:http").createServer((request, response) => {
        require("node:fs").createReadStream(${JSON.stringify(join(folder, "file"))}).pipe(response);
      }).listen(8000, "::", () => console.log("ready"));`,
    ]);
    await new Promise((resolve) => server.stdout!.once("data", resolve));
  };

  it("up: the kernel pings, curls and ncs; Ctrl-C ends it and takes the device away", async () => {
    const data = randomBytes(2_000_000);
    writeFileSync(join(folder, "big"), data);
    const services = ["--serve", `http:80=${folder}`, "--serve", "echo:7"];
    const up = await start(/is up on/, "up", ...OURS, ...CREATE, ...services);
    for (const address of ["10.9.0.2", "fd00:9::2"]) {
      const ping = await net.run("ping", ["-n", "-c", "1", "-W", "2", "-s", "4000", address]);
      expect(ping.stdout).toContain(" 0% packet loss");
      const url = `http://${address.includes(":") ? `[${address}]` : address}/big`;
      const curl = await net.run("curl", ["-sS", "-m", "20", "-o", join(folder, "out"), url]);
      expect(curl).toEqual({ code: 0, stdout: "", stderr: "" });
      expect(sha256(readFileSync(join(folder, "out")))).toBe(sha256(data));
      const nc = await net.run("nc", ["-N", address, "7"], { input: "hello" });
      expect(nc.stdout).toBe("hello");
    }
    const code = new Promise((resolve) => up.once("exit", resolve));
    up.kill("SIGINT");
    expect(await code).toBe(0);
    expect((await net.run("ip", ["link", "show", "fd0"])).code).not.toBe(0);
  });

  it("get: fetches a file from the kernel over a device made beforehand", async () => {
    const data = randomBytes(3_000_000);
    await serveFromKernel(data);
    for (const host of ["10.9.0.1", "[fd00:9::1]"]) {
      const out = join(folder, "got");
      const got = await cli("get", `http://${host}:8000/file`, ...OURS, "--output", out);
      expect(got).toMatchObject({ code: 0 });
      expect(sha256(readFileSync(out))).toBe(sha256(data));
    }
    expect((await net.run("ip", ["link", "show", "fd0"])).code).toBe(0);
  });

  it("ping: the kernel answers", async () => {
    await serveFromKernel(new Uint8Array(1));
    const ping = await cli("ping", "10.9.0.1", ...OURS, "--count", "1");
    expect(ping.code).toBe(0);
    expect(ping.stdout + ping.stderr).toMatch(/10\.9\.0\.1/);
  });

  it("says in a sentence what is wrong and exits with 1", async () => {
    const missing = await cli("up", ...OURS);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toMatch(/there is no interface fd0: make it with/);
    const taken = await cli("up", "--tap", "lo", "--address", "10.9.0.2/24", "--create");
    expect(taken.code).toBe(1);
    expect(taken.stderr).toMatch(/exists already/);
  });
});
