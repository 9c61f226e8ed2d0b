import { defineConfig } from "vitest/config";

/** `npm run test:browser`: the playground and the built package in a real Chromium. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    passWithNoTests: true,
    pool: "forks",
    fileParallelism: false,
    globalSetup: ["test/browser/build.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
