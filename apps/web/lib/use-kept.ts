"use client";

import { useCallback, useEffect, useRef, useState } from "react";

/** How choices are kept in this browser. Both functions must stay the same between renders. */
export interface KeptChoices<Choices> {
  /** Key in the browser's local storage. */
  readonly key: string;
  /** Reads what was kept; whatever cannot be read falls back to its default. */
  readonly parse: (text: string | null) => Choices;
  readonly write: (choices: Choices) => string;
}

/** What this browser kept, and the way to change it. Undefined until the browser has taken over from the server. */
export function useKept<Choices extends object>(
  kept: KeptChoices<Choices>,
): [Choices | undefined, (change: Partial<Choices>) => void] {
  const [choices, setChoices] = useState<Choices>();
  const how = useRef(kept);
  useEffect(() => {
    let text: string | null = null;
    try {
      text = localStorage.getItem(how.current.key);
    } catch {
      // Storage may be forbidden; then the defaults hold for this visit.
    }
    setChoices(how.current.parse(text));
  }, []);
  const change = useCallback((part: Partial<Choices>) => {
    const { key, parse, write } = how.current;
    setChoices((before) => {
      const after = { ...(before ?? parse(null)), ...part };
      try {
        localStorage.setItem(key, write(after));
      } catch {
        // As above.
      }
      return after;
    });
  }, []);
  return [choices, change];
}
