"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { isObservationVersion } from "@rlmaze/episode-playback/observation";
import { policyDifference } from "@rlmaze/maze-canvas/policy-difference";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { useQuery } from "@tanstack/react-query";
import { ArrowLeftRight, Share2, SkipForward } from "lucide-react";
import { useTheme } from "next-themes";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCommands } from "@/components/shell/commands";
import { useReportStream, useServerConnection } from "@/components/shell/connection-provider";
import { usePageKeys } from "@/components/shell/page-keys";
import { drawnMaze } from "@/features/mazes/drawn-maze";
import { openShare, ShareButton } from "@/features/share/share-button";
import { type FirstAnswers, firstModels } from "@/lib/first-answers";
import { type Moment, modePaths } from "@/lib/moment-link";
import { modelsQuery } from "@/lib/queries";
import { useChosenMaze } from "@/lib/use-chosen-maze";
import { useKept } from "@/lib/use-kept";
import { contendersOf } from "./contenders";
import { DifferencePageLoading, DifferencePageView } from "./difference-page-view";
import type { DifferenceSession } from "./difference-session";
import { DIFFERENCE_SETTINGS_KEY, type DifferenceSettings } from "./difference-settings";
import { type CellChoices, choicesIn, disputedCells, summaryOf, type Verdict, verdicts } from "./disputes";
import { type LinkProblem, openedLink, settingsWith } from "./opened-link";
import { useDifferenceSession, useDifferenceState, useWaySnapshot } from "./use-difference-session";

type DifferencePageProps = { publicServerUrl: string; first: FirstAnswers };

const keptChoices = {
  key: DIFFERENCE_SETTINGS_KEY,
  parse: (text: string | null) => settingsWith(text, openedLink(window.location.search)),
  write: (settings: DifferenceSettings) => JSON.stringify(settings),
};

/** Step that is shown where no link says another one: the agent has some way behind it, so that memory matters. */
const FIRST_STEP = 12;

/** The difference page: fetches, owns the session, and hands everything to the view. */
export function DifferencePage({ publicServerUrl, first }: DifferencePageProps) {
  const [settings, changeSettings] = useKept(keptChoices);
  const session = useDifferenceSession(publicServerUrl);
  if (session === undefined || settings === undefined) return <DifferencePageLoading />;
  return <LivePage session={session} settings={settings} changeSettings={changeSettings} first={first} />;
}

type LivePageProps = {
  session: DifferenceSession;
  settings: DifferenceSettings;
  changeSettings: (change: Partial<DifferenceSettings>) => void;
  first: FirstAnswers;
};

function LivePage({ session, settings, changeSettings, first }: LivePageProps) {
  const { connection: server } = useServerConnection();
  const state = useDifferenceState(session);
  const snapshot = useWaySnapshot(session);
  const { playback } = session;
  const { resolvedTheme } = useTheme();

  const [link, setLink] = useState(() => openedLink(window.location.search));
  // Whatever a person changes makes the address of the link untrue.
  const change = useCallback(
    (part: Partial<DifferenceSettings>) => {
      window.history.replaceState(null, "", modePaths.difference);
      changeSettings(part);
    },
    [changeSettings],
  );

  const initialModels = useMemo(() => firstModels(first), [first]);
  const models = useQuery({
    ...modelsQuery,
    ...(initialModels === undefined ? {} : { initialData: initialModels }),
  });
  const modelList = useMemo(() => models.data ?? [], [models.data]);
  const contenders = useMemo(() => contendersOf(settings, modelList), [settings, modelList]);

  const [drawn] = useState(() =>
    link.moment !== undefined && "rows" in link.moment.maze ? drawnMaze(link.moment.maze.rows) : undefined,
  );
  const { maze, missing, setMaze, nextMaze } = useChosenMaze(settings, change, first, drawn);
  const linkProblem =
    link.problem ?? missingModel(link.moment, modelList, models.isSuccess) ?? missingMaze(link.moment, missing);

  // A seed that nobody gave is drawn once a visit, so that a link can name it.
  const [visitSeed] = useState(() => BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0));
  const seed = settings.seed === "" ? visitSeed : BigInt(settings.seed);

  // The step of a link holds for the first way that is walked.
  const firstStep = useRef(link.moment?.step ?? FIRST_STEP);
  const runnable =
    linkProblem === undefined && contenders !== undefined && isObservationVersion(contenders.b.observation);
  const [aId, bId] = [contenders?.a.modelId ?? "", contenders?.b.modelId ?? ""];
  const observation = contenders?.b.observation ?? "";
  const { sampling } = settings;
  useEffect(() => {
    if (!runnable || maze === undefined || !isObservationVersion(observation)) return;
    session.choose({ maze, a: aId, b: { modelId: bId, observation }, seed, sampling }, firstStep.current);
  }, [session, runnable, maze, aId, bId, observation, seed, sampling]);
  useEffect(() => {
    if (state.phase === "ready") firstStep.current = FIRST_STEP;
  }, [state.phase]);

  useReportStream(
    useMemo(() => ({ state: state.connection, retryNow: () => session.retryNow() }), [session, state.connection]),
  );
  const { refetch: refetchModels, isError: modelsFailed } = models;
  useEffect(() => {
    if (server.state === "connected" && modelsFailed) void refetchModels();
  }, [server.state, modelsFailed, refetchModels]);

  const [picked, setPicked] = useState<number | "none">();
  const [only, setOnly] = useState<Verdict>();
  const shownMaze = maze === undefined ? "" : mazeKey(maze);
  const [pickedIn, setPickedIn] = useState(shownMaze);
  if (pickedIn !== shownMaze) {
    setPickedIn(shownMaze);
    setPicked(undefined);
    setOnly(undefined);
  }
  const setSelected = useCallback((cell: number | undefined) => setPicked(cell ?? "none"), []);

  const { maps } = state;
  const { grid } = playback;
  const difference = useMemo(
    () => (maps === undefined || grid === undefined ? undefined : policyDifference(grid, maps.a, maps.b)),
    [maps, grid],
  );
  const summary = useMemo(
    () => (difference === undefined || grid === undefined ? undefined : summaryOf(grid, difference)),
    [difference, grid],
  );
  const choicesAt = useCallback(
    (cell: number) =>
      maps === undefined || grid === undefined || difference === undefined
        ? undefined
        : choicesIn(grid, maps, difference, cell),
    [maps, grid, difference],
  );
  const disputes = useMemo(
    () =>
      (difference === undefined ? [] : disputedCells(difference)).flatMap((cell) => {
        const choices = choicesAt(cell);
        return choices === undefined || (only !== undefined && choices.verdict !== only) ? [] : [choices];
      }),
    [difference, choicesAt, only],
  );

  // Until somebody picks a cell, the disputed one nearest to the agent is looked at.
  const nearest = useMemo(
    () =>
      grid === undefined || maps === undefined
        ? undefined
        : nearestTo(playback.positionAt(maps.atStep), grid.cols, disputes),
    [grid, maps, playback, disputes],
  );
  const selected = picked === "none" ? undefined : (picked ?? nearest);

  const view = useMemo<MazeView>(
    () => ({
      heat: "off",
      arrows: false,
      trail: settings.trail,
      rulers: true,
      stepsPerSecond: 0,
      reducedMotion: true,
      difference,
      selected,
    }),
    [settings.trail, difference, selected],
  );

  const show = useCallback(
    (step: number) => {
      if (state.phase !== "ready") return;
      window.history.replaceState(null, "", modePaths.difference);
      session.show(step);
    },
    [session, state.phase],
  );
  const next = useCallback(() => void nextMaze(), [nextMaze]);
  const swap = () => change({ a: bId, b: aId });
  const neighbour = (by: 1 | -1) => {
    const at = disputes.findIndex(({ cell }) => cell === selected);
    const to = at < 0 ? (by === 1 ? 0 : disputes.length - 1) : (at + by + disputes.length) % disputes.length;
    setSelected(disputes[to]?.cell);
  };
  const onlyNext = () => {
    const order: (Verdict | undefined)[] = [undefined, ...verdicts.filter((one) => (summary?.counts[one] ?? 0) > 0)];
    setOnly(order[(order.indexOf(only) + 1) % order.length]);
  };

  usePageKeys([
    { keys: ["arrowleft"], does: "One step back on the way of A", run: () => show(playback.shownStep - 1) },
    { keys: ["arrowright"], does: "One step on", run: () => show(playback.shownStep + 1) },
    { keys: ["home"], does: "Start of the way", run: () => show(0) },
    { keys: ["end"], does: "End of the way", run: () => show(playback.liveStep) },
    { keys: ["j", "arrowdown"], does: "Next cell where they differ", run: () => neighbour(1) },
    { keys: ["k", "arrowup"], does: "Cell before", run: () => neighbour(-1) },
    { keys: ["escape"], does: "No cell", run: () => setSelected(undefined) },
    { keys: ["f"], does: "List all, or only cells of one kind", run: onlyNext },
    { keys: ["x"], does: "Change sides", run: swap },
    { keys: ["t"], does: "Way of A", run: () => change({ trail: !settings.trail }) },
    { keys: ["n"], does: "Next maze", run: next },
    { keys: ["s"], does: "Share", run: openShare },
  ]);
  useCommands(() => [
    { id: "next-maze", group: "Maze", title: "Next maze", icon: SkipForward, key: "n", run: next },
    { id: "swap", group: "Model", title: "Change sides", icon: ArrowLeftRight, key: "x", run: swap },
    ...(["a", "b"] as const).map((side) => ({
      id: `model-${side}`,
      group: "Model" as const,
      title: `Model ${side.toUpperCase()}`,
      words: ["compare"],
      choices: () =>
        modelList.map((model) => ({
          id: `${side}-${model.modelId}`,
          group: "Model" as const,
          title: model.title || model.modelId,
          note: model.modelId,
          current: model.modelId === (side === "a" ? aId : bId),
          run: () => change(side === "a" ? { a: model.modelId, b: bId } : { a: aId, b: model.modelId }),
        })),
    })),
    { id: "share", group: "Share", title: "Share this moment", icon: Share2, key: "s", run: openShare },
  ]);

  const names = { a: contenders?.a.title || aId, b: contenders?.b.title || bId };
  const moment = (): Moment | undefined =>
    maze === undefined || contenders === undefined || state.phase !== "ready"
      ? undefined
      : {
          mode: "difference",
          lanes: [
            { policy: { modelId: aId }, sampling: settings.sampling },
            { policy: { modelId: bId }, sampling: "greedy" },
          ],
          maze: maze.mazeId === "" ? { rows: maze.rows } : { mazeId: maze.mazeId },
          seed,
          step: playback.shownStep,
        };
  const share = (
    <ShareButton
      compact
      variant="ghost"
      disabled={state.phase !== "ready" || linkProblem !== undefined}
      subject={() => {
        const shared = moment();
        return shared === undefined
          ? undefined
          : {
              moment: shared,
              picture: {
                playback,
                view,
                caption: { model: `${names.a} against ${names.b}`, maze: maze?.title || maze?.mazeId || "drawn maze" },
              },
              // A map belongs to one moment: there is nothing to animate.
              steps: 0,
            };
      }}
    />
  );

  return (
    <DifferencePageView
      availability={availabilityOf(models.isSuccess, models.isError, maze, contenders !== undefined, server.state)}
      linkProblem={linkProblem}
      onForgetLink={() => {
        setLink({});
        change(link.moment === undefined ? {} : { a: "", b: "" });
      }}
      models={modelList}
      names={names}
      a={aId}
      b={bId}
      maze={maze}
      playback={playback}
      snapshot={snapshot}
      session={state}
      summary={summary}
      disputes={disputes}
      choices={selected === undefined ? undefined : choicesAt(selected)}
      selected={selected}
      only={only}
      board={view}
      theme={resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME}
      settings={settings}
      onSettings={change}
      onMaze={setMaze}
      onModels={(wanted) => change({ a: wanted.a ?? aId, b: wanted.b ?? bId })}
      onSwap={swap}
      onSelect={setSelected}
      onOnly={setOnly}
      onStep={show}
      onNextMaze={next}
      onRetry={() => {
        session.retryNow();
        if (modelsFailed) void refetchModels();
      }}
      share={share}
    />
  );
}

/** The disputed cell with the fewest rows and columns between it and a cell; the first of equals. */
function nearestTo(cell: number, cols: number, disputes: readonly CellChoices[]): number | undefined {
  const [first] = disputes;
  if (first === undefined) return undefined;
  const away = ({ row, col }: CellChoices) => Math.abs(row - Math.floor(cell / cols)) + Math.abs(col - (cell % cols));
  return disputes.reduce((nearest, one) => (away(one) < away(nearest) ? one : nearest), first).cell;
}

/** Two mazes are the same when this text is. */
function mazeKey(maze: Maze): string {
  return maze.mazeId === "" ? maze.rows.join("/") : maze.mazeId;
}

/** A link may name a maze that this server does not have. */
function missingMaze(moment: Moment | undefined, missing: string | undefined): LinkProblem | undefined {
  if (moment === undefined || !("mazeId" in moment.maze) || moment.maze.mazeId !== missing) return undefined;
  return {
    kind: "unreadable",
    text: `It takes place in the maze ${missing}, which this server does not have. Choose another maze, or ask for a new link.`,
  };
}

/** A link may name a model that was taken away, or never was here. */
function missingModel(
  moment: Moment | undefined,
  models: readonly { modelId: string }[],
  known: boolean,
): LinkProblem | undefined {
  if (moment === undefined || !known) return undefined;
  for (const { policy } of moment.lanes) {
    if ("modelId" in policy && !models.some((model) => model.modelId === policy.modelId)) {
      return {
        kind: "unreadable",
        text: `It compares with the model ${policy.modelId}, which this server does not have. Choose other models, or ask for a new link.`,
      };
    }
  }
  return undefined;
}

function availabilityOf(
  modelsRead: boolean,
  modelsFailed: boolean,
  maze: Maze | undefined,
  hasContenders: boolean,
  server: string,
) {
  if (modelsRead && !hasContenders) return "too-few" as const;
  if ((modelsFailed || maze === undefined) && server !== "connected") return "server-away" as const;
  return maze !== undefined && modelsRead ? ("ready" as const) : ("loading" as const);
}
