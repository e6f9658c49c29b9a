import type { RunList, StateChoice } from "./list-address";

const statuses: Readonly<Record<StateChoice, string>> = {
  running: "RUNNING",
  finished: "FINISHED",
  failed: "FAILED",
  killed: "KILLED",
};

/** Text in MLflow's search syntax; it knows no escapes, so a text with both kinds of quotes cannot be asked for. */
function quoted(text: string): string | undefined {
  if (!text.includes("'")) return `'${text}'`;
  return text.includes('"') ? undefined : `"${text}"`;
}

/** The filter of a list in MLflow's search syntax: what the chips say and what an expert wrote must both hold. */
export function runFilter(list: Pick<RunList, "state" | "algorithm" | "sweep" | "search">): string {
  const parts: string[] = [];
  if (list.state !== "") parts.push(`attributes.status = '${statuses[list.state]}'`);
  // Configurations write PPO as well as ppo.
  if (list.algorithm !== "") parts.push(`params.algorithm ILIKE '${list.algorithm}'`);
  const sweep = quoted(list.sweep);
  if (list.sweep !== "" && sweep !== undefined) parts.push(`tags.\`rlmaze.sweep\` = ${sweep}`);
  const search = list.search.trim();
  if (search !== "") parts.push(search);
  return parts.join(" AND ");
}
