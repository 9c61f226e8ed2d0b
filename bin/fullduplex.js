#!/usr/bin/env node
// Runs the built command line; in a checkout that was not built, the source.
import { existsSync } from "node:fs";

const built = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  try {
    const { register } = await import("tsx/esm/api");
    register();
  } catch {
    console.error("fullduplex is not built yet: run `npm install` in its folder first.");
    process.exit(1);
  }
  await import(new URL("../src/cli/main.ts", import.meta.url).href);
}
