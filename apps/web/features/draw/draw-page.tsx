"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTheme } from "next-themes";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useReportStream } from "@/components/shell/connection-provider";
import { openShare } from "@/features/share/share-button";
import type { ShareSubject } from "@/features/share/share-subject";
import { writeAddress } from "@/lib/address";
import { decodeMoment, holdsMoment, type Moment, type MomentLane, momentPath } from "@/lib/moment-link";
import { mazeQuery, modelsQuery } from "@/lib/queries";
import { useReducedMotion } from "@/lib/use-reduced-motion";
import { keepDraft, readDraft } from "./draft";
import { DrawPageLoading, DrawPageView } from "./draw-page-view";
import { createDrawSession, type DrawSession } from "./draw-session";
import type { DrawTool } from "./draw-tool";
import { type Drawing, drawingOf, fillAll, invert, paint, rowsOf, turn } from "./drawing";
import { fitsEditor } from "./drawing-size";
import { useServerVerdict } from "./server-verdict";
import { useDrawCommands } from "./use-draw-commands";

type DrawPageProps = { publicServerUrl: string };

/** The drawing page: makes the session out of the address or of what was left here, and hands everything to the view. */
export function DrawPage({ publicServerUrl }: DrawPageProps) {
  const [opened, setOpened] = useState<{ session: DrawSession; moment?: Moment; problem?: string }>();
  useEffect(() => {
    const params = new URLSearchParams(window.location.search);
    const link = holdsMoment(params) ? decodeMoment(params) : undefined;
    const session = createDrawSession(publicServerUrl, readDraft());
    const maze = link?.moment?.maze;
    // What was left here is one step back from what the link brings.
    if (maze !== undefined && "rows" in maze) session.editor.change("open a link", () => drawingOf(maze.rows));
    setOpened({
      session,
      ...(link?.moment === undefined ? {} : { moment: link.moment }),
      ...(link?.problem === undefined ? {} : { problem: link.problem }),
    });
    return () => {
      session.dispose();
      setOpened(undefined);
    };
  }, [publicServerUrl]);
  if (opened === undefined) return <DrawPageLoading />;
  return <LivePage {...opened} />;
}

const KEEP_MS = 300;
const greedyActive: MomentLane = { policy: { modelId: "" }, sampling: "greedy" };

function LivePage({
  session,
  moment,
  problem: linkProblem,
}: {
  session: DrawSession;
  moment?: Moment;
  problem?: string;
}) {
  const { editor, trial } = session;
  const state = useSyncExternalStore(editor.subscribe, editor.getState, editor.getState);
  const run = useSyncExternalStore(trial.subscribe, trial.getState, trial.getState);
  const { playback } = trial;
  const snapshot = useSyncExternalStore(playback.subscribe, playback.getSnapshot, playback.getSnapshot);
  const { drawing, facts } = state;
  const verdict = useServerVerdict(drawing);
  const models = useQuery(modelsQuery);
  const queryClient = useQueryClient();

  const [tool, setTool] = useState<DrawTool>("wall");
  const [lane, setLane] = useState<MomentLane>(moment?.lanes[0] ?? greedyActive);
  const [stepsPerSecond, setStepsPerSecond] = useState(16);
  const [runsAgain, setRunsAgain] = useState(false);
  const [showsWay, setShowsWay] = useState(false);
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState(linkProblem);
  const reducedMotion = useReducedMotion();
  const { resolvedTheme } = useTheme();

  const canRun = facts.solvable && !(verdict.state === "told" && !verdict.solvable);
  const start = useCallback(
    (who: MomentLane = lane) => {
      if (!editor.getState().facts.solvable) return;
      trial.start(editor.drawing, { lane: who, stepsPerSecond });
    },
    [editor, trial, lane, stepsPerSecond],
  );
  const toggleRun = useCallback(() => {
    if (trial.getState().activity === "running") trial.pause();
    else if (trial.getState().activity === "paused") trial.resume(stepsPerSecond);
    else start();
  }, [trial, start, stepsPerSecond]);

  const openMaze = useCallback(
    (maze: Pick<Maze, "rows" | "mazeId">, edit = "open another maze") => {
      if (!fitsEditor(maze.rows)) {
        setProblem("That maze is larger than 50 × 50, which is the largest that can be drawn.");
        return;
      }
      setProblem(undefined);
      editor.change(edit, () => drawingOf(maze.rows));
    },
    [editor],
  );

  useOpenedMoment(moment, session, openMaze, setProblem, queryClient);
  useKept(drawing, run.lane, snapshot, problem !== undefined);

  // Every change of the drawing ends the trial; on wish the next one starts once the hand rests.
  const { revision } = state;
  const ranAt = useRef(revision);
  useEffect(() => {
    if (!runsAgain || ranAt.current === revision || !canRun || verdict.state === "pending") return;
    ranAt.current = revision;
    start();
  }, [runsAgain, revision, canRun, verdict.state, start]);

  useReportStream(
    useMemo(() => ({ state: run.connection, retryNow: () => trial.retryNow() }), [run.connection, trial]),
  );

  const view = useMemo(
    () => ({
      heat: run.activity === "drawing" ? ("off" as const) : ("visits" as const),
      arrows: false,
      trail: true,
      rulers: true,
      stepsPerSecond,
      reducedMotion,
      agent: run.activity !== "drawing",
      shortestPath: showsWay ? ("start" as const) : ("off" as const),
    }),
    [stepsPerSecond, reducedMotion, run.activity, showsWay],
  );

  const actions = useMemo(
    () => ({
      undo: () => editor.undo(),
      redo: () => editor.redo(),
      clear: () => editor.change("clear", (before) => fillAll(before, "path")),
      fill: () => editor.change("fill", (before) => fillAll(before, "wall")),
      invert: () => editor.change("invert", invert),
      rotate: () => editor.change("rotate", (before) => turn(before, "rotate")),
      mirror: () => editor.change("mirror", (before) => turn(before, "mirror")),
      flip: () => editor.change("flip", (before) => turn(before, "flip")),
      openMissing: () =>
        editor.change("open a way", (before) => paint(before, editor.getState().facts.missing, "path")),
      openDrawing: (next: Drawing, edit: string) => editor.change(edit, () => next),
    }),
    [editor],
  );

  const subject = useCallback(
    (): ShareSubject => ({
      moment: momentOf(editor.drawing, trial.getState().lane, playback.getSnapshot()),
      picture: { playback, view },
      steps: playback.liveStep,
    }),
    [editor, trial, playback, view],
  );

  useDrawCommands({
    tool,
    setTool,
    toggleRun,
    running: run.activity === "running",
    share: openShare,
    toggleWay: () => setShowsWay((before) => !before),
    ...actions,
  });

  const linkTo = (mode: Moment["mode"]): string => {
    const active = models.data?.find((model) => model.active)?.modelId ?? "";
    const activeLane: MomentLane = { policy: { modelId: active }, sampling: "greedy" };
    const named = "modelId" in lane.policy && lane.policy.modelId === "" ? activeLane : lane;
    // Baselines run in a race; the other modes show what a network says.
    const first = mode === "race" || "modelId" in named.policy ? named : activeLane;
    const firstId = "modelId" in first.policy ? first.policy.modelId : "";
    const other = models.data?.find(({ modelId, state: ready }) => modelId !== firstId && ready === ModelState.READY);
    const second: MomentLane = { policy: { modelId: other?.modelId ?? active }, sampling: "greedy" };
    return momentPath({
      mode,
      lanes: mode === "watch" ? [first] : [first, second],
      maze: { rows: rowsOf(drawing) },
      seed: run.lane === undefined ? 0n : snapshot.seed,
      step: 0,
    });
  };

  return (
    <DrawPageView
      editor={editor}
      playback={playback}
      state={state}
      run={run}
      snapshot={snapshot}
      verdict={verdict}
      models={models.data ?? []}
      modelsFailed={models.isError}
      theme={resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME}
      view={view}
      tool={tool}
      onTool={setTool}
      lane={lane}
      onLane={(next) => {
        setLane(next);
        if (run.activity !== "drawing") start(next);
      }}
      stepsPerSecond={stepsPerSecond}
      onSpeed={(speed) => {
        setStepsPerSecond(speed);
        trial.setSpeed(speed);
      }}
      canRun={canRun}
      onRun={toggleRun}
      onRunAnew={() => start()}
      onClearRun={() => trial.clear()}
      runsAgain={runsAgain}
      onRunsAgain={(on) => {
        ranAt.current = on ? -1 : revision;
        setRunsAgain(on);
      }}
      showsWay={showsWay}
      onShowsWay={setShowsWay}
      problem={problem}
      onProblemSeen={() => setProblem(undefined)}
      said={said}
      onSay={setSaid}
      actions={actions}
      onOpenMaze={openMaze}
      subject={subject}
      linkTo={linkTo}
    />
  );
}

/** The moment that the page shows: the drawing, and the run in it if there is one. */
function momentOf(
  drawing: Drawing,
  lane: MomentLane | undefined,
  snapshot: { readonly seed: bigint; readonly shownStep: number },
): Moment {
  const named = lane !== undefined && !("modelId" in lane.policy && lane.policy.modelId === "");
  return {
    mode: "draw",
    lanes: named ? [lane] : [],
    maze: { rows: rowsOf(drawing) },
    seed: named ? snapshot.seed : 0n,
    step: named ? snapshot.shownStep : 0,
  };
}

/** Brings what a link asks for beside the drawing itself: a maze by its id, a run and its step. Once. */
function useOpenedMoment(
  moment: Moment | undefined,
  { editor, trial }: DrawSession,
  openMaze: (maze: Pick<Maze, "rows" | "mazeId">, edit?: string) => void,
  setProblem: (problem: string) => void,
  queryClient: ReturnType<typeof useQueryClient>,
): void {
  const done = useRef(false);
  useEffect(() => {
    if (moment === undefined || done.current) return;
    done.current = true;
    const run = () => {
      const [lane] = moment.lanes;
      if (lane === undefined || moment.step === 0 || !editor.getState().facts.solvable) return;
      trial.start(editor.drawing, { lane, seed: moment.seed, stepsPerSecond: 0, toStep: moment.step });
    };
    if ("rows" in moment.maze) {
      run();
      return;
    }
    const { mazeId } = moment.maze;
    queryClient.fetchQuery(mazeQuery(mazeId)).then(
      (maze) => {
        if (maze === undefined) return;
        openMaze(maze, "open a link");
        run();
      },
      () =>
        setProblem(`The maze of this link (${mazeId}) is not on this server. Draw another one, or ask for a new link.`),
    );
  }, [moment, editor, trial, openMaze, setProblem, queryClient]);
}

/** Writes the drawing into the address and into this browser when the hand rests. A link that could not be read stays as it is until it was seen. */
function useKept(
  drawing: Drawing,
  lane: MomentLane | undefined,
  snapshot: { readonly seed: bigint; readonly shownStep: number; readonly phase: string },
  held: boolean,
): void {
  const { seed, shownStep } = snapshot;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => {
      keepDraft(drawing);
      writeAddress(momentPath(momentOf(drawing, lane, { seed, shownStep })));
    }, KEEP_MS);
    return () => clearTimeout(timer);
  }, [drawing, lane, seed, shownStep, held]);
}
