/** What a press on the board does. */
export type DrawTool = "wall" | "path" | "start" | "goal";

/** The tools in the order of the bar. */
export const drawTools: readonly {
  readonly tool: DrawTool;
  readonly label: string;
  readonly key: string;
  readonly does: string;
}[] = [
  { tool: "wall", label: "Wall", key: "w", does: "draws walls" },
  { tool: "path", label: "Erase", key: "e", does: "takes walls away" },
  { tool: "start", label: "Start", key: "a", does: "puts the start" },
  { tool: "goal", label: "Goal", key: "o", does: "puts the goal" },
];

/** Name of an edit, as "Undo …" says it. */
export const editNames: Readonly<Record<DrawTool, string>> = {
  wall: "draw walls",
  path: "erase walls",
  start: "move the start",
  goal: "move the goal",
};
