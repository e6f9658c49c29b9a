"use client";

import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import { useEffect, useState, useSyncExternalStore } from "react";
import { DifferenceSession, type DifferenceState } from "./difference-session";

/** Makes a session for as long as the page is open. Undefined while the server renders and until the browser has taken over. */
export function useDifferenceSession(publicServerUrl: string): DifferenceSession | undefined {
  const [session, setSession] = useState<DifferenceSession>();
  useEffect(() => {
    const made = new DifferenceSession({
      transport: createStreamTransport({ serverUrl: publicServerUrl }),
      webSocketUrl: webSocketUrl(publicServerUrl),
    });
    setSession(made);
    return () => {
      made.dispose();
      setSession(undefined);
    };
  }, [publicServerUrl]);
  return session;
}

export function useDifferenceState(session: DifferenceSession): DifferenceState {
  return useSyncExternalStore(session.subscribe, session.getState, session.getState);
}

export function useWaySnapshot(session: DifferenceSession) {
  const { playback } = session;
  return useSyncExternalStore(playback.subscribe, playback.getSnapshot, playback.getSnapshot);
}
