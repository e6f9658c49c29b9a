import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: {
      "@": import.meta.dirname,
      // The guard throws outside of a React server; the handlers under test run in plain Node.
      "server-only": path.join(import.meta.dirname, "test/server-only.ts"),
    },
  },
  test: {
    include: ["**/*.test.{ts,tsx}"],
    exclude: ["node_modules", ".next", "e2e"],
    setupFiles: ["test/setup.ts"],
    reporters: ["default", "./test/counting-reporter.ts"],
    testTimeout: 60_000,
    // Tests run beside other work on two cores; they are few, and one worker keeps them steady.
    maxWorkers: 2,
  },
});
