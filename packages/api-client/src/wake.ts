/** How often the time is looked at. */
const LOOK_MS = 1000;
/** A clock that runs on by so much between two looks stood still in between: the computer slept. */
const SLEPT_MS = 5000;

/** Why streams that look alive may be dead: the network came back, or the computer slept. */
export type WakeReason = "online" | "slept";

type Listener = (reason: WakeReason) => void;

const listeners = new Set<Listener>();
let timer: ReturnType<typeof setInterval> | undefined;
let lookedAt = 0;

/**
 * Calls back when the browser is online again and when the computer wakes up from sleep, which no event tells: a timer's gap does. All
 * streams of the page share one timer. Returns the way to stop it.
 */
export function onWake(listener: Listener): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    lookedAt = Date.now();
    timer = setInterval(look, LOOK_MS);
    globalThis.addEventListener?.("online", tellOnline);
  }
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    clearInterval(timer);
    globalThis.removeEventListener?.("online", tellOnline);
  };
}

function look(): void {
  const gap = Date.now() - lookedAt;
  lookedAt = Date.now();
  // The timers of a hidden tab run once a minute, which is no sleep.
  if (gap > SLEPT_MS && globalThis.document?.visibilityState !== "hidden") tell("slept");
}

function tellOnline(): void {
  tell("online");
}

function tell(reason: WakeReason): void {
  for (const listener of [...listeners]) listener(reason);
}
