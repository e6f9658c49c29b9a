"use client";

import { useSyncExternalStore } from "react";
import { KEPT_MAZES_KEY, type KeptMaze, keptMazesText, keptName, MOST_KEPT, parseKeptMazes } from "./kept-mazes";

/** The drawn mazes of this browser, the newest first; all tabs share them. */
class KeptMazesStore {
  readonly #listeners = new Set<() => void>();
  #kept: readonly KeptMaze[] | undefined;
  #before: readonly KeptMaze[] | undefined;
  /** False when the browser keeps nothing (private window, no room left): the mazes last as long as the page then. */
  lasting = true;

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) window.addEventListener("storage", this.#onStorage);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) window.removeEventListener("storage", this.#onStorage);
    };
  };

  readonly get = (): readonly KeptMaze[] => {
    this.#kept ??= this.#read();
    return this.#kept;
  };

  /** Keeps rows under a name and returns their entry; undefined when there is no room for more. */
  keep(name: string, rows: readonly string[]): KeptMaze | undefined {
    if (this.get().length >= MOST_KEPT) return undefined;
    const entry: KeptMaze = {
      id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      name,
      rows,
      keptAt: Date.now(),
    };
    this.#change([entry, ...this.get()]);
    return entry;
  }

  /** Puts other rows under the same name. */
  replace(id: string, rows: readonly string[]): void {
    this.#change(this.get().map((entry) => (entry.id === id ? { ...entry, rows, keptAt: Date.now() } : entry)));
  }

  rename(id: string, name: string): void {
    this.#change(this.get().map((entry) => (entry.id === id ? { ...entry, name: keptName(name, entry.name) } : entry)));
  }

  remove(id: string): void {
    this.#change(this.get().filter((entry) => entry.id !== id));
  }

  /** Takes the last change back. */
  undo(): void {
    if (this.#before !== undefined) this.#change(this.#before);
  }

  #change(kept: readonly KeptMaze[]): void {
    this.#before = this.get();
    this.#kept = kept;
    try {
      localStorage.setItem(KEPT_MAZES_KEY, keptMazesText(kept));
      this.lasting = true;
    } catch {
      this.lasting = false;
    }
    this.#tell();
  }

  #read(): readonly KeptMaze[] {
    try {
      return parseKeptMazes(localStorage.getItem(KEPT_MAZES_KEY));
    } catch {
      this.lasting = false;
      return [];
    }
  }

  /** Another tab changed them. */
  readonly #onStorage = (event: StorageEvent): void => {
    if (event.key !== KEPT_MAZES_KEY && event.key !== null) return;
    this.#kept = this.#read();
    this.#tell();
  };

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export const keptMazes = new KeptMazesStore();

const none: readonly KeptMaze[] = [];

/** The kept mazes; none while the server renders. */
export function useKeptMazes(): readonly KeptMaze[] {
  return useSyncExternalStore(keptMazes.subscribe, keptMazes.get, () => none);
}
