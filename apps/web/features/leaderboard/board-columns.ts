import type { Evaluation, Figures } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import { decimal, percent } from "@/lib/format";

/** A column of the leaderboard that can be sorted by. */
export type ColumnKey = "success" | "spl" | "steps" | "bumps" | "revisits" | "cost";

/** What a column shows and how it is sorted. */
export interface Column {
  readonly key: ColumnKey;
  readonly head: string;
  /** What the figure is, in a sentence. */
  readonly line: string;
  /** More is better: then the largest comes first. */
  readonly larger: boolean;
  /** Of the whole row; NaN where a group has no such figure. */
  readonly of: (figures: Figures, evaluation?: Evaluation) => number;
  readonly write: (value: number) => string;
  /** Class that hides it where there is no room. */
  readonly wide: string;
}

export const columns: readonly Column[] = [
  {
    key: "success",
    head: "Success",
    line: "Episodes that reached the goal, with the 95 % Wilson interval",
    larger: true,
    of: (figures) => figures.rate,
    write: (value) => percent(value),
    wide: "",
  },
  {
    key: "spl",
    head: "SPL",
    line: "Success weighted by path length: 1 is the shortest path in every maze",
    larger: true,
    of: (figures) => figures.spl,
    write: (value) => decimal(value, 3),
    wide: "",
  },
  {
    key: "steps",
    head: "Steps",
    line: "Mean steps of an episode; a failed one counts with its limit",
    larger: false,
    of: (figures) => figures.meanSteps,
    write: (value) => decimal(value, 1),
    wide: "max-md:hidden",
  },
  {
    key: "bumps",
    head: "Bumps",
    line: "Steps into a wall, per episode",
    larger: false,
    of: (figures) => figures.bumpsPerEpisode,
    write: (value) => decimal(value, 2),
    wide: "max-lg:hidden",
  },
  {
    key: "revisits",
    head: "Revisits",
    line: "Share of steps that ended on a cell of before",
    larger: false,
    of: (figures) => figures.revisitRate,
    write: (value) => percent(value),
    wide: "max-lg:hidden",
  },
  {
    key: "cost",
    head: "µs a step",
    line: "What a step cost the server on average, and the 95th percentile; many episodes share one call of the network",
    larger: false,
    of: (_, evaluation) => evaluation?.meanStepUs ?? Number.NaN,
    write: (value) => decimal(value, 2),
    wide: "max-xl:hidden",
  },
];
