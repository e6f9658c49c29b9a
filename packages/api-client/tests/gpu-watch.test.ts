import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import {
  TrainingService,
  type WatchGpuRequest,
  type WatchGpuResponse,
  WatchGpuResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { describe, expect, test, vi } from "vitest";
import type { ConnectionState } from "../src/connection-state";
import { watchGpu } from "../src/gpu-watch";
import { StreamWays } from "../src/stream-ways";
import { webSocketUrl } from "../src/transport";

/** What happens to the nth stream after some readings. */
type Fault = { readonly after: number; readonly how: "cut" | "end" | "hang" | ConnectError };

/** A trainer whose utilisation counts the readings it has given, over all streams. */
function scriptedGpu(faults: readonly Fault[]) {
  const requests: WatchGpuRequest[] = [];
  let readings = 0;
  async function* watch(request: WatchGpuRequest, signal: AbortSignal): AsyncGenerator<WatchGpuResponse> {
    const fault = faults[requests.length];
    requests.push(request);
    for (let sent = 0; ; sent++) {
      if (fault !== undefined && sent === fault.after) {
        if (fault.how === "end") return;
        if (fault.how === "cut") throw new ConnectError("cut", Code.Unavailable);
        if (fault.how instanceof ConnectError) throw fault.how;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return;
      }
      if (signal.aborted) return;
      readings += 1;
      yield create(WatchGpuResponseSchema, {
        sample: { state: GpuState.OK, gpus: [{ index: 0, name: "A", memoryUsedBytes: BigInt(readings) }] },
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const transport = createRouterTransport(({ service }) => {
    service(TrainingService, { watchGpu: (request, context) => watch(request, context.signal) });
  });
  return { requests, transport };
}

function watched(faults: readonly Fault[], more: { silenceMs?: number; intervalMs?: number; trainer?: string } = {}) {
  const { requests, transport } = scriptedGpu(faults);
  const seen: number[] = [];
  const states: ConnectionState[] = [];
  const { silenceMs, ...options } = more;
  const watch = watchGpu({
    transport,
    timing: { backoffFirstMs: 1, backoffMaxMs: 2, ...(silenceMs === undefined ? {} : { silenceMs }) },
    ways: new StreamWays(),
    ...options,
    observer: {
      onSample: ({ gpus }) => void seen.push(Number(gpus[0]?.memoryUsedBytes)),
      onConnection: (state) => void states.push(state),
    },
  });
  return { requests, seen, states, watch };
}

const until = (fact: () => boolean) => vi.waitUntil(fact, { timeout: 10_000, interval: 1 });

describe("a watch over the GPUs", () => {
  test("brings readings until it is stopped, and then no more", async () => {
    const { requests, seen, states, watch } = watched([], { intervalMs: 2000, trainer: "trainer-2" });
    await until(() => seen.length >= 5);
    watch.stop();
    const count = seen.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    expect(requests).toMatchObject([{ intervalMs: 2000, trainer: "trainer-2" }]);
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "connected", "disconnected"]);
    expect(watch.connection).toEqual({ kind: "disconnected", reason: { kind: "stopped" } });
    watch.stop();
  });

  test.each(["cut", "end"] as const)("goes on over another stream after a stream that was %s", async (how) => {
    const { requests, seen, states, watch } = watched([
      { after: 3, how },
      { after: 0, how },
    ]);
    await until(() => seen.length >= 8);
    watch.stop();
    expect(requests).toHaveLength(3);
    expect(seen.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(states.map(({ kind }) => kind)).toContain("reconnecting");
  });

  test("leaves a stream that fell silent", async () => {
    const { requests, seen, watch } = watched([{ after: 2, how: "hang" }], { silenceMs: 30 });
    await until(() => seen.length >= 4);
    watch.stop();
    expect(requests.length).toBeGreaterThanOrEqual(2);
  });

  test("asks again at once when it is told to", async () => {
    const { requests, seen, watch } = watched([{ after: 0, how: "cut" }]);
    await until(() => requests.length >= 1 && (watch.connection.kind === "reconnecting" || seen.length > 0));
    watch.retryNow();
    await until(() => seen.length > 0);
    watch.stop();
  });

  test("ends as failed where there is no such trainer, and says so", async () => {
    const { states, watch } = watched(
      [{ after: 0, how: new ConnectError("trainer-9 does not exist", Code.NotFound) }],
      {
        trainer: "trainer-9",
      },
    );
    await until(() => states.at(-1)?.kind === "disconnected");
    expect(watch.connection).toMatchObject({
      reason: { kind: "failed", error: { code: "not_found", hint: "Trainer-9 does not exist." } },
    });
  });
});

test("the WebSocket beside it is that of the trainings", () => {
  expect(webSocketUrl("http://host:8080", "training")).toBe("ws://host:8080/ws/training");
  expect(webSocketUrl("https://host/behind/", "training")).toBe("wss://host/behind/ws/training");
});
