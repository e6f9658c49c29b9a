"use client";

import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { historyQuery } from "./queries";
import type { RunRecord, RunSnapshot } from "./run-record";
import { RunSession, type RunSessionState } from "./run-session";

const loading: RunSessionState = { kind: "loading" };
const never = () => () => {};

/** Opens a run for as long as the page shows it. Undefined while the server renders and until the browser has taken over. */
export function useRunSession(runId: string, publicServerUrl: string): RunSession | undefined {
  const queryClient = useQueryClient();
  const [session, setSession] = useState<RunSession>();
  useEffect(() => {
    const made = new RunSession({
      runId,
      // Never an old one: what follows it is streamed.
      readHistory: () => queryClient.fetchQuery({ ...historyQuery(runId), staleTime: 0, gcTime: 0, retry: false }),
      transport: createStreamTransport({ serverUrl: publicServerUrl }),
      webSocketUrl: webSocketUrl(publicServerUrl, "training"),
    });
    setSession(made);
    return () => {
      made.dispose();
      setSession(undefined);
    };
  }, [runId, publicServerUrl, queryClient]);
  return session;
}

export function useRunSessionState(session: RunSession | undefined): RunSessionState {
  return useSyncExternalStore(session?.subscribe ?? never, session?.getState ?? (() => loading), () => loading);
}

export function useRunSnapshot(record: RunRecord): RunSnapshot {
  return useSyncExternalStore(record.subscribe, record.getSnapshot, record.getSnapshot);
}
