/** A PostgreSQL server of Debian's package, in a temporary folder, at a free port of 127.0.0.1, with TLS. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface Postgres {
  readonly port: number;
  readonly certificate: string;
  stop(): Promise<void>;
}

function binaries(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).filter((name) => existsSync(join(root, name, "bin/initdb")));
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(root, newest, "bin");
}

export const hasPostgres = binaries() !== undefined;

/** PostgreSQL does not run as root: as the package's user then. */
function identity(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

export async function startPostgres(): Promise<Postgres> {
  const bin = binaries()!;
  const user = identity();
  const folder = mkdtempSync(join(tmpdir(), "fullduplex-postgres-"));
  const data = join(folder, "data");
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
    { cwd: folder, stdio: "pipe", ...user },
  );
  for (const name of ["key.pem", "cert.pem"]) {
    const file = join(data, name);
    copyFileSync(resolve("test/programs", name), file);
    chmodSync(file, 0o600);
    if (user !== undefined) chownSync(file, user.uid, user.gid);
  }
  const port = await freePort();
  const settings = [
    "fsync=off",
    `unix_socket_directories=${folder}`,
    "ssl=on",
    "ssl_cert_file=cert.pem",
    "ssl_key_file=key.pem",
  ].flatMap((setting) => ["-c", setting]);
  const child = spawn(
    join(bin, "postgres"),
    ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...settings],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"], ...user },
  );
  await ready(child);
  return {
    port,
    certificate: resolve("test/programs/cert.pem"),
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    let text = "";
    child.stderr!.on("data", (chunk) => {
      text += chunk;
      if (text.includes("ready to accept connections")) done();
    });
    child.once("exit", () => fail(new Error(`PostgreSQL did not start: ${text}`)));
  });
}
