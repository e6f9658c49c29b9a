import { LARGEST_DRAWN, SMALLEST_DRAWN } from "@/lib/moment-link-maze";

export const SMALLEST = SMALLEST_DRAWN;
export const LARGEST = LARGEST_DRAWN;

/** Whether rows can be edited here: a maze of the server may be as large as 100 × 100. */
export function fitsEditor(rows: readonly string[]): boolean {
  const cols = rows[0]?.length ?? 0;
  return Math.min(rows.length, cols) >= SMALLEST && Math.max(rows.length, cols) <= LARGEST;
}
