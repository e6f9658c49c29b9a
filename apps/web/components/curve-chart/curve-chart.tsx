"use client";

import { ChartLine, Table2, ZoomOut } from "lucide-react";
import { useTheme } from "next-themes";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { type Curve, type CurveWords, curvesInWords, spokenCurves, valueNear, xEnds } from "./curve";
import { CurveTable } from "./curve-table";
import { type CurvePlot, createPlot, type PlotSpec, plotMake } from "./plot";

export type CurveChartProps = {
  /** Name of the chart, for readers and the table: "Reward". */
  label: string;
  /** Name of the horizontal axis: "Steps". */
  xLabel: string;
  /** A new array shows new values; give the same array while nothing changed. At most ten times a second. */
  curves: readonly Curve[];
  /** How numbers are written. Both functions may be new at each render. */
  words: CurveWords;
  scale?: "linear" | "log";
  /** Ends of the vertical axis that are always shown. */
  low?: number;
  high?: number;
  /** Ends of the horizontal axis that are always shown. */
  xLow?: number;
  xHigh?: number;
  /** Place that is marked by a line over the whole height; a mark at this place is filled. */
  moment?: number | undefined;
  /** A place was clicked, or Enter pressed with the crosshair on it. */
  onPick?: (x: number) => void;
  /** Charts with the same key move their crosshairs together. */
  syncKey?: string;
  /** Id of the curve that stands out; the others fade. Default none. */
  highlight?: string | undefined;
  /** Shown while no curve has a point. */
  empty?: ReactNode;
  className?: string;
};

/**
 * Lines over one axis: crosshair with values, enlarging by dragging, arrow keys, and the same as a table. The plot itself is loaded after the page
 * and drawn on a canvas; nothing of it passes through React while the pointer moves.
 */
export function CurveChart(props: CurveChartProps) {
  const { label, xLabel, curves, words, empty, className } = props;
  const [asTable, setAsTable] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const showAll = useRef(() => {});
  const isEmpty = xEnds(curves) === undefined;
  return (
    <div data-slot="curve-chart" className={cn("group/chart relative h-full min-h-0 w-full", className)}>
      {asTable ? (
        <CurveTable label={label} xLabel={xLabel} curves={curves} words={words} />
      ) : (
        <Plot {...props} onZoom={setZoomed} showAll={showAll} />
      )}
      {isEmpty && !asTable ? (
        <div className="absolute inset-0 grid place-items-center p-4 text-center text-sub text-text-3">
          {empty ?? "No points yet."}
        </div>
      ) : null}
      <div className="absolute top-1 right-1 flex gap-1 opacity-0 transition-opacity focus-within:opacity-100 group-hover/chart:opacity-100 pointer-coarse:opacity-70">
        {zoomed && !asTable ? (
          <Button size="sm" variant="outline" className="px-1.5 max-md:px-3" onClick={() => showAll.current()}>
            <ZoomOut />
            Whole
          </Button>
        ) : null}
        <Button
          size="sm"
          variant="outline"
          className="px-1.5 max-md:px-3"
          aria-label={asTable ? `${label} as a chart` : `${label} as a table`}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? <ChartLine /> : <Table2 />}
        </Button>
      </div>
    </div>
  );
}

type PlotProps = CurveChartProps & {
  onZoom: (zoomed: boolean) => void;
  showAll: { current: () => void };
};

function specOf(props: CurveChartProps): PlotSpec {
  const { curves, words, scale = "linear", low, high, xLow, xHigh, moment, syncKey, highlight } = props;
  return { curves, words, scale, low, high, xLow, xHigh, moment, syncKey, highlight };
}

function Plot(props: PlotProps) {
  const { label, xLabel, curves, words, onPick } = props;
  const box = useRef<HTMLDivElement>(null);
  const readOut = useRef<HTMLDivElement>(null);
  const plot = useRef<CurvePlot>(undefined);
  const crosshair = useRef<number>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { resolvedTheme } = useTheme();
  const spec = specOf(props);
  const make = plotMake(spec);
  const ends = xEnds(curves);

  // biome-ignore lint/correctness/useExhaustiveDependencies: curves of another make, and a theme with other colours, need a new plot.
  useEffect(() => {
    const { current: place } = box;
    if (place === null) return;
    let left = false;
    let observer: ResizeObserver | undefined;
    // The class of a new theme is on <html> only after the effects of the render that announced it.
    const frame = requestAnimationFrame(() => {
      void createPlot(place, () => specOf(latest.current), {
        onCrosshair: (at) => {
          crosshair.current = at?.x;
          showReadOut(readOut.current, place, latest.current, at);
        },
        onPick: (x) => latest.current.onPick?.(x),
        onZoom: (zoomed) => latest.current.onZoom(zoomed),
      }).then(
        (made) => {
          if (left) {
            made.destroy();
            return;
          }
          plot.current = made;
          latest.current.showAll.current = made.showAll;
          observer = new ResizeObserver(() => made.resize());
          observer.observe(place);
        },
        // The network is away: the table and the words are there, and the next visit tries again.
        () => {},
      );
    });
    return () => {
      left = true;
      cancelAnimationFrame(frame);
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
      latest.current.onZoom(false);
    };
  }, [make, resolvedTheme]);

  useEffect(() => {
    plot.current?.update(specOf(latest.current));
  });

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (ends === undefined) return;
    const [first, last] = ends;
    const now = crosshair.current ?? last;
    const stride = (last - first) / (event.shiftKey ? 10 : 100);
    const wanted: Partial<Record<string, number>> = {
      ArrowLeft: now - stride,
      ArrowRight: now + stride,
      Home: first,
      End: last,
    };
    const x = wanted[event.key];
    if (x !== undefined) {
      event.preventDefault();
      point(event.currentTarget, Math.min(last, Math.max(first, x)));
    } else if (event.key === "Enter" && onPick !== undefined) {
      event.preventDefault();
      onPick(now);
    }
  };
  const point = (element: HTMLElement, x: number) => {
    crosshair.current = x;
    plot.current?.point(x);
    element.setAttribute("aria-valuenow", String(x));
    element.setAttribute("aria-valuetext", valuesInWords(latest.current, x));
  };

  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`${label}, crosshair over ${xLabel.toLowerCase()}`}
      aria-valuemin={ends?.[0] ?? 0}
      aria-valuemax={ends?.[1] ?? 0}
      aria-valuenow={ends?.[1] ?? 0}
      aria-valuetext={curvesInWords(curves, words) || "No points yet."}
      data-testid="curve-plot"
      className="relative h-full w-full rounded-small focus-visible:outline-offset-[-2px]"
      onKeyDown={onKeyDown}
    >
      <div
        ref={box}
        aria-hidden="true"
        className={cn(
          "figure h-full w-full overflow-hidden",
          onPick === undefined ? "cursor-crosshair" : "cursor-pointer",
        )}
      />
      <div
        ref={readOut}
        hidden
        aria-hidden="true"
        className="figure pointer-events-none absolute top-2 z-10 rounded-small border border-line-strong bg-raised px-2 py-1 text-meta shadow-overlay"
      />
    </div>
  );
}

/** What the curves have at a place, for readers. */
function valuesInWords({ curves, words }: CurveChartProps, x: number): string {
  const values = spokenCurves(curves).map((curve) => {
    const value = valueNear(curve, x);
    return `${curve.name} ${value === undefined ? "nothing" : words.y(value)}`;
  });
  return `${words.x(x)}: ${values.join(", ")}`;
}

/** Writes the values at the crosshair beside it, straight into the page: it follows the pointer. */
function showReadOut(
  box: HTMLElement | null,
  place: HTMLElement,
  { curves, words }: CurveChartProps,
  at: { readonly x: number; readonly left: number } | undefined,
): void {
  if (box === null) return;
  box.hidden = at === undefined;
  if (at === undefined) return;
  const style = getComputedStyle(document.documentElement);
  const rows = spokenCurves(curves)
    .filter((curve) => curve.marksOnly !== true)
    .map((curve) => {
      const value = valueNear(curve, at.x);
      const row = document.createElement("div");
      row.className = "flex items-center gap-1.5 whitespace-nowrap";
      const sign = document.createElement("span");
      sign.className = "h-0.5 w-2.5 shrink-0";
      sign.style.background = curve.color.startsWith("--") ? style.getPropertyValue(curve.color) : curve.color;
      const name = document.createElement("span");
      name.className = "font-sans text-text-3";
      name.textContent = curve.name;
      const figure = document.createElement("span");
      figure.className = "ml-auto pl-2";
      figure.textContent = value === undefined ? "–" : words.y(value);
      row.append(sign, name, figure);
      return row;
    });
  const head = document.createElement("div");
  head.className = "text-text-3";
  head.textContent = words.x(at.x);
  box.replaceChildren(head, ...rows);
  const right = at.left > place.clientWidth / 2;
  box.style.left = right ? "auto" : `${at.left + 12}px`;
  box.style.right = right ? `${place.clientWidth - at.left + 12}px` : "auto";
}
