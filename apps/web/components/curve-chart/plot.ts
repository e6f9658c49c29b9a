import { type Curve, type CurveWords, hasBand } from "./curve";

/** What a plot shows and how. */
export interface PlotSpec {
  readonly curves: readonly Curve[];
  readonly words: CurveWords;
  readonly scale: "linear" | "log";
  /** Ends of the vertical axis that are always shown. */
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** Ends of the horizontal axis that are always shown. */
  readonly xLow: number | undefined;
  readonly xHigh: number | undefined;
  /** Place that is marked by a line over the whole height. */
  readonly moment: number | undefined;
  /** Charts with the same key move their crosshairs together. */
  readonly syncKey: string | undefined;
  /** Id of the curve that stands out; the others fade. */
  readonly highlight: string | undefined;
}

/** A plot tells what happened to it. */
export interface PlotListener {
  /** The crosshair stands at a place, or nowhere. `left` is in CSS pixels from the left end of the chart. */
  onCrosshair(at: { readonly x: number; readonly left: number } | undefined): void;
  /** A place was clicked. */
  onPick(x: number): void;
  /** A part was enlarged, or the whole is shown again. */
  onZoom(zoomed: boolean): void;
}

/** A plot on the page. */
export interface CurvePlot {
  /** Shows other values of curves with the same make as before. */
  update(spec: PlotSpec): void;
  /** Moves the crosshair to a place. */
  point(x: number): void;
  showAll(): void;
  resize(): void;
  destroy(): void;
}

/** Two specs with different makes need different plots. */
export function plotMake({ curves, scale, syncKey }: PlotSpec): string {
  const makes = curves.map((curve) =>
    [curve.id, curve.color, curve.dash?.join("-"), curve.faint, curve.marksOnly, hasBand(curve)].join(","),
  );
  return [scale, syncKey, ...makes].join(";");
}

/** Whether this browser gives a canvas to draw on: where it does not, the words and the table are there. */
function canDraw(): boolean {
  return Boolean(document.createElement("canvas").getContext("2d"));
}

/** Makes a plot that fills `box`. What draws it is loaded with the first one; the spec is read after that. Throws where nothing can be drawn. */
export async function createPlot(box: HTMLElement, spec: () => PlotSpec, listener: PlotListener): Promise<CurvePlot> {
  if (!canDraw()) throw new Error("this browser gives no canvas to draw on");
  const { drawPlot } = await import("./draw-plot");
  return drawPlot(box, spec(), listener);
}
