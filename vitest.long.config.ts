import { defineConfig } from "vitest/config";

/**
 * `npm run test:long`: the seeded suites with their full number of seeds, and
 * the tests named `*.long.test.ts`, which run nowhere else.
 */
export default defineConfig({
  test: {
    include: [
      "src/**/*.long.test.ts",
      "test/**/*.long.test.ts",
      "test/{conformance,scenarios,fuzz}/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "dist/**"],
    passWithNoTests: true,
    pool: "forks",
    execArgv: ["--expose-gc"],
    env: { FULLDUPLEX_LONG: "1" },
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
});
