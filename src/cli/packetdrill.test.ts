import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PACKETDRILL_USAGE, packetdrill } from "./packetdrill.ts";

const GOOD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 close(3) = 0\n";
const BAD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 listen(3, 1) = -1 EINVAL\n";
const SKIP = "0 `iptables -F`\n+0 close(3) = 0\n";
const SIZED =
  "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [SIZE], [4]) = 0\n";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "packetdrill-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function run(...args: string[]) {
  let out = "";
  let err = "";
  const code = await packetdrill(
    args,
    { write: (text: string) => (out += text) },
    { write: (text: string) => (err += text) },
  );
  return { code, lines: out.split("\n").slice(0, -1), err };
}

describe("fullduplex packetdrill", () => {
  test("a line per script of a folder, in order, then the summary alone", async () => {
    put("b/skip.pkt", SKIP);
    put("a.pkt", GOOD);
    put("notes.txt", "no script");
    const { code, lines } = await run(folder);
    expect(lines).toEqual([
      `ok ${folder}/a.pkt`,
      `skip ${folder}/b/skip.pkt: the program 'iptables' is not known here`,
      "1 passed, 0 failed, 1 skipped",
    ]);
    expect(code).toBe(0);
  });

  test("exit code 1 and the place when one fails", async () => {
    const path = put("bad.pkt", BAD);
    const { code, lines } = await run(path);
    expect(lines[0]).toBe(
      `not ok ${path}:2:4 (ipv4, mapped, ipv6): listen(3, 1) answered differently`,
    );
    expect(lines.slice(1)).toEqual([
      "    expected: -1 EINVAL",
      "    got:      0",
      "0 passed, 1 failed, 0 skipped",
    ]);
    expect(code).toBe(1);
  });

  test("--json: one object per script, the summary beside it", async () => {
    const path = put("a.pkt", GOOD);
    const { lines, err } = await run("--json", "--ip", "ipv6", path);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { path, status: "ok", results: [{ version: "ipv6", status: "ok", message: "" }] },
    ]);
    expect(err).toBe("1 passed, 0 failed, 0 skipped\n");
  });

  test("--set and -D reach the script; a manifest adds to them, path by path", async () => {
    const path = put("sized.pkt", SIZED);
    const size = ["-D", "SIZE=20000"];
    expect((await run(...size, path)).code).toBe(1);
    expect((await run(...size, "--set", "receiveBuffer=10000", path)).code).toBe(0);
    const manifest = put(
      "manifest.json",
      '{ "scripts": { "*.pkt": { "set": { "receiveBuffer": 10000 } } } }',
    );
    expect((await run(...size, "--manifest", manifest, path)).code).toBe(0);
    const skip = put("skip.json", '{ "scripts": { "sized.pkt": { "skip": "not here" } } }');
    expect((await run("--manifest", skip, path)).lines).toEqual([
      `skip ${path}: not here`,
      "0 passed, 0 failed, 1 skipped",
    ]);
  });

  test("many scripts are shared out to threads and still come in order", async () => {
    for (let i = 100; i < 190; i++) put(`${i}.pkt`, i % 9 === 0 ? BAD : GOOD);
    const { code, lines } = await run("--ip", "ipv4", "--jobs", "2", folder);
    const names = lines
      .filter((line) => /^(?:ok|not ok)/.test(line))
      .map((line) => /[0-9]{3}/.exec(line.split(folder)[1]!)?.[0]);
    expect(names).toEqual(Array.from({ length: 90 }, (_, i) => String(100 + i)));
    expect(lines.at(-1)).toBe("80 passed, 10 failed, 0 skipped");
    expect(code).toBe(1);
  });

  test.each([
    [[], "name a script or a folder of scripts"],
    [["--preset", "plan9", "x.pkt"], "there is no preset 'plan9'"],
    [["--ip", "ipv5", "x.pkt"], "there is no IP version 'ipv5'"],
    [["--set", "nosuch=1", "x.pkt"], "there is no setting 'nosuch'"],
    [["-D", "NAME", "x.pkt"], "-D needs NAME=VALUE, not 'NAME'"],
    [["/no/such.pkt"], "ENOENT"],
  ])("%j: exit code 2 and what to do", async (args, message) => {
    const { code, err } = await run(...args);
    expect(err).toContain(message);
    expect(err).toContain(PACKETDRILL_USAGE);
    expect(code).toBe(2);
  });
});
