import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

function isStack(id: string): boolean {
  return id.includes("/src/") && !id.includes("/apps/") && !id.includes("node_modules");
}

/** A static site that works from any folder: every path in it is relative. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: fileURLToPath(new URL("../../dist/playground", import.meta.url)),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            // The scenarios with their narrations are data: loaded when the course is opened.
            { name: "scenarios", test: /\/src\/scenarios\//, priority: 2 },
            { name: "stack", test: isStack, priority: 1 },
          ],
        },
      },
    },
  },
});
