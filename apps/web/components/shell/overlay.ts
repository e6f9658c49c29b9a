"use client";

import { useSyncExternalStore } from "react";

/** What lies over the page; at most one of them. */
export type Overlay = "palette" | "help" | undefined;

let open: Overlay;
/** What had the focus before, and gets it back. */
let opener: Element | null = null;
const listeners = new Set<() => void>();

/** Opens the command palette or the help sheet; undefined closes what is open. */
export function openOverlay(next: Overlay): void {
  if (open === next) return;
  if (open === undefined) opener = document.activeElement;
  open = next;
  if (next === undefined) {
    const back = opener;
    setTimeout(() => {
      if (open === undefined && back instanceof HTMLElement && back.isConnected) back.focus();
    }, 0);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** The overlay that is open. */
export function useOverlay(): Overlay {
  return useSyncExternalStore(
    subscribe,
    () => open,
    () => undefined,
  );
}
