import { defineConfig } from "vitest/config";

/**
 * `npm run test:interop`: against the real kernel and real programs. Files run
 * one after the other, since they share the machine's network namespaces.
 */
export default defineConfig({
  test: {
    include: ["test/interop/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.long.test.ts"],
    passWithNoTests: true,
    pool: "forks",
    execArgv: ["--expose-gc"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
