import { create } from "@bufbuild/protobuf";
import { type Step, StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { EpisodeStartedSchema } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { createMazeCanvas } from "@rlmaze/maze-canvas/maze-canvas";
import { DARK_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { type Course, courseOf } from "./course";
import { startDomGrid } from "./dom-grid";

/** One contestant: takes the steps one by one, as they arrive. */
export interface Contestant {
  /** Takes step number `at` (from 0) of a lane. */
  step(lane: number, at: number): void;
}

/** What one turn is. */
export interface Turn {
  readonly contestant: "ours" | "peer" | "peer-rows";
  /** Rows and columns of the maze. */
  readonly size: number;
  readonly lanes: number;
  /** Of all lanes together. */
  readonly stepsPerSecond: number;
  readonly seconds: number;
  /** Messages a second; 0 is one for each step. */
  readonly messagesPerSecond: number;
}

/** What the page itself saw of a turn. */
export interface Seen {
  readonly steps: number;
  /** From the first step to the frame after the last one, in milliseconds. */
  readonly wallMs: number;
  /** Frames that were drawn in that time. */
  readonly frames: number;
}

/** CSS pixels that the maze gets, as on a page 1,440 wide. */
const SIDE = 660;

const message = (course: Course, at: number): Step => {
  const { cell, action, hitWall } = course.steps[at] ?? { cell: 0, action: 0, hitWall: false };
  const position = { row: Math.floor(cell / course.size), col: cell % course.size };
  return create(StepSchema, { index: at + 1, action: action + 1, hitWall, position, reward: -0.01 });
};

function startCanvas(courses: readonly Course[], place: HTMLElement): Contestant {
  const playbacks = courses.map((course, lane): EpisodePlayback => {
    const playback = createEpisodePlayback();
    const maze = { mazeId: "course", rows: [...course.rows], shortestPath: 0, maxSteps: 20_000 };
    playback.onStarted(
      create(EpisodeStartedSchema, { episodeId: `lane ${lane}`, firstStep: 1, maxSteps: 20_000, maze }),
    );
    return playback;
  });
  const [first] = playbacks;
  if (!first) throw new Error("no lane");
  // Messages are made before the clock runs, as a decoder would hand them over; the peer gets its steps ready made as well.
  const messages = courses.map((course) => course.steps.map((_, at) => message(course, at)));
  const canvases = ["board", "actor"].map(() => {
    const canvas = document.createElement("canvas");
    canvas.style.position = "absolute";
    place.append(canvas);
    return canvas as HTMLCanvasElement;
  });
  const [board, actor] = canvases;
  if (!board || !actor) throw new Error("no canvas");
  const canvas = createMazeCanvas({
    board,
    actor,
    playback: first,
    theme: DARK_MAZE_THEME,
    view: {
      heat: courses.length > 1 ? "off" : "visits",
      arrows: false,
      trail: true,
      rulers: true,
      stepsPerSecond: 0,
      reducedMotion: false,
    },
    lanes: courses.length > 1 ? playbacks.map((steps) => ({ steps })) : undefined,
    clock: {
      advance: (time) => {
        for (const playback of playbacks) playback.advance(time);
      },
      setGlide: (ms) => {
        for (const playback of playbacks) playback.setGlide(ms);
      },
    },
  });
  canvas.resize(SIDE, SIDE);
  canvas.start();
  return {
    step: (lane, at) => {
      const step = messages[lane]?.[at];
      if (step) playbacks[lane]?.onSteps([step], performance.now());
    },
  };
}

/**
 * Sends step numbers at an even pace from a thread of its own, so that a busy page is not spared. It sleeps by `Atomics.wait`: timers fire every
 * four milliseconds at best, and four steps at once would be merged into one by React, which steps that come one by one are not.
 */
const SENDER = `onmessage = ({ data: { total, stepsPerSecond, messagesPerSecond } }) => {
  const bed = new Int32Array(new SharedArrayBuffer(4));
  const messages = messagesPerSecond > 0 ? messagesPerSecond : stepsPerSecond;
  const began = performance.now();
  let sent = 0;
  for (let message = 1; sent < total; message++) {
    const due = began + (1000 * message) / messages;
    while (performance.now() < due) Atomics.wait(bed, 0, 0, due - performance.now());
    const last = Math.min(total, Math.floor((message * stepsPerSecond) / messages));
    postMessage([sent, last]);
    sent = last;
  }
};`;

const nextFrame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));

let contestant: Contestant | undefined;
let courses: readonly Course[] = [];

/** Puts a contestant on the page and lets it draw its first frames. */
async function prepare(turn: Turn): Promise<void> {
  const place = document.createElement("div");
  place.style.cssText = `position:relative;width:${SIDE}px;height:${SIDE}px`;
  document.body.append(place);
  const total = Math.round(turn.seconds * turn.stepsPerSecond);
  courses = Array.from({ length: turn.lanes }, (_, lane) => courseOf(turn.size, Math.ceil(total / turn.lanes), lane));
  contestant =
    turn.contestant === "ours"
      ? startCanvas(courses, place)
      : startDomGrid(courses, place, turn.contestant === "peer-rows");
  for (let frame = 0; frame < 30; frame++) await nextFrame();
}

/** Runs the turn that was prepared. */
async function run(turn: Turn): Promise<Seen> {
  const taker = contestant;
  if (!taker) throw new Error("nothing was prepared");
  const total = Math.round(turn.seconds * turn.stepsPerSecond);
  const sender = new Worker(URL.createObjectURL(new Blob([SENDER], { type: "text/javascript" })));
  let isOver = false;
  let frames = 0;
  const count = (): void => {
    frames += 1;
    if (!isOver) requestAnimationFrame(count);
  };
  const began = await nextFrame();
  requestAnimationFrame(count);
  await new Promise<void>((resolve) => {
    sender.onmessage = ({ data: [from, to] }: MessageEvent<[number, number]>) => {
      for (let at = from; at < to; at++) taker.step(at % turn.lanes, Math.floor(at / turn.lanes));
      if (to === total) resolve();
    };
    sender.postMessage({ total, stepsPerSecond: turn.stepsPerSecond, messagesPerSecond: turn.messagesPerSecond });
  });
  // The last step is drawn with the next frame.
  await nextFrame();
  const ended = await nextFrame();
  isOver = true;
  sender.terminate();
  return { steps: total, wallMs: ended - began, frames };
}

declare global {
  interface Window {
    turn: { prepare: typeof prepare; run: typeof run };
  }
}
window.turn = { prepare, run };
