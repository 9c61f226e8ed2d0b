/** The unmodified driver pg on a host of the stack, through the gateway, to a real server; 1 % of all packets are lost on the way. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { hasPostgres, startPostgres } from "../support/postgres.ts";

const MACHINE = "10.0.0.254";
/** `npm run test:long` asks for the full number. */
const QUERIES = process.env.FULLDUPLEX_QUERIES ?? "300";

test.skipIf(!hasPostgres)(
  `PostgreSQL through pg: ${QUERIES} queries, 20 MB, cancel, kill, TLS, with 1 % loss`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fullduplex-pg-"));
    const plan = join(folder, "plan.json");
    const lan = { internet: true, machine: MACHINE, line: { loss: 0.01 } };
    writeFileSync(plan, JSON.stringify({ lan, seed: 11 }));
    const server = await startPostgres();
    try {
      const { code, output } = await run(resolve("test/programs/postgres.cjs"), {
        FULLDUPLEX_NETWORK: plan,
        HOST: MACHINE,
        PORT: String(server.port),
        CA: server.certificate,
        QUERIES,
      });
      expect(output).toBe("queries done\n20 MB done\ncancelled\nkilled\npostgres done\n");
      expect(code).toBe(0);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

function run(program: string, env: Record<string, string>) {
  const register = resolve("src/adapters/node/register.ts");
  return new Promise<{ code: number | null; output: string }>((done) => {
    const child = spawn(process.execPath, ["--import", "tsx", "--import", register, program], {
      env: { ...process.env, NODE_OPTIONS: "", ...env },
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), 110_000);
    child.on("close", (code) => {
      clearTimeout(timer);
      done({ code, output });
    });
  });
}
