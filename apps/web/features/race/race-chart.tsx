"use client";

import type { RacePlayback } from "@rlmaze/episode-playback/race-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { signed } from "@/lib/format";
import { inkOn } from "./lane-sign";
import { measureAt, raceColumns } from "./race-series";
import type { RaceMeasure } from "./race-settings";

type RaceChartProps = {
  race: RacePlayback;
  measure: RaceMeasure;
  theme: MazeTheme;
  onStep: (step: number) => void;
};

/** The chart is told what is new at most this often. */
const REDRAW_MS = 100;

/** Strokes of the four lanes: with their numbers at the shown step they can be told apart without any colour. */
const DASHES: readonly (number[] | undefined)[] = [undefined, [7, 4], [2, 3], [10, 3, 2, 3]];

function plotOptions(box: HTMLElement, props: RaceChartProps): UPlot.Options {
  const { race, measure, theme } = props;
  const style = getComputedStyle(document.documentElement);
  const token = (property: string) => style.getPropertyValue(property).trim();
  const family = getComputedStyle(box).fontFamily;
  const axis = {
    stroke: token("--text-3"),
    font: `11px ${family}`,
    grid: { stroke: token("--chart-grid"), width: 1 },
    ticks: { show: false },
  };
  const distance = measure === "distance";
  return {
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [10, 14, 0, 0],
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: () => [0, Math.max(20, race.liveStep)] },
      y: {
        range: (_plot, low, high) => {
          const top = Math.max(high ?? 0, distance ? 1 : 0.1);
          const bottom = distance ? 0 : Math.min(low ?? 0, -0.1);
          const air = (top - bottom) * 0.08;
          return [distance ? 0 : bottom - air, top + air];
        },
      },
    },
    axes: [
      { ...axis, size: 24, gap: 4, space: 64 },
      {
        ...axis,
        size: distance ? 40 : 54,
        gap: 4,
        space: 28,
        values: (_plot, ticks) => ticks.map((tick) => (distance ? String(Math.round(tick)) : signed(tick, 2))),
      },
    ],
    series: [
      {},
      ...race.lanes.map((_, lane) => ({
        stroke: theme.lanes[lane as 0 | 1 | 2 | 3] ?? theme.agent,
        width: 1.75,
        points: { show: false },
        ...(DASHES[lane] === undefined ? {} : { dash: DASHES[lane] }),
      })),
    ],
    hooks: { draw: [(plot) => drawMoment(plot, props, token("--line-strong"), family)] },
  };
}

/** Marks the shown step: a line through all curves, and each lane's number where it stands. */
function drawMoment(plot: UPlot, { race, measure, theme }: RaceChartProps, line: string, family: string): void {
  const { ctx, bbox } = plot;
  const ratio = UPlot.pxRatio;
  const x = plot.valToPos(race.shownStep, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 9 * ratio, bbox.top - 9 * ratio, bbox.width + 18 * ratio, bbox.height + 18 * ratio);
  ctx.clip();
  // The strokes of the lanes leave their dashes behind.
  ctx.setLineDash([]);
  ctx.strokeStyle = line;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(Math.round(x), bbox.top);
  ctx.lineTo(Math.round(x), bbox.top + bbox.height);
  ctx.stroke();
  const radius = 6.5 * ratio;
  // The first lane lies on top.
  for (let lane = race.lanes.length - 1; lane >= 0; lane--) {
    const curve = race.lanes[lane];
    if (curve === undefined || curve.grid === undefined) continue;
    const step = Math.min(race.shownStep, curve.liveStep);
    const value = measureAt(curve, measure, step);
    if (!Number.isFinite(value)) continue;
    const fill = theme.lanes[lane as 0 | 1 | 2 | 3] ?? theme.agent;
    const [cx, cy] = [plot.valToPos(step, "x", true), plot.valToPos(value, "y", true)];
    ctx.beginPath();
    ctx.arc(cx, cy, radius, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.lineWidth = 1.5 * ratio;
    ctx.strokeStyle = theme.name === "dark" ? "#101217" : "#ffffff";
    ctx.stroke();
    ctx.fillStyle = inkOn(fill);
    ctx.font = `600 ${9 * ratio}px ${family}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(String(lane + 1), cx, cy + 0.5 * ratio);
  }
  ctx.restore();
}

/** One curve a lane over the steps, live. The plot is made anew when theme, measure or lanes change, because uPlot keeps its series. */
export function RaceChart(props: RaceChartProps) {
  const { race, measure, theme } = props;
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const { lanes } = race;

  // biome-ignore lint/correctness/useExhaustiveDependencies: other lanes must make a new plot.
  useEffect(() => {
    const { current: place } = box;
    if (place === null) return;
    let end = () => {};
    // The class of a new theme is on <html> only after the effects of the render that announced it.
    const frame = requestAnimationFrame(() => {
      const columns = () => raceColumns(race.lanes, measure) as UPlot.AlignedData;
      const plot = new UPlot(plotOptions(place, { ...latest.current, measure, theme }), columns(), place);
      let drawn = race.revision;
      const timer = setInterval(() => {
        if (race.revision === drawn) return;
        drawn = race.revision;
        plot.setData(columns());
      }, REDRAW_MS);
      const observer = new ResizeObserver(() => {
        if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
      });
      observer.observe(place);
      const onClick = (event: MouseEvent) => {
        const left = event.clientX - plot.over.getBoundingClientRect().left;
        latest.current.onStep(Math.round(plot.posToVal(left, "x")));
      };
      plot.over.addEventListener("click", onClick);
      end = () => {
        clearInterval(timer);
        observer.disconnect();
        plot.over.removeEventListener("click", onClick);
        plot.destroy();
      };
    });
    return () => {
      cancelAnimationFrame(frame);
      end();
    };
  }, [race, lanes, measure, theme]);

  return <div ref={box} className="figure h-full min-h-0 w-full cursor-pointer overflow-hidden" aria-hidden="true" />;
}
