import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { type Action, Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  InferenceService,
  type RunEpisodeRequest,
  RunEpisodeRequestSchema,
  type RunEpisodeResponse,
  RunEpisodeResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { actionsDigest } from "../src/actions-digest";
import type { WebSocketFactory } from "../src/message-stream";

/** What the scripted server does to its nth stream, counted from 0. */
export interface StreamFault {
  /** Steps to send before the fault; 0 faults right after `started`, −1 before it. */
  readonly afterSteps: number;
  /** `cut` ends with `unavailable`, `end` ends cleanly but early, `hang` sends nothing more, `crash` throws a plain error. */
  readonly kind: "cut" | "end" | "hang" | "crash";
}

export interface ScriptedServer {
  readonly requests: RunEpisodeRequest[];
  readonly stream: (request: RunEpisodeRequest, signal: AbortSignal) => AsyncGenerator<RunEpisodeResponse>;
  readonly transport: Transport;
  readonly openWebSocket: WebSocketFactory;
}

/** The action of a step of the scripted episode: any fixed rule will do. */
export function scriptedAction(step: number): Action {
  return ((step * 7) % 4) + 1;
}

/** An episode of so many steps behind a real router transport; it judges resumes as the real server does. */
export function scriptedServer(
  episodeSteps: number,
  faults: readonly StreamFault[] = [],
  stepsPerMessage = 3,
): ScriptedServer {
  const requests: RunEpisodeRequest[] = [];

  async function* stream(request: RunEpisodeRequest, signal: AbortSignal): AsyncGenerator<RunEpisodeResponse> {
    const fault = faults[requests.length];
    requests.push(request);
    if (request.afterStep > 0) {
      const past = Array.from({ length: request.afterStep }, (_, at) => scriptedAction(at + 1));
      if (request.resumeToken !== `token-${request.episodeId}` || request.actionsDigest !== actionsDigest(past)) {
        throw new ConnectError("resume_token does not fit", Code.FailedPrecondition);
      }
    }
    if (fault?.afterSteps === -1) {
      if (await happen(fault, signal)) return;
    }
    const episodeId = request.episodeId || "server-named";
    yield create(RunEpisodeResponseSchema, {
      event: {
        case: "started",
        value: {
          episodeId,
          firstStep: request.afterStep + 1,
          maxSteps: 200,
          seed: request.seed ?? 0n,
          resumeToken: `token-${episodeId}`,
          policy: { policy: { case: "modelId", value: "ppo-memory-1" } },
        },
      },
    });
    let sent = 0;
    let step = request.afterStep;
    const last = request.maxSteps > 0 ? Math.min(episodeSteps, step + request.maxSteps) : episodeSteps;
    while (step < last) {
      if (fault && fault.afterSteps >= 0 && sent >= fault.afterSteps) {
        if (await happen(fault, signal)) return;
      }
      const until = Math.min(
        last,
        step + stepsPerMessage,
        fault && fault.afterSteps > sent ? step + fault.afterSteps - sent : last,
      );
      const steps = [];
      while (step < until) {
        step += 1;
        sent += 1;
        steps.push({ index: step, action: scriptedAction(step), position: { row: 0, col: step }, reward: -0.01 });
      }
      yield create(RunEpisodeResponseSchema, { event: { case: "steps", value: { steps } } });
      await Promise.resolve();
    }
    if (step < episodeSteps) return;
    yield create(RunEpisodeResponseSchema, {
      event: { case: "finished", value: { outcome: Outcome.REACHED_GOAL, steps: episodeSteps, logged: true } },
    });
  }

  const transport = createRouterTransport(({ service }) => {
    service(InferenceService, { runEpisode: (request, context) => stream(request, context.signal) });
  });
  return { requests, stream, transport, openWebSocket: () => new ScriptedSocket(stream) as unknown as WebSocket };
}

/** Lets a fault happen; returns true when the stream ends early by it. */
export async function happen(fault: StreamFault, signal: AbortSignal): Promise<boolean> {
  switch (fault.kind) {
    case "cut":
      throw new ConnectError("the server is going down", Code.Unavailable);
    case "crash":
      throw new TypeError("fetch failed");
    case "end":
      return true;
    case "hang":
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve());
      });
      return true;
  }
}

/** The half of a WebSocket that the client uses, with the scripted server at the other end and JSON between them. */
class ScriptedSocket {
  onopen: (() => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly #closed = new AbortController();
  readonly #stream: ScriptedServer["stream"];

  constructor(stream: ScriptedServer["stream"]) {
    this.#stream = stream;
    setTimeout(() => this.onopen?.(), 0);
  }

  send(text: string): void {
    void this.#serve(text);
  }

  close(): void {
    this.#closed.abort();
  }

  async #serve(text: string): Promise<void> {
    const frame = JSON.parse(text) as { runEpisode: JsonValue };
    try {
      for await (const response of this.#stream(
        fromJson(RunEpisodeRequestSchema, frame.runEpisode),
        this.#closed.signal,
      )) {
        this.onmessage?.({
          data: JSON.stringify(toJson(RunEpisodeResponseSchema, response, { alwaysEmitImplicit: true })),
        });
      }
      this.onmessage?.({ data: "{}" });
    } catch (reason) {
      if (reason instanceof TypeError) this.onclose?.({ reason: "" });
      else this.onmessage?.({ data: JSON.stringify({ error: errorToJson(ConnectError.from(reason), undefined) }) });
    }
  }
}
