"use client";

import { watchGpu } from "@rlmaze/api-client/gpu-watch";
import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { GpuHistory, type GpuSnapshot } from "./gpu-history";

// One for each trainer, for as long as the page's JavaScript lives: the way back to this page finds its curves again.
const histories = new Map<string, GpuHistory>();
const before = new GpuHistory();

function historyOf(serverUrl: string, trainer: string): GpuHistory {
  // The server that renders the page serves many people.
  if (typeof window === "undefined") return before;
  const key = `${serverUrl} ${trainer}`;
  let history = histories.get(key);
  if (history === undefined) {
    history = new GpuHistory();
    histories.set(key, history);
  }
  return history;
}

/** What the GPUs of a trainer do, live while `enabled`. */
export function useGpuWatch(
  serverUrl: string,
  trainer: string,
  enabled: boolean,
): { snapshot: GpuSnapshot; retryNow: () => void } {
  const history = historyOf(serverUrl, trainer);
  const retry = useRef(() => {});
  useEffect(() => {
    if (!enabled) return;
    const watch = watchGpu({
      transport: createStreamTransport({ serverUrl }),
      webSocketUrl: webSocketUrl(serverUrl, "training"),
      giveBackWhenHidden: true,
      trainer,
      observer: history,
    });
    retry.current = () => watch.retryNow();
    return () => {
      retry.current = () => {};
      watch.stop();
    };
  }, [serverUrl, trainer, enabled, history]);
  const snapshot = useSyncExternalStore(history.subscribe, history.getSnapshot, before.getSnapshot);
  return { snapshot, retryNow: () => retry.current() };
}
