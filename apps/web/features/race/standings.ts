/** Where one lane stands at the shown tick. A `RaceLaneSnapshot` holds all of it. */
export interface Standing {
  /** Index of the lane. */
  readonly lane: number;
  /** Place from 1; equals share one. */
  readonly place: number;
  /** Steps that the lane has taken: the tick, or fewer when it ended before. */
  readonly steps: number;
  /** Steps that are left on the shortest path; 0 at the goal. */
  readonly toGoal: number;
  /** Whether the lane has ended by the shown tick, at the goal or by the step limit. */
  readonly ended: boolean;
  readonly reachedGoal: boolean;
}

/** Standings from the first to the last; lanes that share a place keep their order. */
export function finishOrder<Lane extends Pick<Standing, "place" | "lane">>(lanes: readonly Lane[]): Lane[] {
  return [...lanes].sort((one, other) => one.place - other.place || one.lane - other.lane);
}

/** A place in words: `1st`, `2nd`, and with an equals sign when lanes share it. */
export function placeText(place: number, lanes: readonly Pick<Standing, "place">[]): string {
  const shared = lanes.filter((lane) => lane.place === place).length > 1;
  const ending = ["th", "st", "nd", "rd"][place] ?? "th";
  return `${shared ? "=" : ""}${place}${ending}`;
}

const steps = (count: number): string => `${count} ${count === 1 ? "step" : "steps"}`;

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** One sentence about the end of a race; `names` are in the order of the lanes. */
export function raceSentence(lanes: readonly Standing[], names: readonly string[], shortestPath: number): string {
  const order = finishOrder(lanes);
  const nameOf = (lane: Standing) => names[lane.lane] ?? `Lane ${lane.lane + 1}`;
  const arrived = order.filter((lane) => lane.reachedGoal);
  const lost = order.filter((lane) => !lane.reachedGoal);
  const [first] = arrived;
  if (first === undefined) {
    const [nearest] = order;
    if (nearest === undefined) return "";
    return lanes.length === 1
      ? `${nameOf(nearest)} did not arrive within ${steps(nearest.steps)}.`
      : `Nobody arrived within ${steps(nearest.steps)}; ${nameOf(nearest)} came nearest, ${steps(nearest.toGoal)} from the goal.`;
  }
  const gap = first.steps - shortestPath;
  const over = gap === 0 ? "on the shortest path" : `${steps(gap)} over the shortest path`;
  const together = arrived.filter((lane) => lane.place === first.place);
  const parts =
    lanes.length === 1
      ? [`${nameOf(first)} arrives in ${steps(first.steps)}, ${over}`]
      : together.length > 1
        ? [`${listed(together.map(nameOf))} finish together in ${steps(first.steps)}, ${over}`]
        : [`${nameOf(first)} wins in ${steps(first.steps)}, ${over}`];
  const second = arrived[together.length];
  if (second !== undefined) {
    const next = arrived.filter((lane) => lane.place === second.place).map(nameOf);
    parts.push(`${listed(next)} ${next.length === 1 ? "is" : "are"} next, ${steps(second.steps - first.steps)} later`);
  }
  if (lost.length > 0) parts.push(`${listed(lost.map(nameOf))} ${lost.length === 1 ? "does" : "do"} not arrive`);
  return `${parts.join("; ")}.`;
}
