import { defineConfig } from "@playwright/test";
import { CHROME, CHROME_ARGS } from "./e2e/chrome";

/** What measures time, and wants the machine for itself. */
const ALONE = ["**/lighthouse.spec.ts", "**/page.spec.ts"];

/** The product in a real browser: the server's own binary, the standalone build of the page, and nothing between them that is not shipped. */
export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/build.ts",
  outputDir: "test-results",
  reporter: [["list"], ["./e2e/counting-reporter.ts"]],
  // A worker has a server, stores and a page of its own; most tests wait for an agent to move, so two of them fit two cores.
  workers: 2,
  fullyParallel: false,
  projects: [
    { name: "alone", testMatch: ALONE, workers: 1 },
    { name: "beside", testIgnore: ALONE },
  ],
  forbidOnly: Boolean(process.env.CI),
  // One more try on a shared machine, where a browser can stand still for seconds; what needed it is listed as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      ...(CHROME === undefined ? {} : { executablePath: CHROME }),
      args: [...CHROME_ARGS],
    },
  },
});
