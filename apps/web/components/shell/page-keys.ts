"use client";

import { useEffect, useRef } from "react";

/** A key of a page, or several that do the same kind of thing. One definition serves the key itself and the help sheet. */
export interface PageKey {
  /** Values of `KeyboardEvent.key` in lower case; `shift+` before a key that has no letter of its own, as in `shift+arrowleft`. */
  readonly keys: readonly string[];
  /** What it does, for the help sheet: "Play or stop". */
  readonly does: string;
  /** Heading in the help sheet; default "This page". */
  readonly group?: string;
  /** Left out where a part of the page handles the key itself and it is only to be listed. */
  readonly run?: (key: string) => void;
}

type Read = () => readonly PageKey[];

const readers = new Set<Read>();

/** The keyboard map of the page that is open. */
export function collectPageKeys(): readonly PageKey[] {
  return [...readers].flatMap((read) => read());
}

// These take text or move by keys of their own, whatever the key is.
const takesEveryKey = "input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=combobox]";
// A space on a button presses it, an arrow on a tab moves it; letters and digits mean nothing to them.
const takesControlKeys = "button, a, [role=slider], [role=tab], [role=switch], [role=radio], [role=option]";
const controlKeys = new Set([" ", "enter", "arrowup", "arrowdown", "arrowleft", "arrowright", "home", "end"]);

/** The name of a pressed key as `PageKey.keys` writes it. */
export function pressedKey(event: Pick<KeyboardEvent, "key" | "shiftKey">): string {
  const key = event.key.toLowerCase();
  return event.shiftKey && key.length > 1 ? `shift+${key}` : key;
}

/** Whether the element that has the focus needs this key itself. */
export function belongsToTarget(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  // A slider is an input, but no letter can be typed into it.
  const slider = target.matches("input[type=range], input[type=checkbox]");
  if (!slider && target.closest(takesEveryKey) !== null) return true;
  return controlKeys.has(key.replace("shift+", "")) && (slider || target.closest(takesControlKeys) !== null);
}

/** Listens to the keys of a page, and lists them in the help sheet, for as long as the component is there. */
export function usePageKeys(keys: readonly PageKey[]): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const reader = () => latest.current;
    readers.add(reader);
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const key = pressedKey(event);
      const action = latest.current.find((one) => one.run !== undefined && one.keys.includes(key));
      if (action === undefined || belongsToTarget(event.target, key)) return;
      event.preventDefault();
      action.run?.(key);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => {
      readers.delete(reader);
      window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}

const keyNames: Readonly<Record<string, string>> = {
  " ": "Space",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  enter: "Enter",
  escape: "Esc",
  home: "Home",
  end: "End",
  "ctrl k": "Ctrl K",
};

/** A key as one reads it on the keyboard. */
export function keyName(key: string): string {
  if (key.startsWith("shift+")) return `Shift ${keyName(key.slice(6))}`;
  return keyNames[key] ?? key.toUpperCase();
}
