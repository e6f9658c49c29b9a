import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import type { Page } from "@playwright/test";
import {
  CompareRunsResponseSchema,
  ExperimentService,
  GetMetricHistoryResponseSchema,
  ListExperimentsResponseSchema,
  ListRunsResponseSchema,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import {
  GetTrainingHistoryResponseSchema,
  TrainingHistoryService,
} from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import {
  ListTrainingsResponseSchema,
  TrainingService,
  WatchGpuResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { fixtureExperiments, fixtureRunId } from "../test/fixture-experiments";
import { fixtureTrainingHistory, fixtureTrainings } from "../test/fixture-trainings";

/** Three seeds and another algorithm. */
export const RECORDED_RUNS = [1, 2, 4, 3].map(fixtureRunId);

function json<Schema extends DescMessage>(schema: Schema, message: MessageShape<Schema>) {
  return { json: toJson(schema, message, { alwaysEmitImplicit: true }) };
}

/** Tells the page that services are up which this world does not have. */
async function withServices(page: Page, ...names: string[]): Promise<void> {
  await page.route("**/api/health", async (route) => {
    const answer = await route.fetch().catch(() => undefined);
    const status: unknown = await answer?.json().catch(() => undefined);
    // The page may be closed by now.
    if (answer === undefined || status === undefined) return;
    const services = names.map((name) => ({ name, state: "SERVICE_STATE_UP" }));
    await route.fulfill({ response: answer, json: { ...(status as object), services } }).catch(() => {});
  });
}

/** Answers what the experiments pages ask with made-up runs, so that they look the same at every time. */
export async function recordedExperiments(page: Page): Promise<void> {
  const client = createClient(
    ExperimentService,
    createRouterTransport(({ service }) => void service(ExperimentService, fixtureExperiments(false))),
  );
  await withServices(page, "mlflow");
  await page.route("**/api/experiments", async (route) =>
    route.fulfill(json(ListExperimentsResponseSchema, await client.listExperiments({}))),
  );
  await page.route("**/api/experiments/runs?*", async (route) =>
    route.fulfill(json(ListRunsResponseSchema, await client.listRuns({}))),
  );
  await page.route("**/api/experiments/runs/*/history?*", async (route) => {
    const url = new URL(route.request().url());
    const runId = url.pathname.split("/")[4] ?? "";
    const history = await client.getMetricHistory({ runId, key: url.searchParams.get("key") ?? "", maxPoints: 48 });
    await route.fulfill(json(GetMetricHistoryResponseSchema, history));
  });
  await page.route("**/api/experiments/compare?*", async (route) => {
    const { searchParams } = new URL(route.request().url());
    const asked = { runIds: searchParams.getAll("runIds"), keys: searchParams.getAll("keys") };
    await route.fulfill(json(CompareRunsResponseSchema, await client.compareRuns(asked)));
  });
}

/** Readings that have already been taken when the page is looked at, and the milliseconds between two of them. */
const READINGS = 60;
const APART_MS = 4_000;

/** Lets the page watch a made-up GPU with a training on it: three minutes that have passed, and then nothing more. */
export async function recordedGpu(page: Page): Promise<void> {
  const transport = createRouterTransport(({ service }) => {
    service(TrainingService, fixtureTrainings("two"));
    service(TrainingHistoryService, fixtureTrainingHistory("two"));
  });
  const trainings = createClient(TrainingService, transport);
  const histories = createClient(TrainingHistoryService, transport);
  await withServices(page, "trainer");
  await page.route("**/api/training/list?*", async (route) =>
    route.fulfill(json(ListTrainingsResponseSchema, await trainings.listTrainings({}))),
  );
  await page.route("**/api/training/history?*", async (route) =>
    route.fulfill(json(GetTrainingHistoryResponseSchema, await histories.getTrainingHistory({ runId: "a-run" }))),
  );
  // A stream cannot be made up over fetch; over a WebSocket it can.
  await page.route("**/rlmaze.training.v1.TrainingService/WatchGpu", (route) => route.abort());
  await page.routeWebSocket(/\/ws\/training$/, (socket) => {
    socket.onMessage(async () => {
      let taken = Date.now() - READINGS * APART_MS;
      for await (const reading of trainings.watchGpu({ intervalMs: 1 })) {
        if (reading.sample === undefined) continue;
        taken += APART_MS;
        reading.sample.takenAt = timestampFromMs(taken);
        socket.send(JSON.stringify(toJson(WatchGpuResponseSchema, reading)));
        if (taken >= Date.now()) return;
      }
    });
  });
}
