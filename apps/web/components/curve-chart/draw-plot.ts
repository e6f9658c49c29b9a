import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { alignCurves, type CurveMark, hasBand, xEnds } from "./curve";
import type { CurvePlot, PlotListener, PlotSpec } from "./plot";

const AXIS_WIDTH = 52;
const AXIS_HEIGHT = 24;
/** Air above and below the values, as a share of their span. */
const AIR = 0.08;
/** What is left of a curve while another one stands out. */
const FADED = 0.15;
/** A drag shorter than this is a click. */
const CLICK_PX = 5;

function tokens(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (name) => (name.startsWith("--") ? style.getPropertyValue(name).trim() : name);
}

/** Makes a plot that fills `box`. Colours are those of the theme at this moment. */
export function drawPlot(box: HTMLElement, first: PlotSpec, listener: PlotListener): CurvePlot {
  let spec = first;
  let zoom: readonly [number, number] | undefined;
  const color = tokens();
  const family = getComputedStyle(box).fontFamily;
  const axis = {
    stroke: color("--text-3"),
    font: `11px ${family}`,
    grid: { stroke: color("--chart-grid"), width: 1 },
    ticks: { show: false },
  };
  const wholeX = (): [number, number] => {
    const [low, high] = xEnds(spec.curves) ?? [0, 1];
    const from = Math.min(low, spec.xLow ?? low);
    const to = Math.max(high, spec.xHigh ?? high);
    return to > from ? [from, to] : [from, from + 1];
  };
  const data = () => {
    const { xs, columns } = alignCurves(spec.curves);
    const shown = spec.scale === "log" ? columns.map((column) => column.map(positive)) : columns;
    return [xs, ...shown] as UPlot.AlignedData;
  };

  const series: UPlot.Series[] = [{}];
  const bands: UPlot.Band[] = [];
  for (const curve of first.curves) {
    const stroke = color(curve.color);
    const line = {
      stroke: curve.faint === true ? withAlpha(stroke, 0.22) : stroke,
      width: curve.marksOnly === true ? 0 : curve.faint === true ? 1 : 1.75,
      points: { show: false },
      spanGaps: false,
      ...(curve.dash === undefined ? {} : { dash: [...curve.dash] }),
    };
    series.push(line);
    if (hasBand(curve)) {
      bands.push({ series: [series.length + 1, series.length], fill: withAlpha(stroke, 0.16) });
      series.push({ stroke: "transparent", width: 0, points: { show: false } });
      series.push({ stroke: "transparent", width: 0, points: { show: false } });
    }
  }

  const plot = new UPlot(
    {
      width: Math.max(1, box.clientWidth),
      height: Math.max(1, box.clientHeight),
      padding: [10, 20, 0, 0],
      legend: { show: false },
      focus: { alpha: FADED },
      cursor: {
        points: { show: false },
        y: false,
        drag: { x: true, y: false, setScale: false, dist: CLICK_PX },
        ...(first.syncKey === undefined ? {} : { sync: { key: first.syncKey, scales: ["x", null] } }),
      },
      scales: {
        x: { time: false, range: () => (zoom === undefined ? wholeX() : [...zoom]) },
        y: {
          ...(first.scale === "log" ? { distr: 3 as const } : {}),
          range: (_plot, low, high) => yRange(spec, low, high),
        },
      },
      axes: [
        { ...axis, size: AXIS_HEIGHT, gap: 4, space: 72, values: (_plot, ticks) => ticks.map(spec.words.x) },
        {
          ...axis,
          size: AXIS_WIDTH,
          gap: 4,
          space: 28,
          values: (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : spec.words.y(tick))),
        },
      ],
      series,
      bands,
      hooks: {
        draw: [(chart) => drawMarks(chart, spec, color)],
        setCursor: [
          (chart) => {
            const left = chart.cursor.left ?? -1;
            listener.onCrosshair(
              left < 0 || chart.data[0].length === 0
                ? undefined
                : { x: chart.posToVal(left, "x"), left: left + chart.over.offsetLeft },
            );
          },
        ],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width < CLICK_PX) return;
            zoom = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
            chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            chart.setData(data());
            listener.onZoom(true);
          },
        ],
      },
    },
    data(),
    box,
  );

  /** The curve that stands out, in the series of the plot; null while none does. */
  const highlighted = (): number | null => {
    let index = 1;
    for (const curve of spec.curves) {
      if (curve.id === spec.highlight) return index;
      index += hasBand(curve) ? 3 : 1;
    }
    return null;
  };
  if (spec.highlight !== undefined) plot.setSeries(highlighted(), { focus: true }, false);

  const showAll = (): void => {
    if (zoom === undefined) return;
    zoom = undefined;
    plot.setData(data());
    listener.onZoom(false);
  };
  let pressedAt = 0;
  const onDown = (event: MouseEvent): void => {
    pressedAt = event.clientX;
  };
  const onClick = (event: MouseEvent): void => {
    if (Math.abs(event.clientX - pressedAt) >= CLICK_PX) return;
    listener.onPick(plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x"));
  };
  plot.over.addEventListener("mousedown", onDown);
  plot.over.addEventListener("click", onClick);
  plot.over.addEventListener("dblclick", showAll);

  return {
    update(next) {
      const same = next.curves === spec.curves;
      const highlightBefore = spec.highlight;
      spec = next;
      if (next.highlight !== highlightBefore) plot.setSeries(highlighted(), { focus: true }, false);
      if (same) plot.redraw(false);
      else plot.setData(data());
    },
    point(x) {
      plot.setCursor({ left: plot.valToPos(x, "x"), top: plot.over.clientHeight / 2 });
    },
    showAll,
    resize() {
      if (box.clientWidth > 0) plot.setSize({ width: box.clientWidth, height: box.clientHeight });
    },
    destroy() {
      plot.over.removeEventListener("mousedown", onDown);
      plot.over.removeEventListener("click", onClick);
      plot.over.removeEventListener("dblclick", showAll);
      plot.destroy();
    },
  };
}

function positive(value: number | null | undefined): number | null | undefined {
  return value === undefined || (value !== null && value > 0) ? value : null;
}

/** The vertical ends: all values and marks, the wanted ends, and air where nothing fixes an end. */
function yRange(spec: PlotSpec, low: number | null, high: number | null): [number, number] {
  let [bottom, top] = [low ?? Number.POSITIVE_INFINITY, high ?? Number.NEGATIVE_INFINITY];
  for (const { marks = [] } of spec.curves) {
    for (const mark of marks) {
      bottom = Math.min(bottom, mark.low ?? mark.y);
      top = Math.max(top, mark.high ?? mark.y);
    }
  }
  if (!Number.isFinite(bottom) || !Number.isFinite(top))
    return [spec.low ?? (spec.scale === "log" ? 0.1 : 0), spec.high ?? 1];
  if (spec.scale === "log") {
    const least = bottom > 0 ? bottom : top / 1000;
    return [Math.min(spec.low ?? least, least) / 1.2, Math.max(spec.high ?? top, top) * 1.2];
  }
  const [fixedLow, fixedHigh] = [
    spec.low !== undefined && spec.low <= bottom,
    spec.high !== undefined && spec.high >= top,
  ];
  bottom = Math.min(bottom, spec.low ?? bottom);
  top = Math.max(top, spec.high ?? top);
  const span = top - bottom;
  const air = span > 0 ? span * AIR : Math.abs(top) * AIR || 1;
  // A wanted end has a little air too, so that a line along it is whole.
  return [bottom - (fixedLow ? air / 3 : air), top + (fixedHigh ? air / 3 : air)];
}

function drawMarks(plot: UPlot, spec: PlotSpec, color: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = UPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 8 * ratio, bbox.top - 8 * ratio, bbox.width + 16 * ratio, bbox.height + 16 * ratio);
  ctx.clip();
  // The strokes of the curves leave their dashes behind.
  ctx.setLineDash([]);
  if (spec.moment !== undefined) {
    const x = Math.round(plot.valToPos(spec.moment, "x", true));
    ctx.strokeStyle = color("--line-strong");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  const standsOut = spec.curves.some(({ id }) => id === spec.highlight);
  for (const curve of spec.curves) {
    ctx.globalAlpha = standsOut && curve.id !== spec.highlight ? FADED : 1;
    for (const mark of curve.marks ?? []) {
      drawMark(plot, mark, mark.x === spec.moment, color(curve.color), color("--panel"));
    }
  }
  ctx.restore();
}

/** A ring with whiskers; filled where it is the chosen one. */
function drawMark(plot: UPlot, mark: CurveMark, chosen: boolean, stroke: string, ground: string): void {
  const { ctx } = plot;
  const ratio = UPlot.pxRatio;
  const x = plot.valToPos(mark.x, "x", true);
  const y = plot.valToPos(mark.y, "y", true);
  ctx.strokeStyle = stroke;
  ctx.lineWidth = 1.5 * ratio;
  if (mark.low !== undefined && mark.high !== undefined) {
    const [low, high] = [plot.valToPos(mark.low, "y", true), plot.valToPos(mark.high, "y", true)];
    ctx.beginPath();
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    for (const end of [low, high]) {
      ctx.moveTo(x - 3 * ratio, end);
      ctx.lineTo(x + 3 * ratio, end);
    }
    ctx.stroke();
  }
  ctx.beginPath();
  ctx.arc(x, y, (chosen ? 5 : 3.5) * ratio, 0, 2 * Math.PI);
  ctx.fillStyle = chosen ? stroke : ground;
  ctx.fill();
  ctx.stroke();
}

/** A hex colour with less of itself. Other colours stay as they are. */
function withAlpha(color: string, alpha: number): string {
  return /^#[0-9a-f]{6}$/i.test(color)
    ? color +
        Math.round(alpha * 255)
          .toString(16)
          .padStart(2, "0")
    : `color-mix(in srgb, ${color} ${Math.round(alpha * 100)}%, transparent)`;
}
