import type { Locator, Page } from "@playwright/test";
import { cellBoxOf, layoutMaze } from "@rlmaze/maze-canvas/layout";
import { unpackDrawnMaze } from "../lib/moment-link-maze";
import { test as base, expect } from "./inference";
import type { World } from "./world";

/** A cell by row and column, from 0. */
export type Place = readonly [row: number, col: number];

/** The drawing page as a person uses it. */
export class DrawingPage {
  readonly board: Locator;
  readonly verdict: Locator;
  readonly runLine: Locator;

  constructor(readonly page: Page) {
    this.board = page.getByRole("application", { name: /^Drawing/ });
    this.verdict = page.getByTestId("solvable");
    this.runLine = page.getByTestId("run-line");
  }

  /** Opens the page with these rows, or with what a first visit finds. */
  async open(world: World, rows?: readonly string[]): Promise<void> {
    await this.page.goto(`${world.page}/draw`);
    await expect(this.board).toBeVisible({ timeout: 45_000 });
    if (rows !== undefined) await this.paste(rows.join("\n"));
  }

  /** Takes rows over from the text tab. */
  async paste(text: string): Promise<void> {
    await this.page.getByRole("tab", { name: "Text" }).click();
    await this.page.getByRole("textbox", { name: /One line a row/ }).fill(text);
    await this.page.getByRole("button", { name: "Draw this" }).click();
    await expect.poll(() => this.rows()).toEqual(text.split("\n"));
  }

  /** The drawing as the address holds it, which is written when the hand rests. */
  async rows(): Promise<readonly string[]> {
    const packed = new URL(this.page.url()).searchParams.get("drawn") ?? "";
    const unpacked = unpackDrawnMaze(packed);
    return unpacked.fault === undefined ? unpacked.rows : [];
  }

  /** Expects the drawing to become these rows. */
  async becomes(rows: readonly string[]): Promise<void> {
    await expect.poll(() => this.rows(), { timeout: 10_000, intervals: [50, 100] }).toEqual(rows);
  }

  /** Size of the grid. */
  async size(): Promise<{ rows: number; cols: number }> {
    const label = (await this.board.getAttribute("aria-label")) ?? "";
    const [, rows, cols] = /^Drawing, (\d+) by (\d+)\./.exec(label) ?? [];
    return { rows: Number(rows), cols: Number(cols) };
  }

  /** Middle of a cell on the screen. */
  async pointOf([row, col]: Place): Promise<{ x: number; y: number }> {
    const box = await this.board.boundingBox();
    if (box === null) throw new Error("the board is not on the screen");
    const size = await this.size();
    const dpr = await this.page.evaluate(() => window.devicePixelRatio);
    const layout = layoutMaze({ width: Math.round(box.width), height: Math.round(box.height), dpr }, size, true);
    if (layout === undefined) throw new Error("the board has no room");
    const cell = cellBoxOf(layout, row * size.cols + col);
    return { x: box.x + cell.x, y: box.y + cell.y };
  }

  /** Drags the mouse over cells, from the first to the last. */
  async drag(cells: readonly Place[], button: "left" | "right" = "left"): Promise<void> {
    const points = await Promise.all(cells.map((cell) => this.pointOf(cell)));
    const [first] = points;
    if (first === undefined) return;
    await this.page.mouse.move(first.x, first.y);
    await this.page.mouse.down({ button });
    for (const { x, y } of points.slice(1)) await this.page.mouse.move(x, y, { steps: 2 });
    await this.page.mouse.up({ button });
  }

  /** Drags a finger over cells. */
  async touch(cells: readonly Place[]): Promise<void> {
    const client = await this.page.context().newCDPSession(this.page);
    const points = await Promise.all(cells.map((cell) => this.pointOf(cell)));
    const send = (type: "touchStart" | "touchMove" | "touchEnd", point?: { x: number; y: number }) =>
      client.send("Input.dispatchTouchEvent", { type, touchPoints: point === undefined ? [] : [point] });
    await send("touchStart", points[0]);
    for (const point of points.slice(1)) await send("touchMove", point);
    await send("touchEnd");
    await client.detach();
  }

  /** Drags a pen over cells. */
  async pen(cells: readonly Place[]): Promise<void> {
    const client = await this.page.context().newCDPSession(this.page);
    const points = await Promise.all(cells.map((cell) => this.pointOf(cell)));
    const send = (
      type: "mousePressed" | "mouseMoved" | "mouseReleased",
      { x, y }: { x: number; y: number },
      buttons: number,
    ) =>
      client.send("Input.dispatchMouseEvent", {
        type,
        x,
        y,
        button: "left",
        buttons,
        clickCount: 1,
        pointerType: "pen",
      });
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return;
    await send("mousePressed", first, 1);
    for (const point of points.slice(1)) await send("mouseMoved", point, 1);
    await send("mouseReleased", last, 0);
    await client.detach();
  }

  async tool(name: "Wall" | "Erase" | "Start" | "Goal"): Promise<void> {
    await this.page.getByRole("group", { name: "Tool" }).getByRole("button", { name }).click();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }
}

/** Tests of the drawing page; errors that the page did not catch fail them. */
export const test = base.extend<{ drawing: DrawingPage }>({
  drawing: async ({ page }, use) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await use(new DrawingPage(page));
    expect(problems, "errors that the page did not catch").toEqual([]);
  },
});

export { expect };
