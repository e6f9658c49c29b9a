import { test as base, expect } from "@playwright/test";
import { InferencePage } from "./inference";
import { actedBy, TrainingPages } from "./training";
import { startWorld, type World } from "./world";

/** Tests whose runs are played by the actor. */
const acted = base.extend<{ training: TrainingPages }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern.
    async ({}, use) => {
      const world = await startWorld({ trainer: "actor", withNetwork: true, queueLimit: 0 });
      await use(world);
      await world.close();
    },
    { scope: "worker", timeout: 180_000 },
  ],
  training: async ({ page }, use) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await use(new TrainingPages(page));
    expect(problems, "errors that the page did not catch").toEqual([]);
  },
});

base(
  "Start is all it takes: the agent learns live, a reload loses nothing, and its model solves an unseen maze",
  async ({ page }, testInfo) => {
    base.setTimeout(600_000);
    const world = await startWorld({ trainer: "real" });
    try {
      const training = new TrainingPages(page);
      await training.open(world);
      const pressedAt = Date.now();
      await training.begin();

      // The curves move while it learns.
      await training.reachEpisodes(1, 240_000);
      const before = await training.episodes();
      await training.reachEpisodes(before + 100);
      await page.reload();
      await training.reachEpisodes(before + 100);
      await expect(page.getByRole("slider", { name: "Checkpoint" })).toBeEnabled({ timeout: 120_000 });

      await expect(training.state).toHaveText("completed", { timeout: 420_000 });
      testInfo.annotations.push({
        type: "figure",
        description: `completed ${((Date.now() - pressedAt) / 1000).toFixed(1)} s after Start`,
      });
      const heldOut = Number.parseFloat((await training.heldOut.textContent()) ?? "");
      expect(heldOut, "held-out success in per cent").toBeGreaterThanOrEqual(99);
      const all = await training.episodes();
      await page.reload();
      await expect(training.state).toHaveText("completed");
      await expect.poll(() => training.episodes()).toBe(all);

      // Back through the checkpoints: the first one knew nothing.
      const slider = page.getByRole("slider", { name: "Checkpoint" });
      await slider.focus();
      await page.keyboard.press("Home");
      await expect(slider).toHaveValue("0");

      await page.getByRole("link", { name: "Watch it solve an unseen maze" }).click();
      const inference = new InferencePage(page);
      await expect(inference.board).toBeVisible({ timeout: 45_000 });
      await expect(page.getByRole("banner").getByRole("combobox", { name: "Model" })).toContainText("ppo-quick-1");
      await expect(inference.result).toContainText("Reached the goal", { timeout: 120_000 });
    } finally {
      await world.close();
    }
  },
);

acted.describe("a run that is played", () => {
  acted.describe.configure({ mode: "serial" });

  acted("what is wrong is said at its field and at its line, before anything is sent", async ({ training, world }) => {
    const { page } = training;
    await training.open(world);
    await page.getByRole("button", { name: /^PPO/ }).click();
    const batch = page.getByRole("textbox", { name: "Batch size" });
    await batch.fill("0");
    await expect(page.getByText("Must be a whole number of at least 1.")).toBeVisible();
    await page.getByRole("radio", { name: "YAML" }).click();
    await expect(page.getByRole("button", { name: /^Line \d+, ppo\.batch_size: Must be/ })).toBeVisible();
    await page.getByRole("radio", { name: "Form" }).click();
    await training.start.click();
    await expect(batch).toBeFocused();
    await expect(page).toHaveURL(/\/training$/);
    await batch.fill("2048");
    await expect(page.getByText("One value must be corrected")).toBeHidden();
  });

  acted("what only the server can know comes back to its field", async ({ training, world }) => {
    await training.open(world);
    await training.writeYaml((text) => text.replace("sets: [heldout]", "sets: [heldout, nowhere]"));
    await training.start.click();
    await expect(training.page.getByRole("button", { name: /^Line \d+, evaluation\.sets.*nowhere/ })).toBeVisible();
  });

  acted(
    "a cut loses no episode; stop keeps it resumable; a second start is told what runs",
    async ({ training, world }) => {
      const { page } = training;
      await training.open(world);
      await training.writeYaml(actedBy("slow"));
      const runId = await training.begin();
      await training.reachEpisodes(50);

      world.network?.cut();
      await expect(page.getByRole("alert").filter({ hasText: "The training goes on meanwhile" })).toBeVisible();
      world.network?.mend();
      await expect(page.getByRole("alert").filter({ hasText: "The training goes on meanwhile" })).toBeHidden();
      await training.reachEpisodes((await training.episodes()) + 50);

      await page.getByRole("link", { name: "All runs" }).click();
      await expect(page.getByRole("link", { name: "slow" })).toBeVisible();
      await training.start.click();
      const busy = page.getByRole("alert").filter({ hasText: "There is no room for another run now" });
      await expect(busy).toContainText("No run may wait for it here.");
      await busy.getByRole("link", { name: "slow" }).click();
      await page.waitForURL(`**/training/${runId}`);

      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await expect(training.state).toHaveText("stopped");
      const shown = await training.episodes();
      const answer = await page.request.get(`${world.page}/api/training/history?runId=${runId}&maxPoints=20000`);
      const { curves } = (await answer.json()) as { curves: { key: string; points: string }[] };
      const kept = curves.find(({ key }) => key === "CURVE_KEY_EPISODE_REWARD");
      expect(shown, "episodes on the page and in the store").toBe(Number(kept?.points));

      await page.getByRole("button", { name: "Resume" }).click();
      await expect(page).not.toHaveURL(new RegExp(`${runId}$`));
      await expect(training.state).toHaveText("running");
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await expect(training.state).toHaveText("stopped");
    },
  );

  acted("a failure is told in words, and a clone begins with the same configuration", async ({ training, world }) => {
    const { page } = training;
    await training.open(world);
    await training.writeYaml(actedBy("fail"));
    const runId = await training.begin();
    await expect(training.state).toHaveText("failed");
    await expect(page.getByRole("region", { name: "Run", exact: true })).toContainText("The loss became nan.");
    await page.getByRole("link", { name: "Clone" }).click();
    await expect(page.getByText(`A copy of ${runId}`)).toBeVisible();
    await page.getByRole("radio", { name: "YAML" }).click();
    await expect(training.editor).toHaveValue(/title: fail/);
  });

  acted("a trainer that is away is named, and the form works again when it is back", async ({ training, world }) => {
    await training.open(world);
    await world.trainer?.end();
    await expect(training.page.getByRole("alert").filter({ hasText: "The trainer is away" })).toBeVisible({
      timeout: 60_000,
    });
    await expect(training.start).toBeDisabled();
    await world.restartTrainer();
    await expect(training.start).toBeEnabled({ timeout: 60_000 });
  });
});
