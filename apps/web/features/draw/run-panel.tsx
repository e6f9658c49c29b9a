import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { Columns2, Diff, Eye, Pause, Play, RotateCcw, X } from "lucide-react";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/segmented";
import { percent } from "@/lib/format";
import type { Moment, MomentLane } from "@/lib/moment-link";
import type { EditorState } from "./drawing-editor";
import { PolicyChoice, policyName } from "./policy-choice";
import type { ServerVerdict } from "./server-verdict";
import type { TrialState } from "./trial-run";

type RunPanelProps = {
  state: Pick<EditorState, "facts">;
  run: TrialState;
  snapshot: PlaybackSnapshot;
  models: readonly Model[];
  modelsFailed: boolean;
  lane: MomentLane;
  onLane: (lane: MomentLane) => void;
  stepsPerSecond: number;
  onSpeed: (stepsPerSecond: number) => void;
  canRun: boolean;
  verdict: ServerVerdict;
  onRun: () => void;
  onRunAnew: () => void;
  onClearRun: () => void;
  linkTo: (mode: Moment["mode"]) => string;
};

const speeds = [
  { value: "4", label: "4", name: "4 steps a second" },
  { value: "16", label: "16", name: "16 steps a second" },
  { value: "64", label: "64", name: "64 steps a second" },
  { value: "0", label: "Max", name: "As fast as possible" },
] as const;

/** Who tries the maze, how fast, and how it went. */
export function RunPanel(props: RunPanelProps) {
  const { run, models, lane, canRun } = props;
  const running = run.activity === "running";
  return (
    <div className="space-y-3">
      <PolicyChoice models={models} lane={lane} onLane={props.onLane} />
      <div className="flex gap-2 max-md:flex-wrap">
        <Button
          variant={running ? "outline" : "primary"}
          className="min-w-24 flex-1"
          disabled={!canRun && !running}
          onClick={run.activity === "finished" || run.activity === "failed" ? props.onRunAnew : props.onRun}
        >
          {running ? (
            <Pause aria-hidden="true" />
          ) : run.activity === "finished" ? (
            <RotateCcw aria-hidden="true" />
          ) : (
            <Play aria-hidden="true" />
          )}
          {running ? "Hold" : run.activity === "paused" ? "Go on" : run.activity === "finished" ? "Run again" : "Run"}
        </Button>
        <Segmented
          label="Speed"
          value={String(props.stepsPerSecond) as (typeof speeds)[number]["value"]}
          options={speeds}
          onChange={(value) => props.onSpeed(Number(value))}
          className="max-md:order-last max-md:h-[50px] max-md:w-full"
        />
        {run.activity === "drawing" ? null : (
          <Button variant="ghost" size="icon" aria-label="Take the agent out" onClick={props.onClearRun}>
            <X />
          </Button>
        )}
      </div>
      <RunLine {...props} />
      <nav aria-label="This maze in" className="grid grid-cols-3 gap-2">
        {otherModes.map(({ mode, label, icon: Icon }) =>
          canRun ? (
            <Button key={mode} asChild size="sm">
              <Link href={props.linkTo(mode)} prefetch={false}>
                <Icon aria-hidden="true" />
                {label}
              </Link>
            </Button>
          ) : (
            <Button key={mode} size="sm" disabled>
              <Icon aria-hidden="true" />
              {label}
            </Button>
          ),
        )}
      </nav>
    </div>
  );
}

const otherModes = [
  { mode: "watch", label: "Watch", icon: Eye },
  { mode: "race", label: "Race", icon: Columns2 },
  { mode: "difference", label: "Compare", icon: Diff },
] as const;

/** How the run goes, in one line that keeps its place. */
function RunLine({ state, run, snapshot, models, modelsFailed, lane, canRun, verdict }: RunPanelProps) {
  const { shortestPath } = state.facts;
  const who = policyName(run.lane ?? lane, models);
  const line = () => {
    switch (run.activity) {
      case "failed":
        return (
          <span className="text-danger">
            {run.error === undefined
              ? "The server refused the run."
              : `${run.error.field === "" ? "" : `${run.error.field}: `}${run.error.title}. ${run.error.hint}`}
          </span>
        );
      case "finished": {
        const { result } = snapshot;
        if (result === undefined) return "It is over.";
        return result.outcome === Outcome.REACHED_GOAL ? (
          <>
            <span className="text-ok">{who} reached the goal</span> in{" "}
            <b className="figure text-text">{result.steps}</b> steps; the shortest path is{" "}
            <b className="figure text-text">{shortestPath}</b> (<span className="figure">{percent(result.spl, 0)}</span>{" "}
            as efficient).
          </>
        ) : (
          <>
            <span className="text-warn">{who} did not get there</span> in{" "}
            <b className="figure text-text">{result.steps}</b> steps, the limit for this size.
          </>
        );
      }
      case "running":
      case "paused":
        return (
          <>
            {who} {run.activity === "paused" ? "stands" : "is"} at step{" "}
            <b className="figure text-text">{snapshot.shownStep}</b>; the shortest path is{" "}
            <b className="figure text-text">{shortestPath}</b>.
          </>
        );
      default:
        if (modelsFailed && models.length === 0) return "The models could not be read; the header says why.";
        if (!canRun) return "There must be a way from start to goal before anyone can run.";
        if (verdict.state === "told" && verdict.knownMazeId.startsWith("training-")) {
          return "Models were trained on this very maze. Any change makes it a new one.";
        }
        return "It has never seen this maze. Any change of the drawing takes the agent out again.";
    }
  };
  return (
    <p role="status" data-testid="run-line" className="min-h-10 text-sub text-text-2">
      {line()}
    </p>
  );
}
