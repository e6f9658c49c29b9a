import { type Training, TrainingPhase, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { Check, CircleCheck, CirclePlay, CircleStop, CircleX, Clock, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Badge } from "@/components/ui/badge";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/class-names";
import { algorithmName, count, duration, percent, shortCount } from "@/lib/format";
import type { RunSnapshot } from "./run-record";
import {
  about,
  deviceName,
  elapsedMs,
  learnedShare,
  learningLeftMs,
  phases,
  phaseWord,
  stateWord,
  successWords,
  whatItDoes,
} from "./training-words";

const stateIcons: Partial<Record<TrainingState, typeof Check>> = {
  [TrainingState.QUEUED]: Clock,
  [TrainingState.RUNNING]: CirclePlay,
  [TrainingState.STOPPING]: LoaderCircle,
  [TrainingState.STOPPED]: CircleStop,
  [TrainingState.COMPLETED]: CircleCheck,
  [TrainingState.FAILED]: CircleX,
};

/** The state of a run as a badge: a sign, a word and a colour. */
export function StateBadge({ state }: { state: TrainingState }) {
  const { word, tone } = stateWord(state);
  const Icon = stateIcons[state] ?? Clock;
  return (
    <Badge tone={tone} data-testid="run-state">
      <Icon aria-hidden="true" />
      {word}
    </Badge>
  );
}

type RunHeadProps = {
  snapshot: RunSnapshot;
  /** This client's clock, milliseconds since the epoch; it ticks while the run is open. */
  now: number;
  /** Buttons of the run; on a phone they stand at the thumb instead. */
  actions: ReactNode;
  /** On a phone: the state alone, where something else wants the room. */
  compact: boolean;
};

/** What the run is, where it stands, and the figures that count. */
export function RunHead({ snapshot, now, actions, compact }: RunHeadProps) {
  const { training } = snapshot;
  const { latest, bestCheckpoint, heldOut } = training;
  const elapsed = elapsedMs(snapshot, now);
  const left = learningLeftMs(snapshot);
  const share = learnedShare(training);
  return (
    <Panel className="shrink-0" aria-label="Run">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 pt-2.5">
        <h2 className="min-w-0 truncate font-semibold text-title">{training.title || training.name}</h2>
        <StateBadge state={training.state} />
        <p className="flex flex-wrap gap-x-2 text-sub text-text-3">
          <span>{algorithmName(training.algorithm)}</span>
          <span className="figure">{training.observation}</span>
          <span>
            seed <span className="figure">{training.seed}</span>
          </span>
          <span>on {deviceName(training.device)}</span>
        </p>
        <div className="ml-auto flex flex-wrap gap-2 max-md:hidden">{actions}</div>
      </div>
      <div className="grid gap-x-6 gap-y-2 px-3 pt-2 pb-2.5 md:grid-cols-[minmax(0,1fr)_auto] md:items-end">
        <div className="min-w-0 space-y-1.5">
          <p className={cn("text-body", training.state === TrainingState.FAILED ? "text-danger" : "text-text-2")}>
            <b className="font-medium text-text">{headline(training)}</b>
            {left === undefined ? "" : `, ${about(left)} of learning left`}
            <span className="text-text-3"> · </span>
            <span>{whatItDoes(training)}.</span>
          </p>
          <div
            role="progressbar"
            aria-label="Steps learned"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(share * 100)}
            aria-valuetext={`${percent(share, 0)} of ${count(training.totalTimesteps)} steps`}
            className="h-1.5 overflow-hidden rounded-full bg-active"
          >
            <div
              className={cn(
                "h-full origin-left rounded-full transition-transform duration-300 ease-linear",
                training.state === TrainingState.FAILED
                  ? "bg-danger"
                  : training.state === TrainingState.STOPPED
                    ? "bg-line-strong"
                    : "bg-accent",
              )}
              style={{ transform: `scaleX(${share})` }}
            />
          </div>
          {training.state === TrainingState.STOPPED || training.state === TrainingState.FAILED ? null : (
            <PhaseRow training={training} compact={compact} />
          )}
        </div>
        <dl
          className={cn(
            "grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-4 md:grid-cols-[repeat(4,auto)]",
            compact && "max-md:hidden",
          )}
        >
          <Key
            term="Experience"
            value={shortCount(latest?.timesteps ?? 0n)}
            note={`of ${shortCount(training.totalTimesteps)} steps`}
          />
          <Key
            term="Time"
            value={elapsed === undefined ? "–" : duration(elapsed)}
            note={
              training.phase === TrainingPhase.LEARNING && latest
                ? `${shortCount(Math.round(latest.stepsPerSecond))} steps a second`
                : "since its start"
            }
          />
          <Key
            term="Best checkpoint"
            value={bestCheckpoint?.validation === undefined ? "–" : percent(bestCheckpoint.validation.rate)}
            note={
              bestCheckpoint === undefined ? "validation mazes" : `at ${shortCount(bestCheckpoint.timesteps)} steps`
            }
          />
          <Key
            term="Held-out"
            value={heldOut === undefined ? "–" : percent(heldOut.rate)}
            note={
              heldOut === undefined
                ? "measured at the end"
                : `${successWords(heldOut).split(" ").slice(1).join(" ")} of ${count(heldOut.episodes)}`
            }
            testId="held-out"
            strong={heldOut !== undefined}
          />
        </dl>
      </div>
    </Panel>
  );
}

function headline({ state, phase }: Training): string {
  if (state === TrainingState.RUNNING) return phaseWord(phase);
  const { word } = stateWord(state);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The steps of a run, with the one that it is in. */
function PhaseRow({ training, compact }: { training: Training; compact: boolean }) {
  const { state, phase } = training;
  const running = state === TrainingState.RUNNING;
  return (
    <ol
      aria-label="Steps of the run"
      className={cn("flex flex-wrap gap-x-4 gap-y-1 text-meta text-text-3", compact && "max-md:hidden")}
    >
      {phases.map((one) => {
        const done = state === TrainingState.COMPLETED || (running && one < phase);
        const current = running && one === phase;
        return (
          <li
            key={one}
            aria-current={current ? "step" : undefined}
            className={cn("flex items-center gap-1.5", current && "font-medium text-accent", done && "text-text-2")}
          >
            {done ? (
              <Check className="size-3 text-ok" aria-hidden="true" />
            ) : (
              <span
                aria-hidden="true"
                className={cn("size-1.5 rounded-full", current ? "animate-status-pulse bg-accent" : "bg-line-strong")}
              />
            )}
            {phaseWord(one)}
            {done ? <span className="sr-only">, done</span> : null}
          </li>
        );
      })}
    </ol>
  );
}

function Key({
  term,
  value,
  note,
  testId,
  strong = false,
}: {
  term: string;
  value: string;
  note: string;
  testId?: string;
  strong?: boolean;
}) {
  return (
    <div className="min-w-24">
      <dt className="text-meta text-text-3">{term}</dt>
      <dd data-testid={testId} className={cn("figure whitespace-nowrap font-medium text-key", strong && "text-ok")}>
        {value}
      </dd>
      <dd className="figure whitespace-nowrap text-meta text-text-3">{note}</dd>
    </div>
  );
}
