import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** A static site that works from any folder: every path in it is relative. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: fileURLToPath(new URL("../../dist/playground", import.meta.url)),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    rollupOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
        // The scenarios with their narrations are data: loaded when the course is opened.
        manualChunks: (id) => {
          if (id.includes("/apps/")) return undefined;
          if (id.includes("/src/scenarios/")) return "scenarios";
          return id.includes("/src/") && !id.includes("node_modules") ? "stack" : undefined;
        },
      },
    },
  },
});
