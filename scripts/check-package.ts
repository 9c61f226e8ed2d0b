// Checks the package as a user gets it: packs it, lints the tarball, installs
// it in an empty folder without its optional dependencies, and loads each
// export both with import and with require.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Manifest {
  name: string;
  bin?: Record<string, string>;
  exports: Record<string, unknown>;
}

const windows = process.platform === "win32";
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const folder = mkdtempSync(join(tmpdir(), "fullduplex-package-"));
let failures = 0;

function run(command: string, args: string[], cwd = "."): string {
  return execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    shell: windows,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function check(title: string, work: () => void): void {
  try {
    work();
    console.log(`ok      ${title}`);
  } catch (error) {
    failures++;
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    console.log(`not ok  ${title}\n${stdout || ""}${stderr || message}`);
  }
}

try {
  if (!existsSync("dist")) throw new Error("there is no dist/: run `npm run build` first");
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder]);
  const [{ filename, size, entryCount }] = JSON.parse(packed) as {
    filename: string;
    size: number;
    entryCount: number;
  }[];
  const tarball = join(folder, filename);
  console.log(`${filename}: ${entryCount} files, ${(size / 1000).toFixed(0)} kB`);

  check("publint", () => run("npx", ["publint", "--strict", tarball]));
  // The package is ESM alone: require() of it works from Node 20.19 on.
  check("types of every export resolve", () =>
    run("npx", ["attw", tarball, "--profile", "node16", "--ignore-rules", "cjs-resolves-to-esm"]),
  );

  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  check("installs without optional dependencies", () =>
    run(
      "npm",
      ["install", "--omit=optional", "--no-audit", "--no-fund", "--prefer-offline", tarball],
      folder,
    ),
  );

  for (const subpath of Object.keys(manifest.exports)) {
    const name = manifest.name + subpath.slice(1);
    if (subpath === "./package.json") continue;
    if (subpath === "./register") {
      check(`node --import ${name}`, () => run("node", ["--import", name, "-e", "0"], folder));
      continue;
    }
    check(`import "${name}"`, () =>
      run("node", ["--input-type=module", "-e", `await import("${name}")`], folder),
    );
    check(`require "${name}"`, () => run("node", ["-e", `require("${name}")`], folder));
  }
  if (manifest.bin !== undefined && existsSync("dist/cli/main.js")) {
    check("npx fullduplex --help", () => run("npx", ["fullduplex", "--help"], folder));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

process.exitCode = failures === 0 ? 0 : 1;
