import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import {
  TrainingService,
  type WatchTrainingRequest,
  WatchTrainingRequestSchema,
  type WatchTrainingResponse,
  WatchTrainingResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import type { WebSocketFactory } from "../src/message-stream";
import { happen, type StreamFault } from "./scripted-server";

/** What happens to the nth stream, counted from 0, after so many events. `gap` leaves the next `gapEvents` out, says so, and goes on live. */
export type TrainingFault =
  | StreamFault
  | { readonly afterSteps: number; readonly kind: "gap"; readonly gapEvents: number };

export interface ScriptedTraining {
  readonly requests: WatchTrainingRequest[];
  readonly transport: Transport;
  readonly openWebSocket: WebSocketFactory;
}

/** A run of so many events of which `afterFinal` follow the one that makes it final; it judges resumes as the real server does. */
export function scriptedTraining(
  eventCount: number,
  faults: readonly TrainingFault[] = [],
  { perMessage = 3, afterFinal = 0 } = {},
): ScriptedTraining {
  const requests: WatchTrainingRequest[] = [];
  const finalSequence = eventCount - afterFinal;
  const event = (sequence: number) => ({
    sequence: BigInt(sequence),
    event:
      sequence === finalSequence
        ? { case: "stateChange" as const, value: { state: TrainingState.COMPLETED } }
        : sequence > finalSequence
          ? { case: "facts" as const, value: { modelId: "registered-late" } }
          : { case: "logLine" as const, value: { text: `line ${sequence}` } },
  });

  async function* stream(request: WatchTrainingRequest, signal: AbortSignal): AsyncGenerator<WatchTrainingResponse> {
    const fault = faults[requests.length];
    requests.push(request);
    const after = Number(request.afterSequence);
    if (after > eventCount) throw new ConnectError("after_sequence is beyond the run", Code.InvalidArgument);
    if (fault?.afterSteps === -1 && fault.kind !== "gap" && (await happen(fault, signal))) return;
    yield create(WatchTrainingResponseSchema, {
      message: {
        case: "training",
        value: {
          runId: request.runId,
          state: after >= finalSequence ? TrainingState.COMPLETED : TrainingState.RUNNING,
          lastSequence: BigInt(after),
        },
      },
    });
    let sequence = after;
    let sent = 0;
    let gapped = false;
    while (sequence < eventCount) {
      if (fault && fault.afterSteps >= 0 && sent >= fault.afterSteps) {
        if (fault.kind !== "gap") {
          if (await happen(fault, signal)) return;
        } else if (!gapped) {
          gapped = true;
          const last = Math.min(eventCount, sequence + fault.gapEvents);
          yield create(WatchTrainingResponseSchema, {
            message: {
              case: "gap",
              value: { firstSequence: BigInt(sequence + 1), lastSequence: BigInt(last) },
            },
          });
          sequence = last;
          continue;
        }
      }
      const room = fault && fault.afterSteps > sent ? fault.afterSteps - sent : eventCount;
      const until = Math.min(eventCount, sequence + perMessage, sequence + room);
      const events = [];
      while (sequence < until) events.push(event(++sequence));
      sent += events.length;
      yield create(WatchTrainingResponseSchema, { message: { case: "events", value: { events } } });
      await Promise.resolve();
    }
  }

  const transport = createRouterTransport(({ service }) => {
    service(TrainingService, { watchTraining: (request, context) => stream(request, context.signal) });
  });
  return {
    requests,
    transport,
    openWebSocket: () => new ScriptedTrainingSocket(stream) as unknown as WebSocket,
  };
}

/** The half of a WebSocket that the client uses, with JSON between them. */
class ScriptedTrainingSocket {
  onopen: (() => void) | null = null;
  onclose: ((event: { reason: string }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly #closed = new AbortController();
  readonly #stream: (request: WatchTrainingRequest, signal: AbortSignal) => AsyncGenerator<WatchTrainingResponse>;

  constructor(stream: (request: WatchTrainingRequest, signal: AbortSignal) => AsyncGenerator<WatchTrainingResponse>) {
    this.#stream = stream;
    setTimeout(() => this.onopen?.(), 0);
  }

  send(text: string): void {
    const { watchTraining } = JSON.parse(text) as { watchTraining: JsonValue };
    void this.#serve(fromJson(WatchTrainingRequestSchema, watchTraining));
  }

  close(): void {
    this.#closed.abort();
  }

  async #serve(request: WatchTrainingRequest): Promise<void> {
    for await (const response of this.#stream(request, this.#closed.signal)) {
      this.onmessage?.({ data: JSON.stringify(toJson(WatchTrainingResponseSchema, response)) });
    }
    this.onmessage?.({ data: "{}" });
  }
}
