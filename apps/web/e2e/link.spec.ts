import { readFileSync } from "node:fs";
import path from "node:path";
import { createClient } from "@connectrpc/connect";
import type { BrowserContext, Page } from "@playwright/test";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createStreamTransport } from "@rlmaze/api-client/transport";
import {
  decodeMoment,
  encodeMoment,
  type Moment,
  type MomentLane,
  type MomentMaze,
  type MomentMode,
  modePaths,
  momentPath,
} from "../lib/moment-link";
import { randomNumbers } from "../test/fixture-world";
import { expect, test } from "./inference";
import { REPOSITORY } from "./places";
import type { World } from "./world";

/** Links that are opened: a sample, or with FULL=1 (or as a part of the full counts) as many as the acceptance list asks. */
const LINKS = process.env.FULL === "1" || process.env.RLMAZE_SOAK === "1" ? 100 : 12;
/** Where the random moments begin; the same seed gives the same links. */
const SEED = Number(process.env.LINK_SEED ?? 20_261_123);

const MODELS = ["ppo-memory-1", "ppo-trail-1", "dqn-memory-1", "ppo-plain-1", "ppo-trail-early-1"];
const BASELINES = [1, 2, 3, 4, 5, 6, 7];

/** A page may take its time where two cores are shared with a server, a database and other work. */
const SLOW_MS = 60_000;

interface Place {
  readonly row: number;
  readonly col: number;
}

/** Where a lane is after each step, as the server computes it in one stream that nothing disturbs. */
async function positions(world: World, moment: Moment, lane: MomentLane): Promise<Place[]> {
  const client = createClient(InferenceService, createStreamTransport({ serverUrl: world.serverUrl }));
  const places: Place[] = [];
  const { policy, sampling } = lane;
  for await (const { event } of client.runEpisode({
    maze:
      "rows" in moment.maze
        ? { maze: { case: "drawn", value: { rows: [...moment.maze.rows] } } }
        : { maze: { case: "mazeId", value: moment.maze.mazeId } },
    policy:
      "modelId" in policy
        ? { policy: { case: "modelId", value: policy.modelId } }
        : { policy: { case: "baseline", value: policy.baseline } },
    sampling:
      sampling === "greedy"
        ? { sampling: { case: "greedy", value: {} } }
        : { sampling: { case: "softmax", value: { temperature: sampling.temperature } } },
    seed: moment.seed,
  })) {
    if (event.case === "started")
      places.push({ row: event.value.maze?.start?.row ?? -1, col: event.value.maze?.start?.col ?? -1 });
    if (event.case === "steps") {
      for (const { position } of event.value.steps) places.push({ row: position?.row ?? -1, col: position?.col ?? -1 });
    }
  }
  return places;
}

/** A choice of moments that the seed decides. */
function randomMoment(random: () => number, mazes: readonly { maze_id: string; rows: string[] }[]): Moment {
  const below = (limit: number) => Math.floor(random() * limit);
  const of = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
  const mode = of<MomentMode>(["watch", "watch", "race", "difference", "draw"]);
  const lane = (withBaselines: boolean): MomentLane => ({
    policy: withBaselines && below(3) === 0 ? { baseline: of(BASELINES) } : { modelId: of(MODELS) },
    sampling: below(3) === 0 ? { temperature: Number((0.1 + random() * 2).toFixed(2)) } : "greedy",
  });
  const models = [...MODELS].sort(() => random() - 0.5);
  const lanes: MomentLane[] = {
    watch: () => [lane(false)],
    draw: () => [lane(true)],
    race: () => Array.from({ length: 1 + below(4) }, () => lane(true)),
    // Two sides that are the same model have nothing to show; only the side that walks may draw its actions.
    difference: () => [
      { policy: { modelId: models[0] as string }, sampling: "greedy" as const },
      { policy: { modelId: models[1] as string }, sampling: "greedy" as const },
    ],
  }[mode]();
  const picked = of(mazes);
  const maze: MomentMaze =
    mode === "draw" || below(3) === 0
      ? { rows: picked.rows }
      : below(3) === 0
        ? { mazeId: `generated-${5 + below(20)}x${5 + below(20)}-${below(1e6)}` }
        : { mazeId: picked.maze_id };
  return { mode, lanes, maze, seed: BigInt(below(2 ** 31)) * BigInt(1 + below(2 ** 31)), step: 0 };
}

/** What a page says about where its agents are: a place for every lane, as the label of the board has it. */
async function shownPlaces(page: Page, mode: MomentMode): Promise<{ row: number; col: number; step: number }[]> {
  const labels =
    mode === "race"
      ? await page
          .getByRole("img", { name: /at row \d+, column \d+, step/ })
          .evaluateAll((boards) => boards.map((board) => board.getAttribute("aria-label") ?? ""))
      : [(await page.getByRole("application").first().getAttribute("aria-label")) ?? ""];
  return labels.flatMap((label) =>
    [...label.matchAll(/row (\d+), column (\d+), step (\d+)/g)].map(([, row, col, step]) => ({
      row: Number(row),
      col: Number(col),
      step: Number(step),
    })),
  );
}

/** The link that the share dialog of a page offers; the dialog is closed again. */
async function copiedLink(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Share" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  const link = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  await dialog.getByRole("button", { name: "Copy link" }).click();
  await expect(dialog.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  return link;
}

/** Opens a link as somebody who was never here, and waits for what it shows. */
async function expectMoment(page: Page, moment: Moment, truth: readonly (readonly Place[])[]): Promise<void> {
  const wanted = truth.map((places) => ({
    ...(places[Math.min(moment.step, places.length - 1)] as Place),
    step: Math.min(moment.step, places.length - 1),
  }));
  if (moment.mode === "difference") {
    await expect(page.getByRole("application").first()).toHaveAttribute(
      "aria-label",
      new RegExp(`, step ${moment.step}\\.`),
      { timeout: SLOW_MS },
    );
  } else if (moment.mode === "draw" && moment.step === 0) {
    await expect(page.getByRole("application", { name: /^Drawing/ })).toBeVisible({ timeout: SLOW_MS });
  } else {
    await expect.poll(() => shownPlaces(page, moment.mode), { timeout: SLOW_MS }).toEqual(wanted);
  }
}

async function visitor(context: BrowserContext, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(url);
  return { page, problems };
}

test.describe("a link opened by somebody else shows the moment that it was copied at", () => {
  const mazes = ["heldout", "puzzles", "showcase", "large20"].flatMap(
    (set) =>
      (
        JSON.parse(readFileSync(path.join(REPOSITORY, `ml/mazes/${set}.json`), "utf8")) as {
          mazes: { maze_id: string; rows: string[] }[];
        }
      ).mazes,
  );
  const random = randomNumbers(SEED);
  for (let number = 1; number <= LINKS; number++) {
    const unplaced = randomMoment(random, mazes);
    const stepAt = random();
    test(`${number}: ${unplaced.mode}`, async ({ browser, world }) => {
      test.setTimeout(4 * SLOW_MS);
      const truth = await Promise.all(unplaced.lanes.map((lane) => positions(world, unplaced, lane)));
      // A race goes on until its last lane is there; the other modes look at the first one.
      const steps = (unplaced.mode === "race" ? Math.max : (first: number) => first)(
        ...(truth.map(({ length }) => length - 1) as [number]),
      );
      const moment: Moment = { ...unplaced, step: Math.floor(stepAt * (steps + 1)) };
      const permissions = { permissions: ["clipboard-read", "clipboard-write"] };

      // Somebody looks at the moment and copies its link.
      const sender = await browser.newContext({ ...permissions, viewport: { width: 1440, height: 900 } });
      const sent = await visitor(sender, `${world.page}${momentPath(moment)}`);
      await expectMoment(sent.page, moment, truth);
      const link = await copiedLink(sent.page);
      await sender.close();
      // A drawing at its start names nobody.
      const atStart = moment.mode === "draw" && moment.step === 0;
      const expected = atStart ? { ...moment, lanes: [], seed: 0n } : moment;
      expect(decodeMoment(new URL(link).searchParams)).toEqual({ moment: expected });

      // Somebody who was never here opens it.
      const receiver = await browser.newContext({ ...permissions, viewport: { width: 1440, height: 900 } });
      const received = await visitor(receiver, link);
      await expectMoment(received.page, moment, truth);
      expect(await copiedLink(received.page)).toBe(link);
      expect([...sent.problems, ...received.problems]).toEqual([]);
      await receiver.close();
    });
  }
});

test.describe("the share dialog", () => {
  const shown: Moment = {
    mode: "watch",
    lanes: [{ policy: { modelId: "ppo-memory-1" }, sampling: "greedy" }],
    maze: { mazeId: "heldout-0007" },
    seed: 7n,
    step: 12,
  };
  const open = async (page: Page, world: World) => {
    await page.goto(`${world.page}${momentPath(shown)}`);
    await expect.poll(() => shownPlaces(page, "watch"), { timeout: SLOW_MS }).toMatchObject([{ step: 12 }]);
    await page.getByRole("button", { name: "Share" }).first().click();
    return page.getByRole("dialog", { name: "Share" });
  };
  const saved = async (page: Page, press: () => Promise<void>) => {
    const [download] = await Promise.all([page.waitForEvent("download"), press()]);
    return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
  };

  test("saves a picture whose name says what it shows", async ({ page, world }) => {
    const dialog = await open(page, world);
    const { name, content } = await saved(page, () => dialog.getByRole("link", { name: /^Save PNG/ }).click());
    expect(name).toBe("heldout-0007_ppo-memory-1_seed-7_step-12.png");
    expect(content.subarray(1, 4).toString()).toBe("PNG");
    // Width and height stand in the header: two device pixels for each of 720.
    expect(content.readUInt32BE(16)).toBe(1440);
    await expect(dialog.getByRole("img", { name: /The maze at this moment/ })).toBeVisible();
  });

  test("makes an animation with its progress, stops when it is told to, and names it by its steps", async ({
    page,
    world,
  }) => {
    const dialog = await open(page, world);
    // Twelve steps are done before a hand could reach the button: it is pressed in the moment that it appears.
    const cancelled = page.evaluate(
      () =>
        new Promise<boolean>((resolve) => {
          const appear = new MutationObserver(() => {
            const cancel = [...document.querySelectorAll<HTMLButtonElement>("[role=dialog] button")].find(
              (button) => button.textContent?.trim() === "Cancel",
            );
            if (cancel === undefined) return;
            appear.disconnect();
            const shown = document.querySelector("[role=dialog] [role=progressbar]") !== null;
            cancel.click();
            resolve(shown);
          });
          appear.observe(document.body, { childList: true, subtree: true });
        }),
    );
    await dialog.getByRole("button", { name: "Make GIF" }).click();
    expect(await cancelled).toBe(true);
    await expect(dialog.getByRole("progressbar")).toBeHidden();
    await expect(dialog.getByRole("link", { name: /^Save GIF/ })).toBeHidden();
    await dialog.getByRole("button", { name: "Make GIF" }).click();
    const { name, content } = await saved(page, () => dialog.getByRole("link", { name: /^Save GIF/ }).click());
    expect(name).toBe("heldout-0007_ppo-memory-1_seed-7_steps-0-12.gif");
    expect(content.subarray(0, 6).toString()).toBe("GIF89a");
    expect(content.length).toBeLessThan(4_000_000);
  });

  test("leaves the link selected where the browser refuses the clipboard", async ({ page, world }) => {
    await page.addInitScript(() => {
      // The browser's own refusal: a page without the right to write there.
      Object.defineProperty(navigator, "clipboard", {
        value: { writeText: () => Promise.reject(new DOMException("refused", "NotAllowedError")) },
      });
    });
    const dialog = await open(page, world);
    await dialog.getByRole("button", { name: "Copy link" }).click();
    await expect(dialog.getByText("the link is selected")).toBeVisible();
    const selected = await dialog
      .getByRole("textbox", { name: "Link" })
      .evaluate((field: HTMLInputElement) => field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0));
    expect(selected).toBe(`${world.page}${momentPath(shown)}`);
  });
});

const good = "model=ppo-memory-1&maze=heldout-0007&seed=7&step=4&v=1";

/** Queries that are no links of this version, by what is wrong with them. */
const malformed: readonly (readonly [string, string])[] = [
  ["cut off", good.slice(0, -4)],
  ["of a later version", good.replace("v=1", "v=2")],
  ["without a model", good.replace("model=ppo-memory-1&", "")],
  ["with a model that cannot be", good.replace("ppo-memory-1", "PPO!")],
  ["with a temperature out of range", good.replace("ppo-memory-1", "ppo-memory-1_t99")],
  ["without a maze", good.replace("maze=heldout-0007&", "")],
  ["with a maze that cannot be", good.replace("heldout-0007", "../etc/passwd")],
  ["with a drawn maze that is too large", good.replace("maze=heldout-0007", "drawn=90x90.0.1.AAAA")],
  ["with a drawn maze that was cut off", good.replace("maze=heldout-0007", "drawn=10x10.0.99.AAAA")],
  ["with a seed that is none", good.replace("seed=7", "seed=-7")],
  ["with a step that is none", good.replace("step=4", "step=4.5")],
  ["with a parameter twice", `${good}&step=5`],
  ["to a view that is not there", `mode=dance&${good}`],
  ["with a script", good.replace("heldout-0007", "%3Cscript%3Ealert(1)%3C/script%3E")],
  ["with bytes that are no text", good.replace("heldout-0007", "%E0%A4%A")],
];

/** The kinds that differ from mode to mode are tried on each of them; what reads them is one piece of code. */
const onEveryPage = new Set(["cut off", "of a later version", "with a drawn maze that is too large", "without a maze"]);

for (const mode of ["watch", "race", "difference", "draw"] as const) {
  test(`${mode}: what is no link is said in a sentence, on a page that works`, async ({ browser, world }) => {
    test.setTimeout(300_000);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    for (const [name, query] of malformed) {
      if (mode !== "watch" && !onEveryPage.has(name)) continue;
      const own = mode === "watch" ? query : `mode=${mode}&${query}`;
      // A race names its lanes in another way, and a difference its second side.
      const asked =
        mode === "race"
          ? own.replace("model=", "lane=")
          : mode === "difference"
            ? own.replace("model=ppo-memory-1", "model=ppo-memory-1&against=dqn-memory-1")
            : own;
      const { problem = "" } = decodeMoment(new URLSearchParams(asked));
      expect(problem, name).not.toBe("");
      const { page, problems } = await visitor(context, `${world.page}${modePaths[mode]}?${asked}`);
      await expect(page.getByText(problem).first(), name).toBeVisible({ timeout: SLOW_MS });
      await expectWorkingPage(page, mode);
      expect(problems, name).toEqual([]);
      await page.close();
    }
    await context.close();
  });
}

/** The page goes on without the link: at once, or by the button beside the sentence. */
async function expectWorkingPage(page: Page, mode: MomentMode): Promise<void> {
  if (mode === "race") await page.getByRole("button", { name: "Start another race" }).click();
  if (mode === "difference") await page.getByRole("button", { name: "Go on without it" }).click();
  if (mode === "race") {
    await expect(page.getByRole("img", { name: /at row \d+, column \d+, step/ }).first()).toBeVisible({
      timeout: SLOW_MS,
    });
  } else await expect(page.getByRole("application").first()).toBeVisible({ timeout: SLOW_MS });
}

test.describe("a link to what is not on this server", () => {
  const cases: readonly (readonly [string, Moment, RegExp])[] = (
    [
      ["a maze", { maze: { mazeId: "heldout-9999" } }, /heldout-9999/],
      ["a model", { lanes: [{ policy: { modelId: "gone-7" }, sampling: "greedy" }] }, /gone-7/],
    ] as const
  ).flatMap(([name, change, said]) =>
    (["watch", "draw"] as const).map((mode) => {
      const plain: Moment = {
        mode,
        lanes: [{ policy: { modelId: "ppo-memory-1" }, sampling: "greedy" }],
        maze: { mazeId: "heldout-0007" },
        seed: 7n,
        step: 4,
      };
      return [`${mode}: ${name}`, { ...plain, ...change }, said] as const;
    }),
  );
  for (const [name, moment, said] of cases) {
    test(name, async ({ browser, world }) => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const { page, problems } = await visitor(context, `${world.page}${momentPath(moment)}`);
      await expect(page.getByText(said).first()).toBeVisible();
      await expectWorkingPage(page, moment.mode);
      expect(problems).toEqual([]);
      await context.close();
    });
  }
});

test("a link is short enough for every mail and chat", () => {
  const rows = Array.from({ length: 50 }, (_, row) => (row === 0 ? `SG${".".repeat(48)}` : ".#".repeat(25)));
  const query = encodeMoment({
    mode: "race",
    lanes: Array.from({ length: 4 }, () => ({ policy: { modelId: "ppo-memory-1" }, sampling: { temperature: 0.5 } })),
    maze: { rows },
    seed: 2n ** 64n - 1n,
    step: 5_000,
  });
  expect(String(query).length).toBeLessThan(650);
});
