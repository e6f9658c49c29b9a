"use client";

import { useEffect, useRef, useState } from "react";

/** What moves is said at most this often, so that it can be heard to its end. */
const INTERVAL_MS = 6_000;

/** Lets a text through at once when `kind` changes, and else every few seconds. */
export function useSpoken(text: string, kind: string): string {
  const [said, setSaid] = useState("");
  const last = useRef({ kind: "", at: Number.NEGATIVE_INFINITY });
  useEffect(() => {
    const wait = kind === last.current.kind ? Math.max(0, last.current.at + INTERVAL_MS - performance.now()) : 0;
    const timer = setTimeout(() => {
      last.current = { kind, at: performance.now() };
      setSaid(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text, kind]);
  return said;
}
