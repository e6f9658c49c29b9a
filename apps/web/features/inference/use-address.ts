"use client";

import { useEffect } from "react";
import { writeAddress } from "@/lib/address";
import { type Moment, modePaths, momentPath } from "@/lib/moment-link";

/** A moment that was rested at for so long is worth an address. */
const REST_MS = 400;

/** Keeps the address true: the moment that one rests at, and the plain page while something moves. */
export function useAddress(moment: Moment | undefined, moving: boolean): void {
  const path = moment === undefined ? undefined : momentPath(moment);
  useEffect(() => {
    const wanted = moving ? modePaths.watch : path;
    if (wanted === undefined) return;
    const timer = setTimeout(() => writeAddress(wanted), REST_MS);
    return () => clearTimeout(timer);
  }, [path, moving]);
}
