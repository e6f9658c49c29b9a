"use client";

import { createStreamTransport, webSocketUrl } from "@rlmaze/api-client/transport";
import { useEffect, useState, useSyncExternalStore } from "react";
import { EpisodeSession, type SessionState } from "./episode-session";

/** Makes a session for as long as the page is open. Undefined while the server renders and until the browser has taken over. */
export function useEpisodeSession(publicServerUrl: string, stepsPerSecond: () => number): EpisodeSession | undefined {
  const [session, setSession] = useState<EpisodeSession>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the default speed is where a session starts; a later change is its own.
  useEffect(() => {
    const made = new EpisodeSession({
      transport: createStreamTransport({ serverUrl: publicServerUrl }),
      webSocketUrl: webSocketUrl(publicServerUrl),
      stepsPerSecond: stepsPerSecond(),
    });
    setSession(made);
    const onVisibility = () => made.setHidden(document.visibilityState === "hidden");
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      made.dispose();
      setSession(undefined);
    };
  }, [publicServerUrl]);
  return session;
}

export function useSessionState(session: EpisodeSession): SessionState {
  return useSyncExternalStore(session.subscribe, session.getState, session.getState);
}

export function usePlaybackSnapshot(session: EpisodeSession) {
  const { playback } = session;
  return useSyncExternalStore(playback.subscribe, playback.getSnapshot, playback.getSnapshot);
}
