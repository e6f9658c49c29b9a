import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { TrainingService, WatchTrainingResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { describe, expect, test, vi } from "vitest";
import { BffError } from "@/lib/bff";
import { RunSession, type RunSessionState } from "./run-session";

const history = create(GetTrainingHistoryResponseSchema, {
  training: { runId: "a-run", state: TrainingState.RUNNING, lastSequence: 2n },
  lastSequence: 2n,
});

async function stateOf(session: RunSession, fits: (state: RunSessionState) => boolean): Promise<RunSessionState> {
  await vi.waitUntil(() => fits(session.getState()), { timeout: 10_000, interval: 1 });
  return session.getState();
}

const isFinished = (state: RunSessionState) =>
  state.kind === "open" && state.connection.kind === "disconnected" && state.connection.reason.kind === "finished";

describe("a session of a run", () => {
  test("reads the history until it is there, then watches what follows, and looks again while a model may come", async () => {
    let reads = 0;
    const asked: bigint[] = [];
    const answer = (message: MessageInitShape<typeof WatchTrainingResponseSchema>["message"]) =>
      create(WatchTrainingResponseSchema, message === undefined ? {} : { message });
    const transport = createRouterTransport(({ service }) => {
      service(TrainingService, {
        watchTraining: async function* ({ afterSequence }) {
          asked.push(afterSequence);
          const state = TrainingState.COMPLETED;
          if (asked.length === 1) {
            yield answer({
              case: "training",
              value: { runId: "a-run", state: TrainingState.RUNNING, lastSequence: 2n },
            });
            const completed = { sequence: 3n, event: { case: "stateChange" as const, value: { state } } };
            yield answer({ case: "events", value: { events: [completed] } });
            return;
          }
          yield answer({ case: "training", value: { runId: "a-run", state, lastSequence: 3n } });
          const registered = { sequence: 4n, event: { case: "facts" as const, value: { modelId: "a-run-1" } } };
          yield answer({ case: "events", value: { events: [registered] } });
        },
      });
    });
    const session = new RunSession({
      runId: "a-run",
      transport,
      retryMs: 1,
      lookAgainMs: 1,
      readHistory: async () => {
        reads += 1;
        if (reads === 1) throw new BffError("unavailable", "The server is away.");
        return history;
      },
    });
    expect(await stateOf(session, ({ kind }) => kind === "failed")).toMatchObject({ retrying: true });
    const open = await stateOf(session, (state) => isFinished(state) && asked.length >= 2);
    if (open.kind !== "open") throw new Error("not open");
    await vi.waitUntil(() => open.record.getSnapshot().training.modelId === "a-run-1", {
      timeout: 10_000,
      interval: 1,
    });
    expect(asked.slice(0, 2)).toEqual([2n, 3n]);
    session.dispose();
  });

  test("that does not exist is not asked for again", async () => {
    let reads = 0;
    const session = new RunSession({
      runId: "nowhere",
      transport: createRouterTransport(() => {}),
      retryMs: 1,
      readHistory: async () => {
        reads += 1;
        throw new BffError("not_found", "There is no run nowhere.");
      },
    });
    expect(await stateOf(session, ({ kind }) => kind === "failed")).toMatchObject({ retrying: false });
    expect(reads).toBe(1);
    session.dispose();
  });
});
