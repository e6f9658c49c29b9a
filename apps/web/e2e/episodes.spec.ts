import type { Page } from "@playwright/test";
import { failedEpisode } from "./episode-truth";
import { expect, InferencePage, test } from "./inference";
import type { World } from "./world";

const SLOW = { timeout: 45_000 };
const AT_ONCE = { autoNext: false, defaultSpeed: 0 } as const;

const rows = (page: Page) => page.getByRole("table", { name: "Episodes" }).getByRole("row");

/** Runs one episode to its end, as a visitor, and returns its number of steps. */
async function runEpisode(page: Page, world: World, mazeId: string): Promise<number> {
  const inference = new InferencePage(page);
  await inference.open(world, { ...AT_ONCE, setId: "heldout", mazeId });
  await expect(inference.result).toBeVisible(SLOW);
  return inference.step();
}

async function openEpisodes(page: Page, world: World, query = ""): Promise<void> {
  await page.goto(`${world.page}/episodes${query}`);
  await expect(rows(page).nth(1)).toBeVisible(SLOW);
}

test("a finished episode is listed, proven identical, and watched again step for step", async ({ page, world }) => {
  const steps = await runEpisode(page, world, "heldout-0011");
  await openEpisodes(page, world, "?in=heldout-0011");
  const row = rows(page).nth(1);
  await expect(row).toContainText("heldout-0011");
  await expect(row.getByRole("cell", { name: String(steps), exact: true })).toBeVisible();
  await row.getByRole("button", { name: /^Verify/ }).click();
  await expect(row.getByText("identical")).toBeVisible(SLOW);

  await row.getByRole("link", { name: /again$/ }).click();
  const inference = new InferencePage(page);
  await expect(inference.board).toBeVisible(SLOW);
  await expect(inference.result).toBeVisible(SLOW);
  expect(await inference.step()).toBe(steps);
});

test("filters stand in the address, hold after a reload, and can be taken away", async ({ page, world }) => {
  await runEpisode(page, world, "heldout-0012");
  await openEpisodes(page, world);
  const maze = page.getByRole("textbox", { name: "Maze" });
  await maze.fill("heldout-0012");
  await maze.press("Enter");
  await expect(page).toHaveURL(/\?in=heldout-0012$/);
  await expect(rows(page)).toHaveCount(2, SLOW);
  await page.getByRole("radio", { name: "Ended at the step limit" }).click();
  await expect(page.getByText(/^None since|^No episode is like that/)).toBeVisible(SLOW);
  await expect(page).toHaveURL(/\?in=heldout-0012&outcome=limit$/);
  await page.reload();
  await expect(page.getByText(/^None since|^No episode is like that/)).toBeVisible(SLOW);
  await expect(maze).toHaveValue("heldout-0012");
  await page.getByRole("button", { name: "Show all episodes" }).click();
  await expect(rows(page).nth(1)).toBeVisible(SLOW);
  await expect(page).toHaveURL(/\/episodes$/);
});

test("failures are counted by policy and maze, and lead to the episodes that failed", async ({ page, world }) => {
  await failedEpisode(world.serverUrl, "large30-01");
  await page.goto(`${world.page}/episodes`);
  await page.getByRole("radio", { name: "Failures by policy and maze" }).click();
  const failure = page.getByRole("row", { name: /Random.*large30-01/ });
  await expect(failure).toBeVisible(SLOW);
  await failure.getByRole("button", { name: /^Show the failed episodes/ }).click();
  await expect(page).toHaveURL(/\?policy=baseline_random&in=large30-01&outcome=limit$/);
  await expect(rows(page).nth(1)).toContainText("Step limit", SLOW);
});

test("the list fits a phone: no sideways scrolling, 44 pixels to touch, and More leads to it", async ({
  page,
  world,
}) => {
  await runEpisode(page, world, "heldout-0013");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${world.page}/status`);
  await page.getByRole("button", { name: "Status" }).click();
  await page
    .getByRole("navigation", { name: "More pages" })
    .getByRole("link", { name: /Episodes/ })
    .click();
  await expect(rows(page).nth(1)).toBeVisible(SLOW);
  const row = rows(page).nth(1);
  for (const control of await row.locator("a, button").all()) {
    expect((await control.boundingBox())?.height ?? 0).toBeGreaterThanOrEqual(44);
  }
  await row.getByRole("button", { name: /^Verify/ }).click();
  await expect(row.getByText("identical")).toBeVisible(SLOW);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});
