"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { useTheme } from "next-themes";
import { type PointerEvent, useEffect, useRef } from "react";
import { drawRewardPlot, type PlotLook, plotFrame, type RewardPlot, stepAt } from "./reward-plot";

type RewardChartProps = { playback: EpisodePlayback; lastRewards: Float64Array; onShow: (step: number) => void };

/** The chart is drawn anew at most this often, and only when something changed. */
const REDRAW_MS = 100;

function lookOf(box: HTMLElement): PlotLook {
  const style = getComputedStyle(document.documentElement);
  const token = (property: string) => style.getPropertyValue(property).trim();
  return {
    line: token("--accent"),
    fill: token("--chart-fill"),
    last: token("--text-3"),
    grid: token("--chart-grid"),
    text: token("--text-3"),
    moment: token("--maze-agent"),
    ground: token("--panel"),
    font: `11px ${getComputedStyle(box).fontFamily}`,
  };
}

/** Cumulative reward over the steps, live, with the shown moment on it; a click shows that step. The step log says the same in words. */
export function RewardChart({ playback, lastRewards, onShow }: RewardChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef(lastRewards);
  last.current = lastRewards;
  const pointed = useRef<number>(undefined);
  const redraw = useRef(() => {});
  const { resolvedTheme } = useTheme();

  const plot = (): RewardPlot => ({
    current: playback.cumulativeRewards,
    last: last.current,
    shownStep: playback.shownStep,
    pointedStep: pointed.current,
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme has new colours; the plot is read when it is drawn.
  useEffect(() => {
    const { current: place } = box;
    const { current: paper } = canvas;
    if (place === null || paper === null) return;
    let look: PlotLook | undefined;
    let drawn = -1;
    let drawnLast: Float64Array | undefined;
    const draw = () => {
      const context = paper.getContext("2d");
      const { clientWidth: width, clientHeight: height } = place;
      if (context === null || width === 0) return;
      look ??= lookOf(place);
      drawn = playback.revision;
      drawnLast = last.current;
      const dpr = devicePixelRatio;
      if (paper.width !== Math.floor(width * dpr) || paper.height !== Math.floor(height * dpr)) {
        paper.width = Math.floor(width * dpr);
        paper.height = Math.floor(height * dpr);
      }
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      context.clearRect(0, 0, width, height);
      drawRewardPlot(context, plotFrame(width, height, plot()), plot(), look);
    };
    redraw.current = draw;
    // The class of a new theme is on <html> only after the effects of the render that announced it.
    const frame = requestAnimationFrame(draw);
    const timer = setInterval(() => {
      if (playback.revision !== drawn || last.current !== drawnLast) draw();
    }, REDRAW_MS);
    const observer = new ResizeObserver(draw);
    observer.observe(place);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
      observer.disconnect();
    };
  }, [playback, resolvedTheme]);

  const stepUnder = (event: PointerEvent): number => {
    const { left, width, height } = event.currentTarget.getBoundingClientRect();
    return stepAt(plotFrame(width, height, plot()), event.clientX - left, playback.liveStep);
  };
  const point = (step: number | undefined) => {
    if (step === pointed.current) return;
    pointed.current = step;
    redraw.current();
  };

  return (
    <div
      ref={box}
      aria-hidden="true"
      className="figure relative h-full min-h-0 w-full cursor-pointer overflow-hidden"
      onPointerMove={(event) => point(playback.liveStep > 0 ? stepUnder(event) : undefined)}
      onPointerLeave={() => point(undefined)}
      onPointerDown={(event) => playback.liveStep > 0 && onShow(stepUnder(event))}
    >
      <canvas ref={canvas} className="absolute inset-0 size-full" />
    </div>
  );
}
