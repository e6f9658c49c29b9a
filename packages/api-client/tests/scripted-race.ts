import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  EpisodeFinishedSchema,
  type RaceLaneStepsSchema,
  type RunRaceRequest,
  type RunRaceResponse,
  RunRaceResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { actionsDigest } from "../src/actions-digest";
import { happen, type StreamFault, scriptedAction } from "./scripted-server";

export interface ScriptedRace {
  readonly requests: RunRaceRequest[];
  readonly stream: (request: RunRaceRequest, signal: AbortSignal) => AsyncGenerator<RunRaceResponse>;
}

/** The action of a lane's step: lanes differ, so that a digest of one does not fit another. */
export function laneAction(lane: number, step: number): number {
  return scriptedAction(step + lane);
}

/** A race whose lanes end after so many steps; it judges resumes as the real server does. */
export function scriptedRace(
  laneSteps: readonly number[],
  faults: readonly StreamFault[] = [],
  ticksPerMessage = 3,
): ScriptedRace {
  const requests: RunRaceRequest[] = [];
  const longest = Math.max(...laneSteps);
  const finished = (lane: number) =>
    create(EpisodeFinishedSchema, { outcome: Outcome.REACHED_GOAL, steps: laneSteps[lane] ?? 0, logged: true });

  async function* stream(request: RunRaceRequest, signal: AbortSignal): AsyncGenerator<RunRaceResponse> {
    const fault = faults[requests.length];
    requests.push(request);
    if (request.afterStep > longest) throw new ConnectError("after_step is beyond the race", Code.InvalidArgument);
    request.lanes.forEach((lane, at) => {
      if (request.afterStep === 0) return;
      const past = Array.from({ length: Math.min(request.afterStep, laneSteps[at] ?? 0) }, (_, step) =>
        laneAction(at, step + 1),
      );
      if (lane.resumeToken !== `token-${lane.episodeId}` || lane.actionsDigest !== actionsDigest(past)) {
        throw new ConnectError(`lanes[${at}].resume_token does not fit`, Code.FailedPrecondition);
      }
    });
    if (fault?.afterSteps === -1 && (await happen(fault, signal))) return;
    yield create(RunRaceResponseSchema, {
      event: {
        case: "started",
        value: {
          firstStep: request.afterStep + 1,
          maxSteps: 200,
          seed: request.seed ?? 0n,
          lanes: request.lanes.map((lane, at) => {
            const episodeId = lane.episodeId || `server-named-${at}`;
            return {
              episodeId,
              resumeToken: `token-${episodeId}`,
              policy: { policy: { case: "modelId" as const, value: `pinned-${at}` } },
            };
          }),
        },
      },
    });
    let tick = request.afterStep;
    let sent = 0;
    const last = request.maxSteps > 0 ? Math.min(longest, tick + request.maxSteps) : longest;
    while (tick < last) {
      if (fault && fault.afterSteps >= 0 && sent >= fault.afterSteps && (await happen(fault, signal))) return;
      const room = fault && fault.afterSteps > sent ? fault.afterSteps - sent : last;
      const until = Math.min(last, tick + ticksPerMessage, tick + room);
      const lanes: MessageInitShape<typeof RaceLaneStepsSchema>[] = [];
      laneSteps.forEach((end, lane) => {
        const steps = [];
        for (let index = tick + 1; index <= Math.min(until, end); index++) {
          steps.push({ index, action: laneAction(lane, index), position: { row: lane, col: index }, reward: -0.01 });
        }
        if (steps.length === 0) return;
        lanes.push({ lane, steps, ...(until >= end ? { finished: finished(lane) } : {}) });
      });
      sent += until - tick;
      tick = until;
      yield create(RunRaceResponseSchema, { event: { case: "steps", value: { lanes } } });
      await Promise.resolve();
    }
    if (tick < longest) return;
    yield create(RunRaceResponseSchema, {
      event: { case: "finished", value: { lanes: laneSteps.map((_, lane) => finished(lane)) } },
    });
  }

  return { requests, stream };
}
