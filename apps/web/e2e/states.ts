import type { Locator, Page } from "@playwright/test";
import { failedEpisode } from "./episode-truth";
import { expect, InferencePage } from "./inference";
import { RECORDED_RUNS, recordedExperiments, recordedGpu } from "./recorded-experiments";
import { RECORDED_RUN, recordedTraining } from "./recorded-training";
import type { World } from "./world";

/** A state in which the product is looked at: a name, and how one gets there. */
export interface State {
  readonly name: string;
  readonly reach: (page: Page, world: World) => Promise<void>;
  /** What is open closes when the window changes its size: it is looked at in the width it was opened in only. */
  readonly oneWidth?: true;
}

const HELDOUT = { autoNext: false, defaultSpeed: 4, mazeId: "heldout-0001", setId: "heldout" } as const;
const SLOW = { timeout: 45_000 };

/** Opens the watch page and stops the episode at a step. */
async function stoppedAt(page: Page, world: World, step: number, settings: object): Promise<InferencePage> {
  const inference = new InferencePage(page);
  await inference.open(world, { ...HELDOUT, ...settings });
  await inference.reach(step);
  await inference.stop.click();
  await expect(inference.play).toBeVisible();
  return inference;
}

async function finishedEpisode(page: Page, world: World): Promise<InferencePage> {
  const inference = new InferencePage(page);
  await inference.open(world, { autoNext: false, defaultSpeed: 0 });
  await expect(inference.result).toBeVisible(SLOW);
  return inference;
}

async function open(page: Page, world: World, path: string, ready: Locator): Promise<void> {
  await page.goto(`${world.page}${path}`);
  await expect(ready).toBeVisible(SLOW);
}

/** A step is shown by every mode that has time. */
async function reachStep(page: Page, least: number): Promise<void> {
  const display = page.getByTestId("step-display");
  await expect
    .poll(async () => Number.parseInt(((await display.textContent()) ?? "").replace(/\s/g, ""), 10), SLOW)
    .toBeGreaterThanOrEqual(least);
}

export const states: readonly State[] = [
  { name: "watch", reach: async (page, world) => void (await stoppedAt(page, world, 14, {})) },
  { name: "watch-value", reach: async (page, world) => void (await stoppedAt(page, world, 14, { heat: "value" })) },
  {
    name: "watch-large",
    reach: async (page, world) =>
      void (await stoppedAt(page, world, 120, {
        defaultSpeed: 16,
        mazeId: "large30-02",
        setId: "large30",
        arrows: false,
      })),
  },
  { name: "watch-finished", reach: async (page, world) => void (await finishedEpisode(page, world)) },
  {
    name: "watch-reconnecting",
    reach: async (page, world) => {
      const inference = await stoppedAt(page, world, 6, {});
      await page.context().setOffline(true);
      await inference.play.click();
      await expect(inference.status).toContainText("● Disconnected", SLOW);
    },
  },
  {
    name: "watch-config",
    reach: async (page, world) => {
      const inference = await finishedEpisode(page, world);
      await inference.openConfig();
      await expect(page.getByRole("tabpanel").getByRole("switch").first()).toBeVisible();
    },
  },
  {
    name: "watch-models",
    oneWidth: true,
    reach: async (page, world) => {
      await finishedEpisode(page, world);
      await page.getByRole("banner").getByRole("combobox", { name: "Model" }).click();
      await expect(page.getByRole("option").first()).toBeVisible();
    },
  },
  {
    name: "watch-maze-picker",
    reach: async (page, world) => {
      const inference = await finishedEpisode(page, world);
      await inference.openConfig();
      await page
        .getByRole("button", { name: /shortest path/ })
        .first()
        .click();
      await expect(page.getByRole("dialog").getByRole("button", { name: /steps/ }).first()).toBeVisible(SLOW);
    },
  },
  {
    name: "watch-bad-link",
    reach: async (page, world) => open(page, world, "/?v=99&maze=%%%", page.getByRole("alert").first()),
  },
  {
    name: "palette",
    reach: async (page, world) => {
      await finishedEpisode(page, world);
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("dialog", { name: "Commands" }).getByRole("option").first()).toBeVisible();
    },
  },
  {
    name: "help",
    reach: async (page, world) => {
      await finishedEpisode(page, world);
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
    },
  },
  {
    name: "connection",
    oneWidth: true,
    reach: async (page, world) => {
      await finishedEpisode(page, world);
      await page.getByTestId("connection-status").click();
      await expect(page.getByRole("dialog", { name: "Backend" })).toBeVisible();
    },
  },
  {
    name: "version",
    reach: async (page, world) => {
      await page.route("**/api/health", async (route) => {
        const answer = await route.fetch().catch(() => undefined);
        const status: unknown = await answer?.json().catch(() => undefined);
        // The page may be closed by now.
        if (answer === undefined || status === undefined) return;
        await route.fulfill({ response: answer, json: { ...(status as object), contractVersion: 99 } }).catch(() => {});
      });
      await finishedEpisode(page, world);
      await expect(page.getByTestId("version-notice")).toBeVisible(SLOW);
    },
  },
  {
    name: "race",
    reach: async (page, world) => {
      await open(page, world, "/race", page.getByRole("table", { name: "Standings" }));
      await reachStep(page, 24);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
    },
  },
  {
    name: "difference",
    reach: async (page, world) => {
      await open(page, world, "/difference", page.getByText("They differ in").first());
    },
  },
  {
    name: "draw",
    reach: async (page, world) => open(page, world, "/draw", page.getByTestId("solvable")),
  },
  {
    name: "models",
    reach: async (page, world) => open(page, world, "/models", page.getByText("ppo-memory-1").first()),
  },
  {
    name: "models-switch",
    reach: async (page, world) => {
      await open(page, world, "/models", page.getByRole("button", { name: "Make active" }).first());
      await page.getByRole("button", { name: "Make active" }).first().click();
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "models-refused",
    reach: async (page, world) => {
      await open(page, world, "/models", page.getByRole("list", { name: "Activations" }));
      const card = page.getByRole("region", { name: "ppo-plain-1", exact: true });
      await card.getByRole("button", { name: "Make active" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Make active" }).click();
      await expect(page.getByRole("list", { name: "Checks before the switch" })).toBeVisible();
    },
  },
  {
    name: "leaderboard",
    reach: async (page, world) => {
      await open(page, world, "/leaderboard?set=puzzles", page.getByRole("table", { name: "Leaderboard" }));
      for (const name of ["ppo-memory-1", "ppo-plain-1"]) {
        const evaluate = page.getByRole("button", { name: `Evaluate ${name}`, exact: true });
        const details = page.getByRole("button", { name: `Details of ${name}`, exact: true });
        await expect(evaluate.or(details)).toBeVisible(SLOW);
        if (await evaluate.isVisible()) await evaluate.click();
        await expect(details).toBeVisible(SLOW);
      }
      await page.getByRole("button", { name: "Details of ppo-plain-1", exact: true }).click();
      await expect(page.getByRole("list", { name: "Failed mazes" })).toBeVisible();
    },
  },
  {
    name: "training",
    reach: async (page, world) => {
      await recordedTraining(page);
      await open(page, world, "/training", page.getByTestId("start-training"));
      await page.getByRole("button", { name: /^PPO/ }).click();
      await page.getByRole("textbox", { name: "Batch size" }).fill("0");
      await expect(page.getByText("Must be a whole number of at least 1.")).toBeVisible();
      // In the other width something else lies under the pointer, and would say what it is.
      await page.mouse.move(600, 300);
    },
  },
  {
    name: "training-yaml",
    reach: async (page, world) => {
      await recordedTraining(page);
      await open(page, world, "/training", page.getByTestId("start-training"));
      await page.getByRole("radio", { name: "YAML" }).click();
      await expect(page.getByRole("textbox", { name: "Configuration as YAML" })).toBeVisible();
      await page.mouse.move(600, 300);
    },
  },
  {
    name: "training-run",
    reach: async (page, world) => {
      await recordedTraining(page);
      await open(page, world, `/training/${RECORDED_RUN}`, page.getByTestId("held-out"));
      await expect(page.getByTestId("curve-plot").first().locator("canvas")).toBeVisible(SLOW);
    },
  },
  {
    name: "training-none",
    reach: async (page, world) => open(page, world, "/training", page.getByText("This server has no trainer")),
  },
  {
    name: "experiments",
    reach: async (page, world) => {
      await recordedExperiments(page);
      await open(page, world, `/experiments?chosen=${RECORDED_RUNS.join(",")}`, page.getByRole("row").nth(1));
      await expect(page.getByTitle("Success rate over the steps").first().locator("path")).toBeVisible(SLOW);
    },
  },
  {
    name: "experiments-none",
    reach: async (page, world) => open(page, world, "/experiments", page.getByText("There is no MLflow here")),
  },
  {
    name: "experiments-compare",
    reach: async (page, world) => {
      await recordedExperiments(page);
      const path = `/experiments/compare?runs=${RECORDED_RUNS.join(",")}&smoothing=0.3&seeds=mean`;
      await open(page, world, path, page.getByText("ppo-quick, 3 seeds"));
      await expect(page.getByTestId("curve-plot").first().locator("canvas")).toBeVisible(SLOW);
    },
  },
  {
    name: "gpu",
    reach: async (page, world) => {
      await recordedGpu(page);
      await open(page, world, "/gpu", page.getByRole("region", { name: "GPU 1", exact: true }));
      await expect(page.getByTestId("curve-plot").first().locator("canvas")).toBeVisible(SLOW);
    },
  },
  {
    name: "gpu-none",
    reach: async (page, world) => open(page, world, "/gpu", page.getByText("There is no Trainer here")),
  },
  {
    name: "episodes",
    reach: async (page, world) => {
      await finishedEpisode(page, world);
      await open(page, world, "/episodes", page.getByRole("button", { name: /^Verify/ }).first());
    },
  },
  {
    name: "episodes-failures",
    reach: async (page, world) => {
      await failedEpisode(world.serverUrl, "large30-01");
      await open(page, world, "/episodes?view=failures", page.getByRole("table", { name: "Failures" }));
    },
  },
  {
    name: "status",
    reach: async (page, world) => open(page, world, "/status", page.getByText("PostgreSQL").first()),
  },
  {
    name: "nowhere",
    reach: async (page, world) => open(page, world, "/nowhere", page.getByText("No way leads here")),
  },
];
