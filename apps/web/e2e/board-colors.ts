import { layoutMaze } from "@rlmaze/maze-canvas/layout";
import type { InferencePage } from "./inference";

/** CIE lightness L* (0 black, 100 white) of the things on the board, as an eye sees them. */
export interface SeenBoard {
  readonly wall: number;
  readonly path: number;
  readonly goal: number;
  /** The line of the trail, and what stands out most from it beside it. */
  readonly trail: number;
  readonly casing: number;
  readonly agent: number;
  /** The lightest around the agent. */
  readonly ring: number;
}

type Cell = readonly [row: number, col: number];

/** The path cell with the longest way from the start. */
function farthestPath(rows: readonly string[]): Cell {
  const queue = rows.flatMap((line, row) => (line.includes("S") ? [[row, line.indexOf("S")] as Cell] : []));
  const seen = new Set(queue.map(String));
  let farthest: Cell = [0, 0];
  for (const cell of queue) {
    const [row, col] = cell;
    if (rows[row]?.[col] === ".") farthest = cell;
    for (const next of [
      [row - 1, col],
      [row + 1, col],
      [row, col - 1],
      [row, col + 1],
    ] as const) {
      const letter = rows[next[0]]?.[next[1]];
      if (letter === undefined || letter === "#" || seen.has(String(next))) continue;
      seen.add(String(next));
      queue.push(next);
    }
  }
  return farthest;
}

/** Reads the board from a picture of the screen, so that an emulated eye is in it. The episode must be at rest, with arrows and heat off. */
export async function seenBoard(inference: InferencePage, rows: readonly string[]): Promise<SeenBoard> {
  const size = { rows: rows.length, cols: rows[0]?.length ?? 0 };
  const box = await inference.board.boundingBox();
  const layout = box && layoutMaze({ width: box.width, height: box.height, dpr: 1 }, size, true);
  if (!box || !layout) throw new Error("no board");
  const picture = await inference.page.screenshot({ clip: box });
  const visited = (await inference.log()).map(({ row, col }) => [row, col] as Cell);
  const [agent = [0, 0], ...before] = visited;
  const isVisited = (cell: Cell) => visited.some(([row, col]) => row === cell[0] && col === cell[1]);
  const cells: Cell[] = rows.flatMap((line, row) => Array.from(line, (_, col) => [row, col] as Cell));
  const letter = ([row, col]: Cell) => rows[row]?.[col];
  const find = (wanted: string) => cells.find((cell) => letter(cell) === wanted && !isVisited(cell)) ?? [0, 0];
  // The log shows its newest rows only: what is farthest from the start was surely not visited in so few steps.
  const farthest = farthestPath(rows);
  // A cell that the agent left is crossed by its trail; the nearest ones may lie under the agent.
  const left = before.find(
    ([row, col]) => letter([row, col]) === "." && Math.hypot(row - agent[0], col - agent[1]) >= 2,
  );
  if (left === undefined) throw new Error("the agent has left no trail yet");
  const centre = ([row, col]: Cell) => [layout.x + (col + 0.5) * layout.cell, layout.y + (row + 0.5) * layout.cell];
  const places = {
    wall: centre(find("#")),
    path: centre(farthest),
    goal: centre(find("G")),
    left: centre(left),
    agent: centre(agent),
  };
  return inference.page.evaluate(
    async ([data, at, cell]) => {
      // A bitmap of bytes, because the page's content policy lets no image come from a data address.
      const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
      const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = document.createElement("canvas");
      canvas.width = image.width;
      canvas.height = image.height;
      const context = canvas.getContext("2d");
      context?.drawImage(image, 0, 0);
      const lightness = (x: number, y: number) => {
        const [r = 0, g = 0, b = 0] = context?.getImageData(Math.round(x), Math.round(y), 1, 1).data ?? [];
        const linear = (channel: number) => {
          const share = channel / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        };
        const luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        return luminance <= 216 / 24389 ? (luminance * 24389) / 27 : 116 * Math.cbrt(luminance) - 16;
      };
      /** What lies on a cross of this radius around a place. */
      const around = ([x = 0, y = 0]: number[], radius: number) =>
        Array.from({ length: 2 * radius + 1 }, (_, step) => step - radius).flatMap((away) => [
          lightness(x + away, y),
          lightness(x, y + away),
        ]);
      const one = ([x = 0, y = 0]: number[]) => lightness(x, y);
      const near = Math.floor(cell * 0.45);
      return {
        wall: one(at.wall),
        path: one(at.path),
        // Its middle is a dark dot.
        goal: Math.max(...around(at.goal, Math.floor(cell * 0.2))),
        trail: one(at.left),
        casing: around(at.left, near).reduce((far, here) =>
          Math.abs(here - one(at.left)) > Math.abs(far - one(at.left)) ? here : far,
        ),
        agent: one(at.agent),
        ring: Math.max(...around(at.agent, near)),
      };
    },
    [picture.toString("base64"), places, layout.cell] as const,
  );
}
