/** Least and largest number of rows and columns of a drawn maze. */
export const SMALLEST_DRAWN = 5;
export const LARGEST_DRAWN = 50;

/** A maze out of a link, or what is wrong with it. */
export type UnpackedMaze =
  | { readonly rows: readonly string[]; readonly fault?: undefined }
  | { readonly fault: "format" | "marks" }
  | { readonly fault: "size"; readonly size: string };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Packs a maze for an address: `10x10.0.99.<walls>`, the flat cells of start and goal, and one bit a cell for the walls, row by row, six to a
 * base64url digit, the first cell in the highest bit. 50 × 50 takes 434 characters. The rows must be a grid with one `S` and one `G`.
 */
export function packDrawnMaze(rows: readonly string[]): string {
  const cells = rows.join("");
  let walls = "";
  for (let at = 0; at < cells.length; at += 6) {
    let digit = 0;
    for (let bit = 0; bit < 6; bit++) digit = digit * 2 + (cells[at + bit] === "#" ? 1 : 0);
    walls += ALPHABET[digit];
  }
  return `${rows.length}x${rows[0]?.length ?? 0}.${cells.indexOf("S")}.${cells.indexOf("G")}.${walls}`;
}

/** Reads what {@link packDrawnMaze} wrote. There is one text for each maze: every other one is a fault. */
export function unpackDrawnMaze(text: string): UnpackedMaze {
  const number = "(0|[1-9]\\d{0,4})";
  const found = new RegExp(`^${number}x${number}\\.${number}\\.${number}\\.([A-Za-z0-9_-]*)$`).exec(text);
  if (found === null) return { fault: "format" };
  const [rowCount, colCount, start, goal] = found.slice(1, 5).map(Number) as [number, number, number, number];
  const walls = found[5] as string;
  if (Math.min(rowCount, colCount) < SMALLEST_DRAWN || Math.max(rowCount, colCount) > LARGEST_DRAWN) {
    return { fault: "size", size: `${rowCount} × ${colCount}` };
  }
  const count = rowCount * colCount;
  if (walls.length !== Math.ceil(count / 6)) return { fault: "format" };
  const cells: string[] = [];
  for (const letter of walls) {
    const digit = ALPHABET.indexOf(letter);
    for (let bit = 5; bit >= 0; bit--) cells.push((digit >> bit) & 1 ? "#" : ".");
  }
  if (cells.splice(count).includes("#")) return { fault: "format" };
  if (start === goal || cells[start] !== "." || cells[goal] !== ".") return { fault: "marks" };
  cells[start] = "S";
  cells[goal] = "G";
  return {
    rows: Array.from({ length: rowCount }, (_, row) => cells.slice(row * colCount, (row + 1) * colCount).join("")),
  };
}
