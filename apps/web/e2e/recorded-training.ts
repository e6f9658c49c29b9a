import { readFileSync } from "node:fs";
import path from "node:path";
import { create, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import type { Page, Route } from "@playwright/test";
import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { WatchTrainingResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { WEB_FOLDER } from "./places";

const fixtures = path.join(WEB_FOLDER, "features/training/fixtures");
const read = (name: string) => JSON.parse(readFileSync(path.join(fixtures, name), "utf8")) as JsonValue;

/** A run that a trainer really trained, and the form that it offered. */
const defaults = read("defaults.json");
const run = fromJson(GetTrainingHistoryResponseSchema, read("run.json"));
export const RECORDED_RUN = run.training?.runId ?? "";

const answer = (json: JsonValue) => (route: Route) => route.fulfill({ json });

/** A message of a Connect stream: five bytes before it say whether it is the end, and how long it is. */
function frame(flags: number, message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Answers what the training pages ask with the recorded run, so that they look the same at every time. */
export async function recordedTraining(page: Page): Promise<void> {
  const training = (read("run.json") as { training: JsonValue }).training;
  await page.route("**/api/training/defaults", answer(defaults));
  await page.route("**/api/training/list?*", answer({ trainings: [training] }));
  await page.route("**/api/training/status?*", answer({ training }));
  await page.route("**/api/training/history?*", answer(read("run.json")));
  await page.route("**/rlmaze.training.v1.TrainingService/WatchTraining", (route) => {
    const first = create(WatchTrainingResponseSchema, {
      message: run.training === undefined ? { case: undefined } : { case: "training", value: run.training },
    });
    return route.fulfill({
      contentType: "application/connect+proto",
      headers: { "Access-Control-Allow-Origin": "*" },
      body: Buffer.concat([
        frame(0, toBinary(WatchTrainingResponseSchema, first)),
        frame(2, new TextEncoder().encode("{}")),
      ]),
    });
  });
}
