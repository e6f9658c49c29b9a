/** Height of a row in pixels. */
export const ROW_HEIGHT = 24;
/** Rows that are rendered beyond each edge, so that scrolling shows no gaps. */
const OVERSCAN = 4;

/** The rows that are in sight: of `count` rows, first to last. */
export function visibleRows(scrollTop: number, height: number, count: number): { first: number; last: number } {
  const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(count - 1, Math.ceil((scrollTop + height) / ROW_HEIGHT) + OVERSCAN);
  return { first, last };
}
