import { defineConfig } from "vitest/config";

/** `npm test`: everything that needs no root and no network. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/{conformance,scenarios,fuzz}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "**/*.long.test.ts"],
    passWithNoTests: true,
    pool: "forks",
    // Memory and leak tests collect garbage before they count.
    execArgv: ["--expose-gc"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
