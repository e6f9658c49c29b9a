import { readFile, writeFile } from "node:fs/promises";
import { test as base, expect, type Page } from "@playwright/test";
import { fillMlflow, MlflowWriter, type WrittenRuns } from "./mlflow";
import { setupStateOf, startWorld, type World } from "./world";

const SLOW = { timeout: 60_000 };

/** The product with a real MLflow on its PostgreSQL, filled through MLflow's own API. */
const test = base.extend<object, { product: { world: World; runs: WrittenRuns; mlflowUrl: string } }>({
  product: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern.
    async ({}, use) => {
      const world = await startWorld({ withMlflow: true });
      try {
        const { mlflowUrl } = world;
        if (mlflowUrl === undefined) throw new Error("the world has no MLflow");
        await use({ world, mlflowUrl, runs: await fillMlflow(mlflowUrl) });
      } finally {
        await world.close();
      }
    },
    { scope: "worker", timeout: 300_000 },
  ],
});

const row = (page: Page, name: string) => page.getByRole("row", { name: new RegExp(name) });

async function openList(page: Page, world: World, query = ""): Promise<void> {
  await page.goto(`${world.page}/experiments${query}`);
  await expect(page.getByRole("row").nth(1)).toBeVisible(SLOW);
}

async function openComparison(page: Page, world: World, runIds: readonly string[], more = ""): Promise<void> {
  await page.goto(`${world.page}/experiments/compare?runs=${runIds.join(",")}${more}`);
  await expect(page.getByRole("region", { name: "Reward" }).locator("canvas")).toBeVisible(SLOW);
}

test("runs are listed with their figures, filtered, searched in MLflow's words and sorted, and the address brings all of it back", async ({
  page,
  product: { world },
}) => {
  await openList(page, world);
  await expect(page.getByRole("row")).toHaveCount(7);
  await expect(row(page, "ppo-quick-seed3")).toContainText("98.3");
  await expect(row(page, "ppo-quick-seed1").getByTitle("Success rate over the steps").locator("path")).toBeVisible();
  await expect(row(page, "ppo-quick-broken").getByTitle("This run has no validation success")).toBeVisible();

  await page.getByRole("button", { name: "DQN", exact: true }).click();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Sweep rates" }).click();
  await expect(row(page, "dqn-memory-seed1")).toBeVisible();
  await page.getByRole("button", { name: "DQN", exact: true }).click();
  await page.getByRole("button", { name: "Sweep rates" }).click();

  const search = page.getByRole("textbox", { name: "Search with MLflow's syntax" });
  await page.keyboard.press("/");
  await expect(search).toBeFocused();
  await search.fill("metrics.held_out_success_rate > 0.9815");
  await search.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(4);
  await page.getByRole("radio", { name: "Best" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText("ppo-quick-seed4");
  await expect(page.getByRole("row").nth(3)).toContainText("ppo-quick-seed2");
  await page.reload();
  await expect(page.getByRole("row")).toHaveCount(4, SLOW);
  await expect(search).toHaveValue("metrics.held_out_success_rate > 0.9815");

  await search.fill("metrics.reward >");
  await search.press("Enter");
  await expect(page.locator("#run-search-refused")).toContainText(/\w{10}/);
  await page.getByRole("button", { name: "Take the search away" }).click();
  await expect(page.getByRole("row")).toHaveCount(7);
});

test("chosen runs are compared: charts, seeds, differences, a line that stands out, and one address for all of it", async ({
  page,
  product: { world, runs },
}) => {
  await openList(page, world);
  for (const name of ["ppo-quick-seed1", "ppo-quick-seed2", "ppo-quick-seed3", "dqn-memory-seed1"]) {
    await page.getByRole("checkbox", { name: `Choose ${name}` }).check();
  }
  await page.keyboard.press("c");
  await page.waitForURL("**/experiments/compare?**");
  for (const chart of ["Reward", "Success rate", "Validation success", "Episode length", "Loss"]) {
    await expect(page.getByRole("region", { name: chart, exact: true }).locator("canvas")).toBeVisible(SLOW);
  }
  await expect(page.getByRole("region", { name: "Validation SPL" })).toContainText("None of these runs");
  const differences = page.getByRole("table", { name: "Parameters that differ" });
  await expect(differences.getByRole("row", { name: /algorithm PPO PPO PPO DQN/ })).toBeVisible();
  await expect(differences.getByRole("row", { name: /observation/ })).toHaveCount(0);

  await page.getByRole("switch", { name: "Mean over seeds" }).click();
  await expect(page.getByText("ppo-quick, 3 seeds")).toBeVisible();
  await page.getByRole("radio", { name: "Time" }).click();
  await page.getByRole("slider", { name: "Smoothing" }).fill("0.5");
  const chart = page.getByRole("region", { name: "Reward" });
  const before = await chart.locator("canvas").screenshot();
  await page.getByRole("region", { name: "Runs" }).getByText("dqn-memory-seed1").hover();
  await expect.poll(async () => (await chart.locator("canvas").screenshot()).equals(before)).toBe(false);

  const address = page.url();
  expect(address).toContain(`runs=${[...runs.seeds, runs.dqn].join(",")}`);
  expect(address).toContain("along=time&smoothing=0.5&seeds=mean");
  await page.goto(address);
  await expect(page.getByText("ppo-quick, 3 seeds")).toBeVisible(SLOW);
  await expect(page.getByRole("slider", { name: "Smoothing" })).toHaveValue("0.5");
});

test("the export holds every point as it was logged", async ({ page, product: { world, runs } }) => {
  await openComparison(page, world, runs.seeds.slice(0, 2));
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export CSV" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  const rows = text
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
  expect(rows[0]?.join()).toBe("run_id,run,training,model,metric,step,elapsed_s,value");
  // Six figures of sixty points, two runs.
  expect(rows).toHaveLength(1 + 2 * 6 * 60);
  const reward = rows.filter(([runId, , , , metric]) => runId === runs.seeds[0] && metric === "reward");
  expect(reward.map((cells) => Number(cells[7]))).toEqual(
    Array.from({ length: 60 }, (_, at) => 1 - Math.exp(-5 * ((at + 1) / 60))),
  );
  expect(reward.at(-1)?.[5]).toBe("120000");
});

test("a run leads to its model, its training and its configuration", async ({ page, product: { world, runs } }) => {
  await openComparison(page, world, runs.seeds.slice(0, 1));
  const legend = page.getByRole("region", { name: "Runs" });
  await expect(legend.getByRole("link", { name: "Training" })).toHaveAttribute(
    "href",
    "/training/ppo-quick-00000000000001",
  );
  await expect(legend.getByRole("link", { name: "Model ppo-memory-1" })).toHaveAttribute("href", "/models");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("tab", { name: "Configuration" }).click();
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("algorithm: PPO");
  // The last one, for it leaves the page.
  await legend.getByRole("link", { name: "Watch" }).click();
  await expect(page.getByRole("application", { name: /^Maze/ })).toBeVisible(SLOW);
  await expect(page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText("ppo-memory-1");
});

test("a run that goes on grows under one's eyes and ends there", async ({
  page,
  product: { world, runs, mlflowUrl },
}) => {
  await openComparison(page, world, [runs.running]);
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  const plot = page.getByRole("region", { name: "Success rate" }).getByTestId("curve-plot");
  await expect(plot).toHaveAttribute("aria-valuemax", "40000");
  const writer = new MlflowWriter(mlflowUrl);
  await writer.log(runs.running, { success_rate: (share) => share }, 21, 50, Date.now() - 60_000);
  await expect(plot).toHaveAttribute("aria-valuemax", "100000");
  await writer.end(runs.running, "FINISHED", Date.now());
  await expect(page.getByText("live", { exact: true })).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Runs" })).toContainText("finished");
});

test("MLflow away: what was read stays, and the page goes on by itself; being installed: it says how far it is", async ({
  page,
  product: { world, runs },
}) => {
  await openList(page, world);
  world.mlflow?.signal("SIGSTOP");
  try {
    await expect(page.getByRole("alert").filter({ hasText: "Read at" })).toBeVisible(SLOW);
    await expect(row(page, "ppo-quick-seed1")).toBeVisible();
    await writeFile(
      setupStateOf(world.dataFolder),
      JSON.stringify({ mlflow: { message: "Installing MLflow", progress: 0.41 } }),
    );
    await page.goto(`${world.page}/experiments/compare?runs=${runs.dqn}`);
    await expect(page.getByText("Installing MLflow")).toBeVisible(SLOW);
    await expect(page.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "41");
    await page.goto(`${world.page}/status`);
    await expect(page.getByRole("region", { name: "Services" })).toContainText("Installing MLflow", SLOW);
  } finally {
    await writeFile(setupStateOf(world.dataFolder), "{}");
    world.mlflow?.signal("SIGCONT");
  }
  await expect(page.getByRole("region", { name: "Services" }).getByText("up", { exact: true })).toBeVisible(SLOW);
  await page.goto(`${world.page}/experiments`);
  await expect(row(page, "ppo-quick-seed1")).toBeVisible(SLOW);
});
