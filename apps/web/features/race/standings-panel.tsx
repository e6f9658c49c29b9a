import type { RaceLaneSnapshot, RaceSnapshot } from "@rlmaze/episode-playback/race-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { Flag } from "lucide-react";
import { cn } from "@/lib/class-names";
import { count, decimal, signed } from "@/lib/format";
import { gapText, laneReward, laneState } from "./lane-facts";
import { LaneSign } from "./lane-sign";
import { finishOrder, placeText } from "./standings";

type StandingsPanelProps = {
  snapshot: RaceSnapshot;
  names: readonly string[];
  theme: MazeTheme;
  /** The result in one sentence; empty until all lanes have ended. */
  sentence: string;
};

const head = "h-8 whitespace-nowrap pr-2 text-right font-normal text-meta text-text-3 last:pr-3";
const figure = "figure whitespace-nowrap py-1 pr-2 text-right align-top last:pr-3";

/** Who stands where at the shown moment, and at the end the photo finish. */
export function StandingsPanel({ snapshot, names, theme, sentence }: StandingsPanelProps) {
  const order = finishOrder(snapshot.lanes);
  const winner = order.find((lane) => lane.reachedGoal);
  const moved = snapshot.shownStep > 0;
  return (
    <>
      {sentence === "" ? null : (
        <p className="flex animate-appear gap-2.5 border-b p-3 text-body">
          <Flag className="mt-0.5 size-4 shrink-0 text-ok" aria-hidden="true" />
          <span>{sentence}</span>
        </p>
      )}
      <table className="w-full border-collapse text-sub" aria-label="Standings">
        <thead className="border-b">
          <tr>
            <th scope="col" className={cn(head, "w-11 pl-3 text-left")}>
              Place
            </th>
            <th scope="col" className={cn(head, "text-left")}>
              Lane
            </th>
            <th scope="col" className={head}>
              Steps
            </th>
            <th scope="col" className={head} title="Steps over the shortest path">
              Gap
            </th>
            <th scope="col" className={head}>
              Bumps
            </th>
            <th scope="col" className={head}>
              Reward
            </th>
          </tr>
        </thead>
        <tbody>
          {order.map((lane) => (
            <tr key={lane.lane} className="border-b last:border-b-0">
              <td className={cn(figure, "pl-3 text-left", lane.reachedGoal ? "text-ok" : "text-text-2")}>
                {moved ? placeText(lane.place, snapshot.lanes) : "–"}
              </td>
              <th scope="row" className="w-full max-w-0 py-1 pr-2 text-left font-normal">
                <span className="flex min-w-0 items-center gap-2">
                  <LaneSign lane={lane.lane} theme={theme} className="size-4" />
                  <span className="truncate text-text" title={names[lane.lane]}>
                    {names[lane.lane]}
                  </span>
                </span>
                <span className="block truncate pl-6 text-meta text-text-3">{detail(lane, winner)}</span>
              </th>
              <td className={cn(figure, "text-text")}>{count(lane.playback.shownStep)}</td>
              <td className={cn(figure, "text-text")}>{gapText(lane.gap)}</td>
              <td className={cn(figure, "text-text-2")}>{count(lane.playback.bumps)}</td>
              <td className={cn(figure, "text-text-2")}>{signed(laneReward(lane), 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** How a lane stands; at the end how far behind the winner it came in, its path efficiency, and what the log lacks. */
function detail(lane: RaceLaneSnapshot, winner: RaceLaneSnapshot | undefined): string {
  const { result, shownStep } = lane.playback;
  if (!lane.ended || result === undefined) return laneState(lane);
  const behind = shownStep - (winner?.playback.shownStep ?? 0);
  const came = !lane.reachedGoal ? laneState(lane) : behind > 0 ? `${count(behind)} behind` : "";
  const parts = [came, `SPL ${decimal(result.spl, 2)}`, result.logged ? "" : "not logged"];
  return parts.filter((part) => part !== "").join(" · ");
}
