import { Outcome, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { ChevronLeft, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, count, decimal, milliseconds, percent, signed, stateValueName } from "@/lib/format";
import { ActionBars, scoresTitle } from "./action-bars";

type MetricsPanelProps = {
  snapshot: PlaybackSnapshot;
  /** Actions (0–3) on a shortest path where the shown step was taken. */
  optimal?: readonly number[] | undefined;
  /** Steps before and after the shown one that were worse than the shortest path. */
  worse: { readonly previous: number | undefined; readonly next: number | undefined };
  onShow: (step: number) => void;
  className?: string;
};

/** Numbers about the shown step and the episode up to it. */
export function MetricsPanel({ snapshot, optimal, worse, onShow, className }: MetricsPanelProps) {
  const { shown, result, regret } = snapshot;
  const atEnd = snapshot.shownStep === snapshot.liveStep;
  const kind = shown?.scores?.kind ?? snapshot.scoreKind;
  const ratio = snapshot.shortestPath > 0 ? snapshot.shownStep / snapshot.shortestPath : Number.NaN;
  return (
    <div className={cn("space-y-4", className)}>
      <div className="grid grid-cols-2 gap-2">
        <Key name="Steps" note={Number.isFinite(ratio) ? `shortest path ${snapshot.shortestPath}` : "\u00a0"}>
          {count(snapshot.shownStep)}
          <span className="text-body text-text-3"> / {count(snapshot.maxSteps)}</span>
        </Key>
        <Key name="Reward" note={`total ${signed(shown?.cumulativeReward ?? 0, 2)}`}>
          <span className={cn(shown?.hitWall && "text-danger", shown?.reachedGoal && "text-ok")}>
            {shown ? signed(shown.reward, 2) : "–"}
          </span>
        </Key>
        <Key
          name="Action"
          note={
            shown?.hitWall ? (
              <span className="text-danger">bumped into a wall</span>
            ) : (
              `at (${snapshot.row}, ${snapshot.col})`
            )
          }
        >
          {shown ? (
            <>
              {actionArrow(shown.action)} <span className="font-sans">{actionName(shown.action)}</span>
            </>
          ) : (
            "–"
          )}
        </Key>
        <Key name={stateValueName(kind)} note={scoreNote(kind)}>
          {shown?.scores ? decimal(shown.scores.stateValue, 3) : "–"}
        </Key>
      </div>

      <section aria-label="Action scores">
        <div className="mb-2 flex items-baseline justify-between gap-2 text-sub">
          <h3 className="text-text-2">{scoresTitle(kind)}</h3>
          <span className="figure text-text-3">
            <abbr title="Entropy of the probabilities, 0 (sure) to 2 bits (undecided)" className="no-underline">
              H = {shown?.scores ? `${decimal(shown.scores.entropy / Math.LN2, 2)} bit` : "–"}
            </abbr>
          </span>
        </div>
        <ActionBars
          kind={kind}
          scores={shown?.scores}
          chosen={shown === undefined ? undefined : shown.action - 1}
          {...(optimal === undefined ? {} : { optimal })}
          className="space-y-1.5"
        />
      </section>

      <section aria-label="Against the shortest path" className="border-t pt-3 text-sub">
        <dl className="space-y-1.5">
          <Fact term="Regret so far">
            {Number.isFinite(regret.steps) ? (
              <>
                {count(regret.steps)} <span className="text-text-3">steps · {count(regret.distance)} to go</span>
              </>
            ) : (
              "–"
            )}
          </Fact>
          <Fact term="SPL">
            {decimal(result !== undefined && atEnd ? result.spl : regret.spl, 3)}
            <span className="text-text-3">{result !== undefined && atEnd ? "" : " at best"}</span>
          </Fact>
          <div className="flex items-center justify-between gap-3">
            <dt className="text-text-2">Worse choices</dt>
            <dd className="figure -my-1 flex items-center gap-1">
              {count(snapshot.worseSteps)}
              <Jump name="Previous worse choice" step={worse.previous} onShow={onShow}>
                <ChevronLeft />
              </Jump>
              <Jump name="Next worse choice" step={worse.next} onShow={onShow}>
                <ChevronRight />
              </Jump>
            </dd>
          </div>
          <Fact term="Loop">
            {snapshot.loop === undefined ? (
              <span className="text-text-3">none</span>
            ) : (
              <span className="text-warn">
                {count(snapshot.loop.period)} {snapshot.loop.period === 1 ? "move" : "moves"}, since step{" "}
                {count(snapshot.loop.since)}
              </span>
            )}
          </Fact>
        </dl>
      </section>

      <dl className="space-y-1.5 border-t pt-3 text-sub">
        <Fact term="Stream delay">
          {milliseconds(snapshot.delay.lastMs)}
          <span className="text-text-3"> · p95 {milliseconds(snapshot.delay.p95Ms)}</span>
        </Fact>
        <Fact term="Wall bumps">{count(snapshot.bumps)}</Fact>
        <Fact term="Visited cells">
          {count(snapshot.visitedCells)}
          <span className="text-text-3">
            {" "}
            / {count(snapshot.openCells)} ·{" "}
            {percent(snapshot.openCells > 0 ? snapshot.visitedCells / snapshot.openCells : Number.NaN, 0)}
          </span>
        </Fact>
        <Fact term="Outcome">
          {result === undefined ? (
            <span className="text-text-3">open</span>
          ) : result.outcome === Outcome.REACHED_GOAL ? (
            <span className="text-ok">reached the goal</span>
          ) : (
            <span className="text-warn">step limit</span>
          )}
        </Fact>
        <Fact term="Observation">{snapshot.observation || "–"}</Fact>
        <Fact term="Seed">{snapshot.episodeId === "" ? "–" : snapshot.seed.toString()}</Fact>
      </dl>
    </div>
  );
}

function scoreNote(kind: ScoreKind): string {
  if (kind === ScoreKind.Q_VALUE) return "largest Q-value";
  return kind === ScoreKind.LOGIT ? "from the value head" : "\u00a0";
}

type JumpProps = { name: string; step: number | undefined; onShow: (step: number) => void; children: ReactNode };

function Jump({ name, step, onShow, children }: JumpProps) {
  return (
    <Button
      size="icon"
      variant="ghost"
      aria-label={name}
      title={step === undefined ? name : `${name}: step ${step}`}
      disabled={step === undefined}
      onClick={() => step !== undefined && onShow(step)}
      className="size-6 max-md:size-11"
    >
      {children}
    </Button>
  );
}

function Key({ name, note, children }: { name: string; note: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0 rounded-control border bg-raised px-3 py-2">
      <div className="text-sub text-text-2">{name}</div>
      <div className="figure truncate font-medium text-key">{children}</div>
      <div className="truncate text-meta text-text-3">{note}</div>
    </div>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3">
      <dt className="text-text-2">{term}</dt>
      <dd className="figure truncate text-right text-text">{children}</dd>
    </div>
  );
}
