/** The scripts in these folders: tests of the stack, and a way to read TCP. `linux/` and `freebsd/` are for those presets. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { expectPass } from "./support/run.ts";

const ROOT = import.meta.dirname;

/** What the stack does not do yet; each entry goes when its script passes. */
const OPEN = new Set(["rfc9293/3.5-simultaneous-open.pkt", "rfc9293/3.6.1-data-after-close.pkt"]);

for (const folder of readdirSync(ROOT, { withFileTypes: true })) {
  if (!folder.isDirectory() || folder.name === "support") continue;
  const preset = folder.name === "linux" || folder.name === "freebsd" ? folder.name : "default";
  describe(folder.name, () => {
    const files = readdirSync(join(ROOT, folder.name)).filter((name) => name.endsWith(".pkt"));
    for (const name of files.sort()) {
      const text = readFileSync(join(ROOT, folder.name, name), "utf8");
      // The first line says which clause the script is about.
      const title = /^\/\/ (.*)/.exec(text)?.[1] ?? name;
      const path = join(folder.name, name);
      const run = OPEN.has(path) ? test.fails : test;
      run(`${name}: ${title}`, () => expectPass(text, { preset, path }));
    }
  });
}
