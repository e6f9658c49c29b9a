/** Colours of the maze as `#rrggbb`, and the ends of the heat ramps. */
export interface MazeTheme {
  readonly name: "dark" | "light";
  readonly wall: string;
  /** Line around the board. */
  readonly edge: string;
  readonly path: string;
  readonly start: string;
  readonly goal: string;
  /** What the goal is cased in: dark in both themes, amber has no edge on paper. */
  readonly goalCasing: string;
  /** What the start, the trail and the marks are cased in, so that they stand out on any heat. */
  readonly casing: string;
  readonly agent: string;
  /** Rings of the agent from inside out: the outer one is dark in both themes, it parts the white one from light heat and from paper. */
  readonly agentRing: string;
  readonly agentCasing: string;
  readonly trail: string;
  readonly ruler: string;
  /** What lies around the maze in a picture, and the caption on it. */
  readonly paper: string;
  readonly caption: string;
  /** Arrows on a dark cell and on a light one. */
  readonly arrowLight: string;
  readonly arrowDark: string;
  /** Arrows on the trail, and what parts them from it. */
  readonly arrowOnTrail: string;
  readonly arrowCasing: string;
  /** Outline of the cell under the pointer, and brackets of the selected one. */
  readonly hover: string;
  readonly selected: string;
  /** Outline of the agent's 5 × 5 window. */
  readonly window: string;
  /** Hidden cells, and the dot in each that tells them from wall and path. */
  readonly fog: string;
  readonly fogDot: string;
  /** Rails of the shortest path, and the triangle of its action. */
  readonly route: string;
  /** Notch of a step that was worse than the shortest path, and dashes of a cycle: their shapes tell them apart, not their colours. */
  readonly worse: string;
  readonly cycle: string;
  /** What can't be placed. */
  readonly refused: string;
  /** Agents of a race from the first to the fourth: a ladder of lightness of its own. */
  readonly lanes: readonly [string, string, string, string];
  /** Cells of a difference map, in the order of `DIFFERENCE` from 1: the first is right, the second, both, neither. A ladder away from the path. */
  readonly difference: readonly [string, string, string, string];
  /** Heat from few or low to many or high; interpolated in OKLCH with linear lightness. */
  readonly visits: readonly [string, string];
  readonly value: readonly [string, string];
}

/**
 * Dark: a ladder of lightness upwards, wall < path < heat < markers, so that the picture reads in grey.
 */
export const DARK_MAZE_THEME: MazeTheme = {
  name: "dark",
  wall: "#07080c",
  edge: "#23272e",
  path: "#272e3d",
  start: "#7cc4ff",
  goal: "#ffc24b",
  goalCasing: "#0a0c11",
  casing: "#0a0c11",
  agent: "#ff5c8a",
  agentRing: "#ffffff",
  agentCasing: "#0a0c11",
  trail: "#ff5c8a",
  ruler: "#8b919c",
  paper: "#101217",
  caption: "#b1b6bf",
  arrowLight: "#dfe6f2",
  arrowDark: "#0a0c11",
  arrowOnTrail: "#ffffff",
  arrowCasing: "#0a0c11",
  hover: "#ffffff",
  selected: "#50cde8",
  window: "#b1b6bf",
  fog: "#13161c",
  fogDot: "#20242c",
  route: "#d6ecff",
  worse: "#fd7273",
  cycle: "#f7bc50",
  refused: "#fd7273",
  lanes: ["#faf7ee", "#7bd9e3", "#df7e86", "#6a55c6"],
  difference: ["#8edefe", "#d59239", "#6a788f", "#763671"],
  visits: ["#302c57", "#12aea8"],
  value: ["#3a2659", "#8fb43f"],
};

/**
 * Light: the same ladder downwards. Walls are the paper, corridors are inked, and the more heat the more ink. Markers stand on their own
 * rungs: the goal above the trail, the start below it, so that they don't meet in grey as one amber and one pink of equal lightness would.
 */
export const LIGHT_MAZE_THEME: MazeTheme = {
  name: "light",
  wall: "#fbfcfe",
  edge: "#c9cfda",
  path: "#d9dfeb",
  start: "#04295c",
  goal: "#e2971e",
  goalCasing: "#2b1a00",
  casing: "#ffffff",
  agent: "#b61a57",
  agentRing: "#ffffff",
  agentCasing: "#0a0c11",
  trail: "#b61a57",
  ruler: "#5d6470",
  paper: "#ffffff",
  caption: "#434a56",
  arrowLight: "#ffffff",
  arrowDark: "#2a3040",
  arrowOnTrail: "#10131a",
  arrowCasing: "#ffffff",
  hover: "#10131a",
  selected: "#00687d",
  window: "#3a4150",
  fog: "#eef1f6",
  fogDot: "#dfe4ec",
  route: "#10366b",
  worse: "#b3261e",
  cycle: "#5a3800",
  refused: "#b3261e",
  lanes: ["#141a29", "#153d8d", "#b65266", "#ca9e4f"],
  difference: ["#003670", "#905211", "#7e8da5", "#d2a2cd"],
  visits: ["#aeaee6", "#0a7f7b"],
  value: ["#cdb9ec", "#4f7d12"],
};
