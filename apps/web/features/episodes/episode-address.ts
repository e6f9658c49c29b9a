import { Baseline, Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { baselineOf } from "./episode-words";

/** Outcomes that episodes can be filtered by, as the address names them. */
export const outcomeChoices = {
  goal: Outcome.REACHED_GOAL,
  limit: Outcome.STEP_LIMIT,
} as const;
export type OutcomeChoice = keyof typeof outcomeChoices;

/** Days, today among them, over which failures can be counted. */
export const dayChoices = [1, 7, 31] as const;
export type DayChoice = (typeof dayChoices)[number];
const USUAL_DAYS: DayChoice = 7;

/** All that the address of the page holds. */
export interface EpisodeList {
  /** Id of a model, or `baseline_` and its name as in links; empty is everybody. */
  readonly policy: string;
  /** Id of a maze; empty is all of them. */
  readonly mazeId: string;
  readonly outcome: OutcomeChoice | "";
  /** Episodes one by one, or failures by policy and maze. */
  readonly view: "episodes" | "failures";
  /** Days over which failures are counted. */
  readonly days: DayChoice;
}

export const plainList: EpisodeList = { policy: "", mazeId: "", outcome: "", view: "episodes", days: USUAL_DAYS };

/** Whether a text can be the id of a maze, or is empty. */
export function isMazeId(text: string): boolean {
  return /^[a-z0-9.-]{0,128}$/.test(text);
}

/** Reads the query of the page. What cannot be read is left at what it is without it. */
export function readList(params: URLSearchParams): EpisodeList {
  const policy = params.get("policy") ?? "";
  const mazeId = params.get("in") ?? "";
  const outcome = params.get("outcome");
  const isKnown = baselineOf(policy) !== Baseline.UNSPECIFIED || /^[a-z0-9.-]{0,128}$/.test(policy);
  return {
    policy: isKnown ? policy : "",
    mazeId: isMazeId(mazeId) ? mazeId : "",
    outcome: outcome === "goal" || outcome === "limit" ? outcome : "",
    view: params.get("view") === "failures" ? "failures" : "episodes",
    days: dayChoices.find((days) => String(days) === params.get("days")) ?? USUAL_DAYS,
  };
}

/** Path and query of the page; what is as it is without saying so is left out. */
export function listPath(list: EpisodeList): string {
  const params = new URLSearchParams();
  if (list.policy !== "") params.set("policy", list.policy);
  if (list.mazeId !== "") params.set("in", list.mazeId);
  if (list.view === "failures") params.set("view", "failures");
  if (list.view === "failures" && list.days !== USUAL_DAYS) params.set("days", String(list.days));
  if (list.view === "episodes" && list.outcome !== "") params.set("outcome", list.outcome);
  const query = params.toString();
  return query === "" ? "/episodes" : `/episodes?${query}`;
}

export function isFiltered(list: EpisodeList): boolean {
  return list.policy !== "" || list.mazeId !== "" || (list.view === "episodes" && list.outcome !== "");
}
