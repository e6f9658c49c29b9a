"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { useQuery } from "@tanstack/react-query";
import { LayoutGrid, Pause, Play, Plus, RotateCcw, Share2, SkipForward } from "lucide-react";
import { useTheme } from "next-themes";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCommands } from "@/components/shell/commands";
import { useReportStream, useServerConnection } from "@/components/shell/connection-provider";
import { usePageKeys } from "@/components/shell/page-keys";
import { neighbourPreset, speedPresets } from "@/features/inference/speed";
import { drawnMaze } from "@/features/mazes/drawn-maze";
import { openShare, ShareButton } from "@/features/share/share-button";
import { type FirstAnswers, firstModels } from "@/lib/first-answers";
import { type Moment, type MomentLane, modePaths } from "@/lib/moment-link";
import { modelsQuery } from "@/lib/queries";
import { useChosenMaze } from "@/lib/use-chosen-maze";
import { useKept } from "@/lib/use-kept";
import { useReducedMotion } from "@/lib/use-reduced-motion";
import { contestantKey, contestantName, defaultLanes, MOST_LANES, nextContestant, problemOf } from "./contestant";
import { openedLink, settingsWith } from "./opened-link";
import { RacePageLoading, RacePageView } from "./race-page-view";
import type { RaceSession } from "./race-session";
import { parseRaceSettings, RACE_SETTINGS_KEY, type RaceSettings, writeRaceSettings } from "./race-settings";
import { raceSentence } from "./standings";
import { useRaceSession, useRaceSnapshot, useRaceState } from "./use-race-session";

type RacePageProps = { publicServerUrl: string; first: FirstAnswers };

const keptChoices = {
  key: RACE_SETTINGS_KEY,
  parse: (text: string | null) => settingsWith(text, openedLink(window.location.search)),
  write: writeRaceSettings,
};

/** The race page: fetches, owns the session, and hands everything to the view. */
export function RacePage({ publicServerUrl, first }: RacePageProps) {
  const [settings, changeSettings] = useKept(keptChoices);
  const session = useRaceSession(publicServerUrl, keptSpeed);
  if (session === undefined || settings === undefined) return <RacePageLoading />;
  return <LivePage session={session} settings={settings} changeSettings={changeSettings} first={first} />;
}

function keptSpeed(): number {
  try {
    return parseRaceSettings(localStorage.getItem(RACE_SETTINGS_KEY)).speed;
  } catch {
    return parseRaceSettings(null).speed;
  }
}

type LivePageProps = {
  session: RaceSession;
  settings: RaceSettings;
  changeSettings: (change: Partial<RaceSettings>) => void;
  first: FirstAnswers;
};

function LivePage({ session, settings, changeSettings, first }: LivePageProps) {
  const { connection: server } = useServerConnection();
  const state = useRaceState(session);
  const snapshot = useRaceSnapshot(session);
  const { playback } = session;
  const { resolvedTheme } = useTheme();
  const reducedMotion = useReducedMotion();

  const [link, setLink] = useState(() => openedLink(window.location.search));
  // Whatever a person changes makes the address of the link untrue.
  const leaveLink = useCallback(() => window.history.replaceState(null, "", modePaths.race), []);
  const change = useCallback(
    (part: Partial<RaceSettings>) => {
      if ("lanes" in part || "seed" in part || "mazeId" in part) leaveLink();
      changeSettings(part);
    },
    [changeSettings, leaveLink],
  );

  const initialModels = useMemo(() => firstModels(first), [first]);
  const models = useQuery({
    ...modelsQuery,
    ...(initialModels === undefined ? {} : { initialData: initialModels }),
  });
  const modelList = useMemo(() => models.data ?? [], [models.data]);
  const lanes = useMemo(
    () => settings.lanes ?? (models.isSuccess ? defaultLanes(modelList) : []),
    [settings.lanes, modelList, models.isSuccess],
  );
  const names = useMemo(() => lanes.map((lane) => contestantName(lane, modelList)), [lanes, modelList]);
  const problems = useMemo(
    () => lanes.map((lane) => (models.isSuccess ? problemOf(lane, modelList) : undefined)),
    [lanes, modelList, models.isSuccess],
  );

  const [drawn] = useState(() =>
    link.moment !== undefined && "rows" in link.moment.maze ? drawnMaze(link.moment.maze.rows) : undefined,
  );
  const { maze, missing, setMaze, nextMaze } = useChosenMaze(settings, change, first, drawn);
  const linkProblem = link.problem ?? missingMaze(link.moment, missing);

  // A seed that nobody gave is drawn once a visit, so that a link can name it.
  const [visitSeed] = useState(() => BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0));
  const seed = settings.seed === "" ? visitSeed : BigInt(settings.seed);

  const runnable =
    linkProblem === undefined &&
    maze !== undefined &&
    models.isSuccess &&
    lanes.length > 0 &&
    problems.every((problem) => problem === undefined);

  // A changed choice starts: a person who exchanges a lane wants to see it run. A link goes to its step and stays there.
  const firstStep = useRef(link.moment?.step);
  const chosen = useRef("");
  const key = [maze === undefined ? "" : mazeKey(maze), seed, ...lanes.map(contestantKey)].join(" ");
  useEffect(() => {
    if (!runnable || maze === undefined || chosen.current === key) return;
    chosen.current = key;
    session.choose({ maze, lanes, seed });
    const step = firstStep.current;
    firstStep.current = undefined;
    if (step === undefined) session.play();
    else session.goTo(step);
  }, [session, runnable, maze, lanes, seed, key]);

  useReportStream(
    useMemo(() => ({ state: state.connection, retryNow: () => session.retryNow() }), [session, state.connection]),
  );
  const { refetch: refetchModels, isError: modelsFailed } = models;
  useEffect(() => {
    if (server.state === "connected" && modelsFailed) void refetchModels();
  }, [server.state, modelsFailed, refetchModels]);

  const view = useMemo<MazeView>(
    () => ({
      heat: "visits",
      arrows: false,
      trail: settings.trail,
      rulers: false,
      stepsPerSecond: state.stepsPerSecond,
      reducedMotion,
    }),
    [settings.trail, state.stepsPerSecond, reducedMotion],
  );

  const setLanes = (changed: readonly MomentLane[]) => change({ lanes: changed });
  const addLane = () => {
    if (lanes.length < MOST_LANES) setLanes([...lanes, nextContestant(lanes, modelList)]);
  };
  // On an earlier step only a play from memory moves what is shown, whatever the stream does.
  const moving = snapshot.mode === "replay" || (snapshot.following && state.activity === "running");
  const next = useCallback(() => void nextMaze(), [nextMaze]);
  const actions = {
    play: () => {
      leaveLink();
      session.play();
    },
    stop: () => session.stop(),
    reset: () => session.reset(),
    step: () => session.step(),
    back: () => session.back(),
    next,
    show: (step: number) => session.show(step),
    live: () => session.live(),
    speed: (stepsPerSecond: number) => {
      session.setSpeed(stepsPerSecond);
      change({ speed: stepsPerSecond });
    },
    retry: () => {
      session.retryNow();
      if (modelsFailed) void refetchModels();
    },
  };
  const playOrStop = () => (moving ? actions.stop() : runnable && actions.play());

  usePageKeys([
    { keys: [" "], does: "Play or stop", run: playOrStop },
    { keys: ["arrowright"], does: "Single step", run: () => runnable && actions.step() },
    { keys: ["arrowleft"], does: "One step back", run: actions.back },
    { keys: ["home"], does: "To the start", run: () => actions.show(0) },
    { keys: ["l", "end"], does: "Return to the newest step", run: actions.live },
    { keys: ["arrowup"], does: "Faster", run: () => actions.speed(neighbourPreset(state.stepsPerSecond, 1)) },
    { keys: ["arrowdown"], does: "Slower", run: () => actions.speed(neighbourPreset(state.stepsPerSecond, -1)) },
    {
      keys: ["1", "2", "3", "4", "5"],
      does: "Speed 1, 4, 16, 64, Max",
      run: (pressed) => actions.speed(speedPresets[Number(pressed) - 1]?.stepsPerSecond ?? state.stepsPerSecond),
    },
    { keys: ["r"], does: "Reset to the start", run: actions.reset },
    { keys: ["n"], does: "Next maze", run: next },
    { keys: ["a"], does: "Add a lane", group: "Lanes and boards", run: addLane },
    {
      keys: ["g"],
      does: "A board for each, or one for all",
      group: "Lanes and boards",
      run: () => change({ layout: settings.layout === "grid" ? "together" : "grid" }),
    },
    {
      keys: ["m"],
      does: "Distance or reward",
      group: "Lanes and boards",
      run: () => change({ measure: settings.measure === "distance" ? "reward" : "distance" }),
    },
    { keys: ["t"], does: "Trail", group: "Lanes and boards", run: () => change({ trail: !settings.trail }) },
    { keys: ["s"], does: "Share", group: "Lanes and boards", run: openShare },
  ]);
  useCommands(() => [
    {
      id: "play",
      group: "Playback",
      title: moving ? "Stop" : "Play",
      icon: moving ? Pause : Play,
      key: " ",
      disabled: !runnable,
      run: playOrStop,
    },
    { id: "reset", group: "Playback", title: "Reset to the start", icon: RotateCcw, key: "r", run: actions.reset },
    ...speedPresets.map((preset) => ({
      id: `speed-${preset.value}`,
      group: "Speed" as const,
      title: preset.name,
      current: preset.stepsPerSecond === state.stepsPerSecond,
      run: () => actions.speed(preset.stepsPerSecond),
    })),
    { id: "next-maze", group: "Maze", title: "Next maze", icon: SkipForward, key: "n", run: next },
    {
      id: "add-lane",
      group: "Model",
      title: "Add a lane",
      icon: Plus,
      key: "a",
      disabled: lanes.length >= MOST_LANES,
      run: addLane,
    },
    {
      id: "default-lanes",
      group: "Model",
      title: "The usual four lanes",
      words: ["default", "reset"],
      run: () => setLanes(defaultLanes(modelList)),
    },
    {
      id: "layout",
      group: "View",
      title: settings.layout === "grid" ? "All agents on one board" : "A board for each lane",
      icon: LayoutGrid,
      key: "g",
      run: () => change({ layout: settings.layout === "grid" ? "together" : "grid" }),
    },
    { id: "share", group: "Share", title: "Share this moment", icon: Share2, key: "s", run: openShare },
  ]);

  const moment = (): Moment | undefined =>
    maze === undefined || lanes.length === 0
      ? undefined
      : {
          mode: "race",
          lanes,
          maze: maze.mazeId === "" ? { rows: maze.rows } : { mazeId: maze.mazeId },
          seed,
          step: playback.shownStep,
        };
  const allEnded = snapshot.lanes.length > 0 && snapshot.lanes.every((lane) => lane.ended);
  const sentence = allEnded
    ? raceSentence(
        snapshot.lanes.map((lane) => ({
          ...lane,
          steps: lane.playback.shownStep,
          toGoal: lane.playback.regret.distance,
        })),
        names,
        snapshot.shortestPath,
      )
    : "";

  return (
    <RacePageView
      availability={availabilityOf(models.isError, maze, runnable, lanes.length > 0, server.state)}
      linkProblem={linkProblem}
      onForgetLink={() => {
        setLink({});
        leaveLink();
      }}
      models={modelList}
      lanes={lanes}
      names={names}
      problems={problems}
      maze={maze}
      race={playback}
      snapshot={snapshot}
      session={state}
      moving={moving}
      sentence={sentence}
      board={view}
      theme={resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME}
      settings={settings}
      onSettings={change}
      onLanes={setLanes}
      onAddLane={addLane}
      onMaze={setMaze}
      actions={actions}
      share={
        <ShareButton
          compact
          variant="ghost"
          disabled={!runnable}
          onOpen={() => {
            session.stop();
            // The agents arrive at the newest step at once: what is shared is what stays on the page.
            if (playback.following) playback.follow();
          }}
          subject={() => {
            const shared = moment();
            const [source] = playback.lanes;
            if (shared === undefined || source === undefined) return undefined;
            const all = playback.lanes.map((steps) => ({ steps }));
            return {
              moment: shared,
              // One board with all agents, whatever the boards on the page show.
              picture: { playback: source, lanes: all, view: { ...view, heat: "off" } },
              steps: playback.liveStep,
            };
          }}
        />
      }
    />
  );
}

/** A link may name a maze that this server does not have. */
function missingMaze(moment: Moment | undefined, missing: string | undefined): string | undefined {
  return moment !== undefined && "mazeId" in moment.maze && moment.maze.mazeId === missing
    ? `It takes place in the maze ${missing}, which this server does not have. Choose another maze, or ask for a new link.`
    : undefined;
}

/** Two mazes are the same when this text is. */
function mazeKey(maze: Maze): string {
  return maze.mazeId === "" ? maze.rows.join("/") : maze.mazeId;
}

function availabilityOf(
  modelsFailed: boolean,
  maze: Maze | undefined,
  runnable: boolean,
  hasLanes: boolean,
  server: string,
) {
  if (runnable) return "ready" as const;
  if ((modelsFailed || maze === undefined) && server !== "connected") return "server-away" as const;
  return maze !== undefined && hasLanes ? ("refused" as const) : ("loading" as const);
}
