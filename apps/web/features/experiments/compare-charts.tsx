import type { MetricHistory } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { useDeferredValue, useMemo } from "react";
import { CurveChart } from "@/components/curve-chart/curve-chart";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { chartLines, type RunGroup } from "./chart-lines";
import type { Comparison } from "./compare-address";
import { chartKeys, inSentence, type MetricKey, type MetricWords, metricWords, placeWords } from "./run-words";

type CompareChartsProps = {
  groups: readonly RunGroup[];
  histories: readonly MetricHistory[];
  comparison: Comparison;
  /** Id of the line that stands out. */
  highlighted: string | undefined;
  /** A place was chosen: steps, or seconds. */
  onPick: (at: number) => void;
};

/** One chart a figure; their crosshairs move together. */
export function CompareCharts(props: CompareChartsProps) {
  return (
    <div className="grid gap-2 xl:grid-cols-2">
      {chartKeys.map((key) => (
        <Chart key={key} metric={key} {...props} />
      ))}
    </div>
  );
}

function Chart({
  metric,
  groups,
  histories,
  comparison,
  highlighted,
  onPick,
}: CompareChartsProps & { metric: MetricKey }) {
  const words: MetricWords = metricWords[metric];
  const { along, smoothing, spread, hidden, logarithmic, at } = comparison;
  // A thumb that moves is followed first, the curves when there is time.
  const later = useDeferredValue(smoothing);
  const curves = useMemo(
    () => chartLines(groups, histories, metric, { along, smoothing: later, spread, hidden }),
    [groups, histories, metric, along, later, spread, hidden],
  );
  const without = groups.filter(
    ({ id, runs }) => !curves.some((curve) => curve.id === id) && runs.some(({ runId }) => !hidden.includes(runId)),
  );
  const place = placeWords(along);
  return (
    <Panel aria-label={words.name} className="h-64">
      <PanelHead>
        <PanelTitle>{words.name}</PanelTitle>
        <span className="truncate text-meta text-text-3">
          {curves.length > 0 && without.length > 0
            ? `${without.map(({ look }) => look.number).join(", ")} ${without.length === 1 ? "has" : "have"} none`
            : words.line}
        </span>
      </PanelHead>
      <div className="min-h-0 flex-1 p-1">
        {curves.length === 0 ? (
          <p className="grid h-full place-items-center px-4 text-center text-sub text-text-3">
            {groups.some(({ runs }) => runs.some(({ runId }) => !hidden.includes(runId)))
              ? `None of these runs has logged ${inSentence(words.name)}.`
              : "Every run is hidden."}
          </p>
        ) : (
          <CurveChart
            label={words.name}
            xLabel={along === "steps" ? "Steps" : "Time"}
            curves={curves}
            words={{ x: place, y: words.write }}
            scale={logarithmic ? "log" : "linear"}
            {...(logarithmic || words.low === undefined ? {} : { low: words.low })}
            {...(logarithmic || words.high === undefined ? {} : { high: words.high })}
            xLow={0}
            moment={at}
            onPick={onPick}
            syncKey="comparison"
            highlight={highlighted}
          />
        )}
      </div>
    </Panel>
  );
}
