import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./inference";
import { atRest } from "./settled";
import type { World } from "./world";

/** Nobody is at the goal within the time of a test, whoever runs. */
const LONG = { setId: "large30", mazeId: "large30-02" } as const;

/** The race page as a person uses it. */
class RacePage {
  readonly play: Locator;
  readonly stop: Locator;
  readonly standings: Locator;
  readonly stepDisplay: Locator;
  readonly boards: Locator;

  constructor(readonly page: Page) {
    this.play = page.getByRole("button", { name: "Play", exact: true });
    this.stop = page.getByRole("button", { name: "Stop", exact: true });
    this.standings = page.getByRole("table", { name: "Standings" });
    this.stepDisplay = page.getByTestId("step-display");
    this.boards = page.getByRole("img", { name: /at row \d+, column \d+, step/ });
  }

  /** Opens the page as a visitor with these settings. */
  async open(world: World, settings: object = {}, path = "/race"): Promise<void> {
    // Only what is not there yet: a reload keeps what the test changed on the page.
    await this.page.addInitScript((kept) => {
      if (localStorage.getItem("rlmaze.race") === null) localStorage.setItem("rlmaze.race", kept);
    }, JSON.stringify(settings));
    await this.page.goto(`${world.page}${path}`);
    await expect(this.boards.first()).toBeVisible({ timeout: 45_000 });
  }

  /** The step that the display shows. */
  async step(): Promise<number> {
    const text = (await this.stepDisplay.textContent()) ?? "";
    return Number.parseInt(text.replace(/[^\d/]/g, "").split("/")[0] ?? "", 10);
  }

  async reach(step: number): Promise<void> {
    await expect.poll(() => this.step(), { timeout: 30_000, intervals: [20] }).toBeGreaterThanOrEqual(step);
  }

  /** Names of the lanes, from the first place to the last. */
  async order(): Promise<string[]> {
    const heads = await this.standings.getByRole("rowheader").allTextContents();
    return heads.map((text) => text.replace(/^\d/, ""));
  }

  /** What each board says about its agents. */
  async places(): Promise<string[]> {
    return this.boards.evaluateAll((boards) => boards.map((board) => board.getAttribute("aria-label") ?? ""));
  }

  speed(name: "1" | "4" | "16" | "64" | "Max"): Locator {
    const spoken = name === "Max" ? "As fast as possible" : new RegExp(`^${name} steps? a second$`);
    return this.page.getByRole("radio", { name: spoken });
  }

  async exchange(lane: number, name: string): Promise<void> {
    await this.page.getByRole("combobox", { name: `Who runs in lane ${lane}` }).click();
    await this.page.getByRole("option", { name: new RegExp(`^${name}`) }).click();
  }
}

/** Lanes as the browser keeps them. */
const lanes = (...policies: string[]) => ({ lanes: policies.map((policy) => ({ policy, sampling: "greedy" })) });

test("a first visit races four by itself to a photo finish, with every lane in the log", async ({
  inference: { page },
  world,
}) => {
  const race = new RacePage(page);
  await race.open(world);
  await expect(race.boards).toHaveCount(4);
  await race.reach(2);
  await race.speed("Max").click();
  await expect(page.getByRole("heading", { name: "Photo finish" })).toBeVisible();
  const sentence = page.locator("p", { hasText: /shortest path/ }).first();
  await expect(sentence).toContainText(/wins in \d+ steps|finish together in \d+ steps/);
  const rows = race.standings.getByRole("row");
  await expect(rows).toHaveCount(5);
  await expect(race.standings).not.toContainText("not logged");
  await expect(rows.nth(1)).toContainText(/^=?1st/);
  // The gap of the winner is what the sentence says.
  const winner = (await rows.nth(1).getByRole("cell").allTextContents()).map((text) => text.trim());
  const gap = Number(winner[2]?.replace("+", ""));
  await expect(sentence).toContainText(gap === 0 ? "on the shortest path" : `${gap} step`);
});

test("the shortest path wins, and nobody is before it", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { speed: 0, ...lanes("baseline_random", "baseline_shortest-path", "ppo-memory-1") });
  await expect(page.getByRole("heading", { name: "Photo finish" })).toBeVisible();
  expect((await race.order())[0]).toContain("Shortest path");
  await expect(
    page
      .getByText(/on the shortest path/)
      .filter({ visible: true })
      .first(),
  ).toBeVisible();
});

test("one playback moves all lanes: stop, single steps, back, and reset", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 8 });
  await race.reach(3);
  await race.stop.click();
  await expect(race.play).toBeVisible();
  const held = await atRest(() => race.step());
  const places = await race.places();
  await page.getByRole("button", { name: "Single step" }).click();
  await expect.poll(() => race.step()).toBe(held + 1);
  for (const place of await race.places()) expect(place).toContain(`step ${held + 1},`);
  await page.getByRole("button", { name: "Step back" }).click();
  await expect.poll(() => race.places()).toEqual(places);
  await page.getByRole("button", { name: "Reset" }).click();
  await expect.poll(() => race.step()).toBe(0);
});

test("goes on live while one looks back, and returns", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 8 });
  await race.reach(4);
  await page.keyboard.press("Home");
  await expect.poll(() => race.step()).toBe(0);
  const back = page.getByRole("button", { name: /^Return to step \d+, live$/ });
  const before = Number.parseInt(((await back.textContent()) ?? "").replace(/\D/g, ""), 10);
  await expect
    .poll(async () => Number.parseInt(((await back.textContent()) ?? "").replace(/\D/g, ""), 10))
    .toBeGreaterThan(before + 2);
  expect(await race.step()).toBe(0);
  await back.click();
  await race.reach(before + 2);
});

test("lanes are added, exchanged and taken out, and the race starts anew", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 8, ...lanes("ppo-memory-1", "dqn-memory-1") });
  await race.reach(2);
  await page.getByRole("button", { name: "Add lane" }).click();
  await expect(race.boards).toHaveCount(3);
  await race.reach(2);
  await race.exchange(3, "Wall follower");
  await expect.poll(() => race.order()).toContainEqual(expect.stringContaining("Wall follower"));
  await race.reach(2);
  await page.getByRole("button", { name: "Take DQN with memory out of the race" }).click();
  await expect(race.boards).toHaveCount(2);
  await page.getByRole("button", { name: /^Take PPO with memory out/ }).click();
  await expect(page.getByRole("button", { name: /^Take Wall follower out/ })).toBeDisabled();
  await page.reload();
  await expect(race.boards).toHaveCount(1);
});

test("is under the keyboard's control, and lists its keys", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 8 });
  await race.reach(2);
  await page.keyboard.press("Space");
  await expect(race.play).toBeVisible();
  const held = await atRest(() => race.step());
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => race.step()).toBe(held + 1);
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => race.step()).toBe(held);
  await page.keyboard.press("l");
  await expect.poll(() => race.step()).toBe(held + 1);
  await page.keyboard.press("g");
  await expect(race.boards).toHaveCount(1);
  await expect(page.getByRole("radio", { name: "All agents on one board" })).toBeChecked();
  await page.keyboard.press("m");
  await expect(page.getByRole("heading", { name: "Cumulative reward" })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toContainText("A board for each, or one for all");
});

test("a link shows its very moment to somebody else", async ({ inference: { page }, world, browser }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 16, ...lanes("ppo-memory-1", "baseline_random", "dqn-memory-1") });
  await race.reach(6);
  await page.getByRole("button", { name: "Share" }).click();
  const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
  await page.keyboard.press("Escape");
  await expect(race.play).toBeVisible();
  const places = await race.places();
  const other = await browser.newPage();
  await other.goto(link);
  await expect.poll(() => new RacePage(other).places(), { timeout: 45_000 }).toEqual(places);
  await expect(other.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  await other.close();
});

test("a link that cannot be opened says why, and lets one go on", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await page.goto(`${world.page}/race?mode=race&lane=ppo-memory-1&maze=heldout-0007&seed=1&step=3&v=9`);
  await expect(page.getByText("This link cannot be opened")).toBeVisible();
  await expect(page.getByText(/version 9/)).toBeVisible();
  await page.getByRole("button", { name: "Start another race" }).click();
  await expect(race.boards).toHaveCount(4);
  await expect(page).toHaveURL(`${world.page}/race`);
});

test("a killed server holds all lanes, and they go on with nothing lost", async ({ inference: { page }, world }) => {
  const race = new RacePage(page);
  await race.open(world, { ...LONG, speed: 8, ...lanes("ppo-memory-1", "dqn-memory-1") });
  await race.reach(4);
  world.server.signal("SIGKILL");
  await expect(page.getByRole("alert").filter({ hasText: /All lanes are held at step \d+/ })).toBeVisible();
  const held = await race.step();
  await world.restartServer();
  await race.reach(held + 3);
  for (const place of await race.places()) expect(place).toMatch(/step \d+, \d+ to go/);
});

test("everything is in reach on a phone", async ({ inference: { page }, world }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const race = new RacePage(page);
  await race.open(world, { speed: 0 });
  await page.getByRole("tab", { name: "Results" }).click();
  await expect(race.standings).toBeVisible();
  await page.getByRole("tab", { name: "Lanes" }).click();
  await race.exchange(4, "Shortest path");
  await page.getByRole("tab", { name: "Race" }).click();
  await expect(race.boards).toHaveCount(4);
  const small = await page.getByRole("main").evaluate((main) =>
    [...main.querySelectorAll("button, [role=combobox], input")].flatMap((control) => {
      // A choice of a row of choices is as tall as its row; a slider is as tall as its track's room.
      const { width, height } = (control.closest("[data-slot=segmented]") ?? control).getBoundingClientRect();
      return width > 0 && Math.min(width, height) < 44
        ? [`${control.getAttribute("aria-label")} ${width}x${height}`]
        : [];
    }),
  );
  expect(small).toEqual([]);
});
