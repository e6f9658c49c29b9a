import { createClient } from "@connectrpc/connect";
import type { Locator, Page } from "@playwright/test";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createStreamTransport } from "@rlmaze/api-client/transport";
import { mazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { spreadPolicyMap } from "@rlmaze/episode-playback/policy-map";
import { policyDifference } from "@rlmaze/maze-canvas/policy-difference";
import { expect, test } from "./inference";
import type { World } from "./world";

/** The difference page as a person uses it. */
class DifferencePage {
  readonly board: Locator;
  readonly cells: Locator;
  readonly stepDisplay: Locator;
  readonly cell: Locator;

  constructor(readonly page: Page) {
    this.board = page.getByRole("application", { name: /^Difference map/ });
    this.cells = page.getByRole("list", { name: "Cells where they differ" }).getByRole("button");
    this.stepDisplay = page.getByTestId("step-display");
    this.cell = page.getByRole("region", { name: "Cell", exact: true });
  }

  async open(world: World, settings: object = {}, path = "/difference"): Promise<void> {
    await this.page.addInitScript((kept) => {
      if (localStorage.getItem("rlmaze.difference") === null) localStorage.setItem("rlmaze.difference", kept);
    }, JSON.stringify(settings));
    await this.page.goto(`${world.page}${path}`);
    await this.ready();
  }

  /** Waits until both models have answered about the shown step. */
  async ready(): Promise<void> {
    await expect(this.board).toHaveAttribute("aria-label", /(They differ|choose the same)/, { timeout: 45_000 });
  }

  async step(): Promise<number> {
    return Number.parseInt((await this.stepDisplay.textContent()) ?? "", 10);
  }

  async choose(side: "A" | "B", name: string): Promise<void> {
    await this.page.getByRole("combobox", { name: `Model ${side}` }).click();
    await this.page.getByRole("option", { name: new RegExp(`^${name}`) }).click();
  }
}

test("a first visit shows where two models differ and who is right", async ({ inference: { page }, world }) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  await expect(difference.stepDisplay).toContainText("12");
  const counted = await difference.cells.count();
  expect(counted).toBeGreaterThan(0);
  const label = (await difference.board.getAttribute("aria-label")) ?? "";
  expect(Number(/differ in (\d+) of/.exec(label)?.[1])).toBe(counted);
  // The four kinds add up to the list, and so do the percentages.
  const counts = await page
    .getByRole("list", { name: "Who is right where they differ" })
    .getByRole("button")
    .evaluateAll((buttons) => buttons.map((button) => Number(button.children[2]?.textContent)));
  expect(counts).toHaveLength(4);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(counted);
});

test("says of the start what the server's own maps say", async ({ inference: { page }, world }) => {
  const difference = new DifferencePage(page);
  const mazeId = "heldout-0007";
  const link = `mode=difference&model=ppo-memory-1&against=ppo-trail-1&maze=${mazeId}&seed=1&step=0&v=1`;
  await difference.open(world, {}, `/difference?${link}`);
  await expect.poll(() => difference.step()).toBe(0);

  // At the start there is no way behind anybody: MapPolicy of each model is the very same question.
  const client = createClient(InferenceService, createStreamTransport({ serverUrl: world.serverUrl }));
  const maze = { maze: { case: "mazeId", value: mazeId } } as const;
  let rows: string[] = [];
  for await (const { event } of client.runEpisode({ maze, maxSteps: 1 })) {
    if (event.case === "started") rows = event.value.maze?.rows ?? [];
  }
  const grid = mazeGrid({ mazeId, rows, shortestPath: 0 });
  const [a, b] = await Promise.all(
    ["ppo-memory-1", "ppo-trail-1"].map(async (modelId) => {
      const reply = await client.mapPolicy({ maze, policy: { policy: { case: "modelId", value: modelId } } });
      if (reply.policyMap === undefined) throw new Error("no map");
      return spreadPolicyMap(reply.policyMap, grid.wall.length, grid.goal);
    }),
  );
  if (a === undefined || b === undefined) throw new Error("no maps");
  const { categories } = policyDifference(grid, a, b);
  const expected = [...categories.keys()].filter((cell) => categories[cell] !== 0);
  const listed = await difference.cells.evaluateAll((buttons) =>
    buttons.map((button) => Number(button.parentElement?.dataset.cell)),
  );
  expect(listed).toEqual(expected);
});

test("a cell of the list is selected on the board, with both choices and the best action", async ({
  inference: { page },
  world,
}) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  const last = difference.cells.last();
  await last.click();
  await expect(last).toHaveAttribute("aria-pressed", "true");
  const [, row, col] = /Row (\d+), column (\d+)/.exec((await last.textContent()) ?? "") ?? [];
  await expect(difference.cell).toContainText(`Cell ${row}, ${col}`);
  await expect(difference.cell).toContainText(/The shortest path goes (up|down|left|right)/);
  await expect(difference.cell.getByRole("listitem")).toHaveCount(8);
  await expect(difference.cell).toContainText("V(s)");
  await expect(difference.cell).toContainText("Max Q");
  // The same cell by a click on the map, after another one.
  await page.keyboard.press("k");
  await expect(last).toHaveAttribute("aria-pressed", "false");
  await difference.board.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(difference.cell).toContainText(/Cell \d+, \d+|This is/);
});

test("moves along the way of A, and the map follows", async ({ inference: { page }, world }) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  await page.keyboard.press("End");
  await expect.poll(() => difference.step()).toBeGreaterThan(12);
  const end = await difference.step();
  await expect(difference.board).toHaveAttribute("aria-label", new RegExp(`step ${end}\\.`));
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => difference.step()).toBe(end - 1);
  await page.getByRole("button", { name: "Step forward" }).click();
  await expect.poll(() => difference.step()).toBe(end);
  await expect(page.getByRole("button", { name: "Step forward" })).toBeDisabled();
});

test("models are exchanged and change sides; one against itself differs nowhere", async ({
  inference: { page },
  world,
}) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  const before = await difference.cells.count();
  await page.keyboard.press("x");
  await expect(page.getByRole("combobox", { name: "Model A" })).toContainText("DQN with memory");
  await difference.choose("B", "DQN with memory");
  await expect(page.getByText("The same everywhere")).toBeVisible();
  await expect(page.getByText(/nothing can differ/)).toBeVisible();
  await difference.choose("A", "PPO with memory");
  await difference.ready();
  await expect(difference.cells).toHaveCount(before);
  await page.getByRole("combobox", { name: "Model B" }).click();
  await expect(page.getByText(/Baselines are not here/)).toBeVisible();
});

test("lists the cells of one kind only", async ({ inference: { page }, world }) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  const all = await difference.cells.count();
  const kinds = page.getByRole("list", { name: "Who is right where they differ" }).getByRole("button");
  const first = kinds.and(page.locator(":enabled")).first();
  await first.click();
  await expect(first).toHaveAttribute("aria-pressed", "true");
  await page.getByRole("button", { name: `Show all ${all}` }).click();
  await expect(difference.cells).toHaveCount(all);
});

test("a link shows its very moment to somebody else", async ({ inference: { page }, world, browser }) => {
  const difference = new DifferencePage(page);
  await difference.open(world, { setId: "heldout", mazeId: "heldout-0003" });
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => difference.step()).toBe(13);
  await difference.ready();
  await expect(difference.board).toHaveAttribute("aria-label", /step 13\./);
  await page.getByRole("button", { name: "Share" }).click();
  const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
  await page.keyboard.press("Escape");
  const label = (await difference.board.getAttribute("aria-label")) ?? "";
  const other = await browser.newPage();
  await other.goto(link);
  await expect(new DifferencePage(other).board).toHaveAttribute("aria-label", label, { timeout: 45_000 });
  await other.close();
});

test("a link that names a baseline is explained and leads to the race", async ({ inference: { page }, world }) => {
  const link = "mode=difference&model=ppo-memory-1&against=baseline_wall-follower&maze=heldout-0007&seed=1&step=3&v=1";
  await page.goto(`${world.page}/difference?${link}`);
  await expect(page.getByText("A baseline has no scores")).toBeVisible();
  await expect(page.getByRole("link", { name: "Open the race" })).toHaveAttribute("href", "/race");
  await page.getByRole("button", { name: "Go on without it" }).click();
  await new DifferencePage(page).ready();
});

test("keeps what is shown while the server is away, and goes on when it is back", async ({
  inference: { page },
  world,
}) => {
  const difference = new DifferencePage(page);
  await difference.open(world);
  world.server.signal("SIGKILL");
  await world.server.ended;
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("alert").filter({ hasText: "What is shown is step 12" })).toBeVisible();
  expect(await difference.cells.count()).toBeGreaterThan(0);
  await world.restartServer();
  await expect(page.getByRole("alert").filter({ hasText: "What is shown is step 12" })).toBeHidden({ timeout: 20_000 });
  await expect(difference.board).toHaveAttribute("aria-label", /step 13\./);
});

test("everything is in reach on a phone", async ({ inference: { page }, world }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const difference = new DifferencePage(page);
  await difference.open(world);
  await page.getByRole("tab", { name: /^Cells/ }).click();
  await difference.cells.first().click();
  await expect(difference.board).toBeVisible();
  await expect(difference.cell).toBeVisible();
  await page.getByRole("tab", { name: "Setup" }).click();
  await expect(page.getByRole("button", { name: /^How A acts/ })).toBeVisible();
});
