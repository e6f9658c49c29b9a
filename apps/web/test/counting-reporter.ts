import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with one line that says how many tests passed and failed; a file that could not be read counts as a failure. */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
      }
    }
    // After the other reporters, which print at the same event.
    process.once("exit", () => console.log(`web: ${passed} passed, ${failed} failed`));
  }
}
