"use client";

import type { LucideIcon } from "lucide-react";
import { useEffect, useRef } from "react";

/** Headings of the command palette, in their order. */
export const commandGroups = [
  "Playback",
  "Jump to",
  "Speed",
  "Model",
  "Maze",
  "View",
  "Share",
  "Go to",
  "Page",
] as const;

export type CommandGroup = (typeof commandGroups)[number];

/** Something that the command palette offers. */
export interface Command {
  /** Unique on the page. */
  readonly id: string;
  readonly group: CommandGroup;
  /** What it does, as one would say it: "Play", "Speed 16 steps a second". */
  readonly title: string;
  readonly icon?: LucideIcon;
  /** More words that it is found by. */
  readonly words?: readonly string[];
  /** The key that does the same, as in `PageKey.keys`. */
  readonly key?: string;
  /** Short grey text at its right. */
  readonly note?: string;
  /** It is what is chosen now. */
  readonly current?: boolean;
  readonly disabled?: boolean;
  /** Does it; the palette has closed by then. Left out where `choices` follow. */
  readonly run?: () => void;
  /** What there is to choose from; asked when the command is opened, and when a search begins. At most 60 are offered. */
  readonly choices?: () => readonly Command[] | Promise<readonly Command[]>;
}

type Read = () => readonly Command[];

const readers = new Set<Read>();

/** Every command of the page that is open. Asked when the palette opens, so that a page spends nothing on it before. */
export function collectCommands(): readonly Command[] {
  return [...readers].flatMap((read) => read());
}

/** Offers commands in the palette for as long as the component is there. `read` is called when the palette opens. */
export function useCommands(read: Read): void {
  const latest = useRef(read);
  useEffect(() => {
    latest.current = read;
  });
  useEffect(() => {
    const reader = () => latest.current();
    readers.add(reader);
    return () => {
      readers.delete(reader);
    };
  }, []);
}
