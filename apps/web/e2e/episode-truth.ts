import { createClient } from "@connectrpc/connect";
import { Baseline, Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createStreamTransport } from "@rlmaze/api-client/transport";
import type { InferencePage, LogRow } from "./inference";

/** One step as the log of the page writes it. */
export type LoggedStep = Pick<LogRow, "step" | "row" | "col">;

/** All steps of the greedy episode of the active model, asked from the server in one stream that nothing disturbs. */
export async function wholeEpisode(serverUrl: string, mazeId: string): Promise<LoggedStep[]> {
  const client = createClient(InferenceService, createStreamTransport({ serverUrl }));
  const steps: LoggedStep[] = [];
  const request = {
    maze: { maze: { case: "mazeId", value: mazeId } },
    sampling: { sampling: { case: "greedy", value: {} } },
    stepsPerSecond: 0,
  } as const;
  for await (const { event } of client.runEpisode(request)) {
    if (event.case !== "steps") continue;
    for (const { index, position } of event.value.steps) {
      steps.push({ step: Number(index), row: position?.row ?? Number.NaN, col: position?.col ?? Number.NaN });
    }
  }
  return steps;
}

/** Runs an episode that doesn't reach its goal: a random walk in a large maze. */
export async function failedEpisode(serverUrl: string, mazeId: string): Promise<void> {
  const client = createClient(InferenceService, createStreamTransport({ serverUrl }));
  const request = {
    maze: { maze: { case: "mazeId", value: mazeId } },
    policy: { policy: { case: "baseline", value: Baseline.RANDOM } },
    seed: 1n,
    stepsPerSecond: 0,
  } as const;
  for await (const { event } of client.runEpisode(request)) {
    if (event.case === "finished" && event.value.outcome !== Outcome.STEP_LIMIT) throw new Error("it reached its goal");
  }
}

/** Every step of the page's log, read by scrolling through it; the oldest first. */
export async function wholeLog(inference: InferencePage): Promise<LoggedStep[]> {
  const scroller = inference.page.getByRole("table", { name: "Step log" }).getByLabel("Steps");
  const rows = await scroller.evaluate(async (box) => {
    const found = new Map<number, readonly [number, string]>();
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (let top = 0; top <= box.scrollHeight; top += box.clientHeight) {
      box.scrollTop = top;
      await frame();
      for (const row of box.querySelectorAll("[role=row]")) {
        const [step, place] = [...row.querySelectorAll("[role=cell]")].map((cell) => cell.textContent ?? "");
        found.set(Number(step), [Number(step), place ?? ""]);
      }
    }
    box.scrollTop = 0;
    return [...found.values()];
  });
  return rows
    .map(([step, place]) => {
      const [row, col] = place.split(",").map((part) => Number.parseInt(part, 10));
      return { step, row: row ?? Number.NaN, col: col ?? Number.NaN };
    })
    .sort((left, right) => left.step - right.step);
}
