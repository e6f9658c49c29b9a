import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { Boxes, Dumbbell, Eye, EyeOff, Play, X } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { duration, percent } from "@/lib/format";
import { momentPath } from "@/lib/moment-link";
import type { RunGroup } from "./chart-lines";
import { LiveClock } from "./live-clock";
import { RunSign } from "./run-sign";
import { RunStateBadge } from "./run-state-badge";
import { isLive, latest, runLine, tookMs } from "./run-words";

type RunLegendProps = {
  groups: readonly RunGroup[];
  hidden: readonly string[];
  /** Id of the line that stands out. */
  highlighted: string | undefined;
  onHighlight: (id: string | undefined) => void;
  onHide: (hidden: readonly string[]) => void;
  onRemove: (runId: string) => void;
};

/** Who is who. A pointer or the focus on a run lets its line stand out. */
export function RunLegend({ groups, hidden, highlighted, onHighlight, onHide, onRemove }: RunLegendProps) {
  const runs = groups.flatMap((group) => group.runs);
  const only = runs.length === 1;
  return (
    <Panel aria-label="Runs">
      <PanelHead>
        <PanelTitle>{only ? "Run" : "Runs"}</PanelTitle>
        {hidden.length === 0 ? null : (
          <button
            type="button"
            className="text-sub text-accent hover:underline max-md:min-h-11"
            onClick={() => onHide([])}
          >
            Show all
          </button>
        )}
      </PanelHead>
      <ul className="divide-y">
        {groups.map((group) => (
          <li
            key={group.id}
            onPointerEnter={() => onHighlight(group.id)}
            onPointerLeave={() => onHighlight(undefined)}
            onFocus={() => onHighlight(group.id)}
            onBlur={() => onHighlight(undefined)}
            className={cn("transition-colors", !only && highlighted === group.id && "bg-raised")}
          >
            {group.runs.length === 1 ? null : (
              <div className="flex items-center gap-2 px-3 pt-2">
                <RunSign look={group.look} />
                <span className="min-w-0 flex-1 truncate font-medium text-sub">{group.name}</span>
                <span className="text-meta text-text-3">mean and band</span>
              </div>
            )}
            {group.runs.map((run) => (
              <Entry
                key={run.runId}
                run={run}
                inGroup={group.runs.length > 1}
                look={group.look}
                off={hidden.includes(run.runId)}
                only={only}
                onToggle={(off) =>
                  onHide(off ? [...hidden, run.runId] : hidden.filter((candidate) => candidate !== run.runId))
                }
                onRemove={() => onRemove(run.runId)}
              />
            ))}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

type EntryProps = {
  run: Run;
  inGroup: boolean;
  look: RunGroup["look"];
  off: boolean;
  only: boolean;
  onToggle: (off: boolean) => void;
  onRemove: () => void;
};

function Entry({ run, inGroup, look, off, only, onToggle, onRemove }: EntryProps) {
  const best = latest(run, "held_out_success_rate") ?? latest(run, "validation_success_rate");
  const ms = (now: number) => {
    const took = tookMs(run, now);
    return took === undefined ? "" : duration(took);
  };
  return (
    <div className={cn("px-3 py-2", inGroup && "pl-6")}>
      <div className="flex items-center gap-2">
        {inGroup ? null : <RunSign look={look} faded={off} />}
        <span
          className={cn("figure min-w-0 flex-1 truncate text-sub", off && "text-text-3 line-through")}
          title={run.name}
        >
          {run.name}
        </span>
        <RunStateBadge state={run.state} />
      </div>
      <p className="mt-0.5 truncate text-meta text-text-3">
        {runLine(run)}
        {best === undefined ? null : <span className="figure text-text-2"> · {percent(best)}</span>}
        <span className="figure"> · {isLive(run) ? <LiveClock write={ms} /> : ms(0)}</span>
      </p>
      {run.tags["rlmaze.failure"] ? <p className="mt-0.5 text-danger text-sub">{run.tags["rlmaze.failure"]}</p> : null}
      <div className="mt-1 -ml-1.5 flex items-center gap-0.5">
        {run.modelId === "" ? null : (
          <>
            <TextLink href={watchPath(run.modelId)} icon={<Play />}>
              Watch
            </TextLink>
            <TextLink href="/models" icon={<Boxes />} name={`Model ${run.modelId}`}>
              Model
            </TextLink>
          </>
        )}
        {run.trainingRunId === "" ? null : (
          <TextLink href={`/training/${run.trainingRunId}`} icon={<Dumbbell />}>
            Training
          </TextLink>
        )}
        {only ? null : (
          <span className="ml-auto flex">
            <IconButton
              label={off ? `Show ${run.name}` : `Hide ${run.name}`}
              pressed={off}
              onClick={() => onToggle(!off)}
            >
              {off ? <EyeOff /> : <Eye />}
            </IconButton>
            <IconButton label={`Take ${run.name} out of the comparison`} onClick={onRemove}>
              <X />
            </IconButton>
          </span>
        )}
      </div>
    </div>
  );
}

/** The model on a maze that it has never seen. */
function watchPath(modelId: string): string {
  return momentPath({
    mode: "watch",
    lanes: [{ policy: { modelId }, sampling: "greedy" }],
    maze: { mazeId: "heldout-0001" },
    seed: 1n,
    step: 0,
  });
}

const control =
  "inline-flex h-7 items-center gap-1.5 rounded-small px-1.5 text-sub text-text-2 hover:bg-active hover:text-text max-md:h-11 max-md:px-2.5 [&_svg]:size-3.5";

function TextLink({
  href,
  icon,
  name,
  children,
}: {
  href: string;
  icon: ReactNode;
  name?: string;
  children: ReactNode;
}) {
  return (
    <Link
      href={href}
      prefetch={false}
      className={control}
      {...(name === undefined ? {} : { "aria-label": name, title: name })}
    >
      {icon}
      {children}
    </Link>
  );
}

type IconButtonProps = { label: string; pressed?: boolean; onClick: () => void; children: ReactNode };

function IconButton({ label, pressed, onClick, children }: IconButtonProps) {
  return (
    <Tooltip text={label} side="left">
      <button
        type="button"
        aria-label={label}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        onClick={onClick}
        className={cn(control, "max-md:w-11 max-md:justify-center")}
      >
        {children}
      </button>
    </Tooltip>
  );
}
