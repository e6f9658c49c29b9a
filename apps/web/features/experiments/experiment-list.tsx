import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Experiment } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Select, SelectContent, SelectItem, SelectTrigger, SelectValue } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/class-names";
import { count, dateMinute } from "@/lib/format";

type ExperimentListProps = {
  /** Undefined while nothing was read yet. */
  experiments: readonly Experiment[] | undefined;
  /** Empty: all of them. */
  chosenId: string;
  onChoose: (experimentId: string) => void;
};

/** `Select` takes no empty value. */
const ALL = "all";

/** Every experiment with the number of its runs; on a phone a list to open. */
export function ExperimentList({ experiments, chosenId, onChoose }: ExperimentListProps) {
  const all = experiments?.reduce((sum, { runCount }) => sum + runCount, 0);
  const chosen = experiments?.find(({ experimentId }) => experimentId === chosenId);
  return (
    <>
      <Panel aria-label="Experiments" aria-busy={experiments === undefined} className="w-60 shrink-0 max-md:hidden">
        <PanelHead>
          <PanelTitle>Experiments</PanelTitle>
          <span className="figure text-meta text-text-3">
            {experiments === undefined ? "" : count(experiments.length)}
          </span>
        </PanelHead>
        {experiments === undefined ? (
          <div className="space-y-2 p-2">
            {["first", "second", "third", "fourth"].map((place) => (
              <Skeleton key={place} className="h-10" />
            ))}
          </div>
        ) : (
          <ul className="scroll-thin min-h-0 flex-1 space-y-0.5 overflow-y-auto p-1">
            <Entry name="All experiments" runs={all ?? 0} current={chosenId === ""} onChoose={() => onChoose("")} />
            {experiments.map((experiment) => (
              <Entry
                key={experiment.experimentId}
                name={experiment.name}
                line={
                  experiment.description ||
                  (experiment.updatedAt ? `last change ${dateMinute(timestampDate(experiment.updatedAt))}` : "")
                }
                runs={experiment.runCount}
                current={experiment.experimentId === chosenId}
                onChoose={() => onChoose(experiment.experimentId)}
              />
            ))}
          </ul>
        )}
      </Panel>
      <div className="md:hidden">
        <Select
          value={chosenId || ALL}
          disabled={experiments === undefined}
          onValueChange={(value) => onChoose(value === ALL ? "" : value)}
        >
          <SelectTrigger aria-label="Experiment">
            <SelectValue>{chosen?.name ?? "All experiments"}</SelectValue>
          </SelectTrigger>
          <SelectContent>
            <SelectItem value={ALL}>All experiments</SelectItem>
            {experiments?.map(({ experimentId, name }) => (
              <SelectItem key={experimentId} value={experimentId}>
                {name}
              </SelectItem>
            ))}
          </SelectContent>
        </Select>
      </div>
    </>
  );
}

type EntryProps = { name: string; line?: string; runs: number; current: boolean; onChoose: () => void };

function Entry({ name, line = "", runs, current, onChoose }: EntryProps) {
  return (
    <li>
      <button
        type="button"
        aria-pressed={current}
        onClick={onChoose}
        className={cn(
          "flex w-full flex-col rounded-small px-2 py-1.5 text-left transition-colors hover:bg-raised",
          current && "bg-active hover:bg-active",
        )}
      >
        <span className="flex w-full items-baseline gap-2">
          <span className={cn("min-w-0 flex-1 truncate text-body", current ? "font-medium text-text" : "text-text-2")}>
            {name}
          </span>
          <span className="figure text-meta text-text-3">
            {count(runs)}
            <span className="sr-only"> runs</span>
          </span>
        </span>
        {line === "" ? null : <span className="w-full truncate text-meta text-text-3">{line}</span>}
      </button>
    </li>
  );
}
