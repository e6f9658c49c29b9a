import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/** Prints the counts alone on the last line, for whoever adds up the groups of `make test`. */
export default class CountingReporter implements Reporter {
  readonly #outcomes = new Map<string, boolean>();
  #passed = 0;
  #failed = 0;

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status === "skipped") return;
    // A retry replaces what it repeats.
    this.#outcomes.set(test.id, result.status === test.expectedStatus);
  }

  onEnd(_result: FullResult): void {
    for (const passed of this.#outcomes.values()) {
      if (passed) this.#passed += 1;
      else this.#failed += 1;
    }
  }

  async onExit(): Promise<void> {
    process.stdout.write(`web-e2e: ${this.#passed} passed, ${this.#failed} failed\n`);
  }
}
