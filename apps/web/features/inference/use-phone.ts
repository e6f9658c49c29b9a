"use client";

import { useSyncExternalStore } from "react";

/** Below this everything stands in one column; the same width as in the style sheet. */
const QUERY = "(width < 48rem)";

function subscribe(listener: () => void): () => void {
  const list = window.matchMedia(QUERY);
  list.addEventListener("change", listener);
  return () => list.removeEventListener("change", listener);
}

/** Whether the window is as narrow as a phone; false while the server renders. */
export function useIsPhone(): boolean {
  return useSyncExternalStore(
    subscribe,
    () => window.matchMedia(QUERY).matches,
    () => false,
  );
}
