import { RunState } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { MOST_RUNS } from "./compare-address";

/** How runs are sorted. */
export type Order = "newest" | "best";

/** Algorithms that a run can be filtered by. */
export const algorithms = ["ppo", "dqn"] as const;
export type AlgorithmChoice = (typeof algorithms)[number];

/** States that runs can be filtered by, as the address names them. */
export const stateNames = {
  running: RunState.RUNNING,
  finished: RunState.FINISHED,
  failed: RunState.FAILED,
  killed: RunState.KILLED,
} as const;
export type StateChoice = keyof typeof stateNames;

/** All that the address of the list holds. */
export interface RunList {
  /** Experiment in MLflow; empty is all of them. */
  readonly experimentId: string;
  readonly state: StateChoice | "";
  readonly algorithm: AlgorithmChoice | "";
  /** Name of a sweep; empty is any, or none. */
  readonly sweep: string;
  /** In MLflow's search syntax, for experts. */
  readonly search: string;
  readonly order: Order;
  /** Runs chosen for a comparison, at most eight. */
  readonly chosen: readonly string[];
}

export const plainList: RunList = {
  experimentId: "",
  state: "",
  algorithm: "",
  sweep: "",
  search: "",
  order: "newest",
  chosen: [],
};

/** Longest filter that the contract takes. */
export const LONGEST_FILTER = 500;

function oneOf<Value extends string>(text: string | null, values: readonly Value[]): Value | "" {
  return values.find((value) => value === text) ?? "";
}

/** Reads the query of the list. What cannot be read is left at what it is without it. */
export function readList(params: URLSearchParams): RunList {
  const experimentId = params.get("experiment") ?? "";
  const sweep = params.get("sweep") ?? "";
  return {
    experimentId: /^\d{1,32}$/.test(experimentId) ? experimentId : "",
    state: oneOf(params.get("state"), Object.keys(stateNames) as StateChoice[]),
    algorithm: oneOf(params.get("algorithm"), algorithms),
    sweep: sweep.length <= 200 ? sweep : "",
    search: (params.get("search") ?? "").slice(0, LONGEST_FILTER),
    order: params.get("order") === "best" ? "best" : "newest",
    chosen: [...new Set((params.get("chosen") ?? "").split(","))]
      .filter((runId) => /^[0-9a-f]{32}$/.test(runId))
      .slice(0, MOST_RUNS),
  };
}

/** Path and query of the list; what is as it is without saying so is left out. */
export function listPath(list: RunList): string {
  const params = new URLSearchParams();
  if (list.experimentId !== "") params.set("experiment", list.experimentId);
  if (list.state !== "") params.set("state", list.state);
  if (list.algorithm !== "") params.set("algorithm", list.algorithm);
  if (list.sweep !== "") params.set("sweep", list.sweep);
  if (list.search !== "") params.set("search", list.search);
  if (list.order === "best") params.set("order", "best");
  const chosen = list.chosen.length === 0 ? "" : `chosen=${list.chosen.join(",")}`;
  const query = [params.toString(), chosen].filter((part) => part !== "").join("&");
  return query === "" ? "/experiments" : `/experiments?${query}`;
}
