import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { cellAtPoint, layoutMaze } from "@rlmaze/maze-canvas/layout";
import { atRest } from "./settled";
import { startWorld, type World } from "./world";

/** Choices that a visitor made before; left out are the defaults. */
export interface Settings {
  readonly modelId?: string;
  readonly mazeId?: string;
  readonly setId?: string;
  readonly defaultSpeed?: number;
  readonly heat?: "visits" | "value" | "off";
  readonly arrows?: boolean;
  readonly trail?: boolean;
  readonly autoNext?: boolean;
}

/** One row of the step log as it is written on the page. */
export interface LogRow {
  readonly step: number;
  readonly row: number;
  readonly col: number;
  readonly reward: string;
  readonly cumulative: string;
}

/** The inference page as a person uses it. */
export class InferencePage {
  readonly board: Locator;
  readonly status: Locator;
  readonly stepDisplay: Locator;
  readonly play: Locator;
  readonly stop: Locator;
  readonly reset: Locator;
  readonly result: Locator;
  /** Whether the episode's document is in the log, as the result says. */
  readonly logged: Locator;

  constructor(readonly page: Page) {
    this.board = page.getByRole("application", { name: /^Maze/ });
    this.status = page.getByTestId("connection-status");
    this.stepDisplay = page.getByTestId("step-display");
    this.play = page.getByRole("button", { name: "Play", exact: true });
    this.stop = page.getByRole("button", { name: "Stop", exact: true });
    this.reset = page.getByRole("button", { name: "Reset", exact: true });
    this.result = page.getByRole("group", { name: "Result" });
    this.logged = this.result.getByRole("term").filter({ hasText: "Log" }).locator("xpath=following-sibling::dd[1]");
  }

  /** Opens the page as a visitor with these settings. */
  async open(world: World, settings?: Settings): Promise<void> {
    if (settings) {
      // Only what is not there yet: a reload keeps what the test changed on the page.
      await this.page.addInitScript((kept) => {
        if (localStorage.getItem("rlmaze.inference") === null) localStorage.setItem("rlmaze.inference", kept);
      }, JSON.stringify(settings));
    }
    await this.page.goto(world.page);
    await expect(this.board).toBeVisible({ timeout: 45_000 });
  }

  /** The step that the display shows. */
  async step(): Promise<number> {
    const text = (await this.stepDisplay.textContent()) ?? "";
    return Number.parseInt(text.replace(/[^\d/]/g, "").split("/")[0] ?? "", 10);
  }

  /** The step at which a stopped episode is held. */
  async heldStep(): Promise<number> {
    await expect(this.play).toBeVisible();
    return atRest(() => this.step());
  }

  /** Waits until the display shows at least this step. */
  async reach(step: number, timeout = 30_000): Promise<void> {
    await expect.poll(() => this.step(), { timeout, intervals: [20] }).toBeGreaterThanOrEqual(step);
  }

  /** Where the page says that the agent is. */
  async place(): Promise<{ row: number; col: number; step: number }> {
    const label = (await this.board.getAttribute("aria-label")) ?? "";
    const [, row, col, step] = /row (\d+), column (\d+), step (\d+)/.exec(label) ?? [];
    return { row: Number(row), col: Number(col), step: Number(step) };
  }

  /** Size of the maze that is shown. */
  async size(): Promise<{ rows: number; cols: number }> {
    const label = (await this.board.getAttribute("aria-label")) ?? "";
    const [, rows, cols] = /, (\d+) by (\d+)\./.exec(label) ?? [];
    return { rows: Number(rows), cols: Number(cols) };
  }

  /** Where the agent is drawn, found by its white ring on the upper canvas. Arrows must be off: on the trail they are white too. */
  async drawnPlace(): Promise<{ row: number; col: number } | undefined> {
    const size = await this.size();
    const found = await this.board
      .locator("canvas")
      .nth(1)
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const context = canvas.getContext("2d");
        if (!context) return undefined;
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        let x = 0;
        let y = 0;
        for (let at = 0; at < data.length; at += 4) {
          if (data[at] === 255 && data[at + 1] === 255 && data[at + 2] === 255 && data[at + 3] === 255) {
            count += 1;
            x += (at / 4) % canvas.width;
            y += Math.floor(at / 4 / canvas.width);
          }
        }
        const dpr = window.devicePixelRatio;
        return count === 0
          ? undefined
          : { x: x / count / dpr, y: y / count / dpr, width: canvas.clientWidth, height: canvas.clientHeight, dpr };
      });
    const layout = found && layoutMaze(found, size, true);
    return layout && found ? cellAtPoint(layout, found.x, found.y) : undefined;
  }

  /** How many pixels of a layer (0 board, 1 actor) have exactly this colour. */
  async pixels(layer: 0 | 1, color: string): Promise<number> {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    return this.board
      .locator("canvas")
      .nth(layer)
      .evaluate(
        (element, wanted) => {
          const canvas = element as HTMLCanvasElement;
          const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
          let count = 0;
          for (let at = 0; at < data.length; at += 4) {
            if (
              data[at] === wanted[0] &&
              data[at + 1] === wanted[1] &&
              data[at + 2] === wanted[2] &&
              data[at + 3] === 255
            )
              count++;
          }
          return count;
        },
        [r, g, b],
      );
  }

  /** Rows of the step log that are in sight, the newest first. */
  async log(): Promise<LogRow[]> {
    const rows = await this.page.getByRole("table", { name: "Step log" }).getByRole("row").all();
    const texts = await Promise.all(rows.slice(1).map((row) => row.getByRole("cell").allTextContents()));
    return texts.map(([step = "", position = "", , reward = "", cumulative = ""]) => {
      const [row, col] = position.split(",").map((part) => Number.parseInt(part, 10));
      return { step: Number.parseInt(step, 10), row: row ?? Number.NaN, col: col ?? Number.NaN, reward, cumulative };
    });
  }

  /** Value of a line in the metrics, `Wall bumps` for example. */
  fact(term: string): Locator {
    return this.page.getByRole("term").filter({ hasText: term }).locator("xpath=following-sibling::dd[1]");
  }

  async openConfig(): Promise<void> {
    await this.page.getByRole("tab", { name: "Config" }).click();
  }

  async openMetrics(): Promise<void> {
    await this.page.getByRole("tab", { name: "Metrics" }).click();
  }

  /** One of the fixed speeds. */
  speed(name: "1" | "4" | "16" | "64" | "Max"): Locator {
    const spoken = name === "Max" ? "As fast as possible" : new RegExp(`^${name} steps? a second$`);
    return this.page.getByRole("radio", { name: spoken });
  }
}

/** Tests with a world of their own file and a page that is ready to be opened. */
export const test = base.extend<{ inference: InferencePage }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern.
    async ({}, use) => {
      const world = await startWorld();
      await use(world);
      await world.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  inference: async ({ page }, use) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await use(new InferencePage(page));
    expect(problems, "errors that the page did not catch").toEqual([]);
  },
});

export { expect };
