import { signed } from "@/lib/format";

/** What is drawn. Index 0 of a line is the reward after step 1; before it stands 0 at step 0. */
export interface RewardPlot {
  readonly current: ArrayLike<number>;
  /** The episode before, for comparison. */
  readonly last: ArrayLike<number>;
  /** The moment that everything on the page shows. */
  readonly shownStep: number;
  /** Step under the pointer. */
  readonly pointedStep?: number | undefined;
}

/** Colours and type, as the theme says. */
export interface PlotLook {
  readonly line: string;
  readonly fill: string;
  readonly last: string;
  readonly grid: string;
  readonly text: string;
  readonly moment: string;
  readonly ground: string;
  readonly font: string;
}

/** Place of the plot in CSS pixels, and its scales. */
export interface PlotFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Step at the right end. */
  readonly steps: number;
  readonly low: number;
  readonly high: number;
}

const ROOM = { left: 54, right: 12, top: 10, bottom: 24 };
/** Few steps are not stretched over the whole width. */
const FEWEST_STEPS = 20;
/** Rewards closer together than this would make noise of nothing. */
const SMALLEST_REWARD = 0.1;

/** Lays the plot out: all steps of both lines, and zero, are on it. */
export function plotFrame(width: number, height: number, plot: RewardPlot): PlotFrame {
  let high = SMALLEST_REWARD;
  let low = -SMALLEST_REWARD;
  for (const line of [plot.current, plot.last]) {
    for (let at = 0; at < line.length; at++) {
      const reward = line[at] ?? 0;
      if (reward > high) high = reward;
      if (reward < low) low = reward;
    }
  }
  const air = (high - low) * 0.06;
  return {
    left: ROOM.left,
    top: ROOM.top,
    width: Math.max(1, width - ROOM.left - ROOM.right),
    height: Math.max(1, height - ROOM.top - ROOM.bottom),
    steps: Math.max(FEWEST_STEPS, plot.current.length, plot.last.length),
    low: low - air,
    high: high + air,
  };
}

/** The step at a place, within what has arrived. */
export function stepAt(frame: PlotFrame, x: number, arrived: number): number {
  return Math.min(arrived, Math.max(0, Math.round(((x - frame.left) / frame.width) * frame.steps)));
}

/** Round numbers between two ends, about `count` of them: 1, 2 or 5 times a power of ten apart. */
export function roundTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  // Counted in whole steps, so that no error adds up.
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) ticks.push(at * step + 0);
  return ticks;
}

/** Draws it into a context whose unit is a CSS pixel. */
export function drawRewardPlot(context: CanvasRenderingContext2D, frame: PlotFrame, plot: RewardPlot, look: PlotLook) {
  const x = (step: number) => frame.left + (step / frame.steps) * frame.width;
  const y = (reward: number) => frame.top + ((frame.high - reward) / (frame.high - frame.low)) * frame.height;
  const bottom = frame.top + frame.height;

  context.font = look.font;
  context.fillStyle = look.text;
  context.strokeStyle = look.grid;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const reward of roundTicks(frame.low, frame.high, frame.height / 36)) {
    line(context, frame.left, crisp(y(reward)), frame.left + frame.width, crisp(y(reward)));
    context.fillText(signed(reward, 2), frame.left - 6, y(reward));
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const step of roundTicks(0, frame.steps, frame.width / 72)) {
    line(context, crisp(x(step)), frame.top, crisp(x(step)), bottom);
    context.fillText(String(step), x(step), bottom + 6);
  }

  if (plot.last.length > 0) {
    context.strokeStyle = look.last;
    context.setLineDash([4, 4]);
    context.stroke(curve(plot.last, x, y, frame.width));
    context.setLineDash([]);
  }
  if (plot.current.length > 0) {
    const path = curve(plot.current, x, y, frame.width);
    const area = new Path2D(path);
    area.lineTo(x(plot.current.length), y(0));
    area.lineTo(x(0), y(0));
    const gradient = context.createLinearGradient(0, frame.top, 0, bottom);
    gradient.addColorStop(0, look.fill);
    gradient.addColorStop(1, "transparent");
    context.fillStyle = gradient;
    context.fill(area);
    context.strokeStyle = look.line;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke(path);
    context.lineWidth = 1;
    drawMoment(context, x(plot.shownStep), y(rewardAfter(plot.current, plot.shownStep)), frame, look);
  }

  const { pointedStep } = plot;
  if (pointedStep !== undefined && pointedStep <= plot.current.length) {
    const words = `step ${pointedStep}  ${signed(rewardAfter(plot.current, pointedStep), 2)}`;
    context.fillStyle = look.text;
    context.textBaseline = "top";
    context.textAlign = x(pointedStep) > frame.left + frame.width / 2 ? "right" : "left";
    context.fillText(words, x(pointedStep) + (context.textAlign === "right" ? -8 : 8), frame.top + 2);
    context.strokeStyle = look.text;
    line(context, crisp(x(pointedStep)), frame.top, crisp(x(pointedStep)), bottom);
  }
}

/** The moment: a line over the whole height, and a ring on the curve. */
function drawMoment(context: CanvasRenderingContext2D, x: number, y: number, frame: PlotFrame, look: PlotLook): void {
  context.strokeStyle = look.moment;
  context.globalAlpha = 0.55;
  line(context, crisp(x), frame.top, crisp(x), frame.top + frame.height);
  context.globalAlpha = 1;
  context.fillStyle = look.ground;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  context.lineWidth = 1;
}

function rewardAfter(rewards: ArrayLike<number>, step: number): number {
  return step === 0 ? 0 : (rewards[step - 1] ?? 0);
}

/** A line through all steps; where several fall on one pixel only the first of them counts, and the last step always. */
function curve(
  rewards: ArrayLike<number>,
  x: (step: number) => number,
  y: (reward: number) => number,
  width: number,
): Path2D {
  const path = new Path2D();
  path.moveTo(x(0), y(0));
  const stride = Math.max(1, Math.floor(rewards.length / Math.max(1, width)));
  for (let step = 1; step < rewards.length; step += stride) path.lineTo(x(step), y(rewards[step - 1] ?? 0));
  path.lineTo(x(rewards.length), y(rewardAfter(rewards, rewards.length)));
  return path;
}

function line(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}

/** The middle of a pixel, so that a line of one pixel is one pixel. */
function crisp(place: number): number {
  return Math.floor(place) + 0.5;
}
