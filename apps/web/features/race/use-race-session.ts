"use client";

import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import { useEffect, useState, useSyncExternalStore } from "react";
import { RaceSession, type RaceState } from "./race-session";

/** Makes a session for as long as the page is open. Undefined while the server renders and until the browser has taken over. */
export function useRaceSession(publicServerUrl: string, stepsPerSecond: () => number): RaceSession | undefined {
  const [session, setSession] = useState<RaceSession>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the kept speed is where a session starts; a later change is its own.
  useEffect(() => {
    const made = new RaceSession({
      transport: createStreamTransport({ serverUrl: publicServerUrl }),
      webSocketUrl: webSocketUrl(publicServerUrl),
      stepsPerSecond: stepsPerSecond(),
    });
    setSession(made);
    return () => {
      made.dispose();
      setSession(undefined);
    };
  }, [publicServerUrl]);
  return session;
}

export function useRaceState(session: RaceSession): RaceState {
  return useSyncExternalStore(session.subscribe, session.getState, session.getState);
}

export function useRaceSnapshot(session: RaceSession) {
  const { playback } = session;
  return useSyncExternalStore(playback.subscribe, playback.getSnapshot, playback.getSnapshot);
}
