import { cpSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import path from "node:path";
import { expect, InferencePage, test as inferenceTest } from "./inference";
import { REPOSITORY, temporaryFolder } from "./places";
import { startWorld, type World } from "./world";

const STREAM = "**/rlmaze.inference.v1.InferenceService/RunEpisode";
/** At least 224 steps, whatever the model: still under way when a busy machine gets to the next click. */
const LONG = { autoNext: false, setId: "large30", mazeId: "large30-02" } as const;

/** Steps of the log from the newest to the oldest without a gap. */
async function expectWholeLog(inference: InferencePage): Promise<void> {
  const steps = (await inference.log()).map((row) => row.step);
  expect(steps.length).toBeGreaterThan(3);
  for (let at = 1; at < steps.length; at++) expect(steps[at]).toBe((steps[at - 1] ?? 0) - 1);
}

inferenceTest.describe("where Connect streams do not get through", () => {
  inferenceTest("the episode comes over WebSocket at once when they are blocked", async ({ inference, world }) => {
    await inference.page.route(STREAM, (route) => route.abort());
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(5);
    await inference.status.click();
    await expect(inference.page.getByText("Steps arrive over WebSocket.")).toBeVisible();
    await expectWholeLog(inference);
  });

  inferenceTest("and after three seconds when they hang", async ({ inference, world }) => {
    await inference.page.route(STREAM, () => {});
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(5);
    await expect(inference.status).toContainText("● Connected");
  });

  inferenceTest("stop, play and the end work as over Connect", async ({ inference, world }) => {
    await inference.page.route(STREAM, (route) => route.abort());
    await inference.open(world, { ...LONG, defaultSpeed: 5 });
    await inference.reach(3);
    await inference.stop.click();
    const held = await inference.step();
    await inference.play.click();
    await inference.reach(held + 2);
    await inference.speed("Max").click();
    await expect(inference.result).toContainText("Reached the goal");
  });
});

inferenceTest(
  "a maze that does not exist is not found, and the page shows another one",
  async ({ inference, world }) => {
    const answer = await inference.page.request.get(`${world.page}/api/maze/heldout-9999`);
    expect([answer.status(), ((await answer.json()) as { code: string }).code]).toEqual([404, "not_found"]);
    await inference.open(world, { mazeId: "heldout-9999", setId: "heldout", autoNext: false });
    await inference.reach(1);
    await expect(inference.board).not.toHaveAttribute("aria-label", /heldout-9999/);
  },
);

inferenceTest.describe("with no active model", () => {
  let world: World;

  inferenceTest.beforeAll(async () => {
    inferenceTest.setTimeout(180_000);
    // A store whose only model was cut short: it is listed as broken and cannot act.
    const store = temporaryFolder("models");
    const { model_id: id } = JSON.parse(readFileSync(path.join(REPOSITORY, "ml/models/default.json"), "utf8")) as {
      model_id: string;
    };
    mkdirSync(path.join(store, id));
    cpSync(path.join(REPOSITORY, "ml/models", id), path.join(store, id), { recursive: true });
    truncateSync(path.join(store, id, "policy.onnx"), 1000);
    world = await startWorld({ modelStore: store });
  });

  inferenceTest.afterAll(async () => {
    await world?.close();
  });

  inferenceTest("the page says so and what to do, and the broken one says why it is broken", async ({ page }) => {
    const inference = new InferencePage(page);
    await inference.open(world, {});
    await expect(page.getByText("No model is active")).toBeVisible();
    await expect(inference.play).toBeDisabled();
    await page.getByRole("banner").getByRole("combobox", { name: "Model" }).click();
    const broken = page.getByRole("option").filter({ hasText: "broken: its policy.onnx has 1000 bytes" });
    await expect(broken).toBeVisible();
    await expect(broken).toHaveAttribute("aria-disabled", "true");
  });
});
