"use client";

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { GetStatusResponseSchema } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { estimateClockOffset } from "@rlmaze/api-client/clock-offset";
import { GLIDE_MS } from "@rlmaze/episode-playback/viewer-clock";
import type { HeatScale, MazeView } from "@rlmaze/maze-canvas/maze-canvas";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { useQuery } from "@tanstack/react-query";
import { useTheme } from "next-themes";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useReportStream, useServerConnection } from "@/components/shell/connection-provider";
import { drawnMaze } from "@/features/mazes/drawn-maze";
import { ShareButton } from "@/features/share/share-button";
import { momentLine } from "@/features/share/share-subject";
import { getMessage } from "@/lib/bff";
import { type FirstAnswers, firstModels, firstShowcase } from "@/lib/first-answers";
import type { Moment } from "@/lib/moment-link";
import { modelsQuery } from "@/lib/queries";
import { useChosenMaze } from "@/lib/use-chosen-maze";
import { useReducedMotion } from "@/lib/use-reduced-motion";
import type { LinkNote } from "./board-line";
import { captionOf } from "./caption";
import { cellFacts } from "./cell-facts";
import { actingModel, canRun, choiceKey, choiceOf } from "./choice";
import type { EpisodeSession } from "./episode-session";
import { InferencePageLoading, InferencePageView } from "./inference-page-view";
import { openedLink } from "./opened-link";
import { defaultSettings, type InferenceSettings, parseSettings, SETTINGS_KEY } from "./settings";
import { spokenState } from "./spoken";
import { useAddress } from "./use-address";
import { useEpisodeSession, usePlaybackSnapshot, useSessionState } from "./use-episode-session";
import { useForever, useMoments } from "./use-moments";
import { usePerception } from "./use-perception";
import { useIsPhone } from "./use-phone";
import { useSettings } from "./use-settings";
import { useSpoken } from "./use-spoken";
import { useStale } from "./use-stale";
import { useWatchKeys } from "./use-watch-keys";

type InferencePageProps = { publicServerUrl: string; first: FirstAnswers };

/** Seconds between the end of an episode and the next maze. */
const NEXT_MAZE_S = 5;

/** The page on which one agent is watched: fetches, owns the session, and hands everything to the view. */
export function InferencePage({ publicServerUrl, first }: InferencePageProps) {
  const [settings, changeSettings] = useSettings();
  const session = useEpisodeSession(publicServerUrl, keptSpeed);
  if (session === undefined || settings === undefined) return <InferencePageLoading caption={firstCaption(first)} />;
  return <LivePage session={session} settings={settings} changeSettings={changeSettings} first={first} />;
}

/** What a first visit will see, in words that are there with the first paint. */
function firstCaption(first: FirstAnswers): string {
  return captionOf(actingModel(defaultSettings, firstModels(first) ?? []), firstShowcase(first)?.mazes[0]);
}

function keptSpeed(): number {
  try {
    return parseSettings(localStorage.getItem(SETTINGS_KEY)).defaultSpeed;
  } catch {
    return parseSettings(null).defaultSpeed;
  }
}

type LivePageProps = {
  session: EpisodeSession;
  settings: InferenceSettings;
  changeSettings: (change: Partial<InferenceSettings>) => void;
  first: FirstAnswers;
};

function LivePage({ session, settings, changeSettings, first }: LivePageProps) {
  const { connection: server } = useServerConnection();
  const state = useSessionState(session);
  const snapshot = usePlaybackSnapshot(session);
  const { playback } = session;

  const models = useModels(first);
  const [link] = useState(() => openedLink(window.location.search));
  const [drawn] = useState(() =>
    link.moment !== undefined && "rows" in link.moment.maze ? drawnMaze(link.moment.maze.rows) : undefined,
  );
  const { maze, setMaze, nextMaze } = useChosenMaze(settings, changeSettings, first, drawn);
  const modelList = useMemo(() => models.data ?? [], [models.data]);
  const model = actingModel(settings, modelList);
  const runnable = maze !== undefined && canRun(model);

  // A model that was kept in this browser or stands in a link and is not on the server, or broken by now, makes way for the active one.
  const choiceLost = models.isSuccess && settings.modelId !== "" && !canRun(model);
  useEffect(() => {
    if (choiceLost) changeSettings({ modelId: "" });
  }, [choiceLost, changeSettings]);

  // A changed choice shows its maze and starts: a person who picks something wants to see it. A link shows its moment and rests there.
  const key = choiceKey(settings, maze);
  const chosen = useRef("");
  const unopened = useRef(link.moment);
  const activeId = model?.modelId ?? "";
  useEffect(() => {
    const wanted = `${key} ${activeId}`;
    if (maze === undefined || chosen.current === wanted) return;
    if (unopened.current !== undefined && !runnable) return;
    chosen.current = wanted;
    session.choose(choiceOf(settings, maze));
    const moment = unopened.current;
    unopened.current = undefined;
    if (moment !== undefined && !link.plays && isChosen(moment, settings, maze)) session.open(moment.step);
    else if (runnable) session.play();
  }, [session, key, activeId, maze, settings, runnable, link]);

  useClockOffset(session, server.state === "connected");
  const [pointed, setPointed] = useState<number>();
  const [selected, setSelected] = useSelectedCell(snapshot.mazeId);
  usePolicyMap(session, runnable, settings, snapshot.shownStep, state.activity, maze, selected !== undefined);
  useReportStream(
    useMemo(() => ({ state: state.connection, retryNow: () => session.retryNow() }), [session, state.connection]),
  );

  // Models that could not be read are read again when the server is back.
  const { refetch: refetchModels, isError: modelsFailed } = models;
  useEffect(() => {
    if (server.state === "connected" && modelsFailed) void refetchModels();
  }, [server.state, modelsFailed, refetchModels]);

  const reducedMotion = useReducedMotion();
  useEffect(() => {
    if (reducedMotion) playback.setGlide(0);
    else playback.setGlide(GLIDE_MS);
  }, [playback, reducedMotion]);

  const next = useCallback(() => void nextMaze(), [nextMaze]);
  const { nextIn, stay } = useNextMaze(
    state.activity === "finished" && snapshot.following && settings.autoNext && runnable && link.moment === undefined,
    state.episodes,
    next,
  );

  const [heatScale, setHeatScale] = useState<HeatScale>();
  const { resolvedTheme } = useTheme();
  const { loop } = snapshot;
  const view = useMemo<MazeView>(
    () => ({
      heat: settings.heat,
      arrows: settings.arrows,
      trail: settings.trail,
      rulers: true,
      stepsPerSecond: state.stepsPerSecond,
      reducedMotion,
      shortestPath: settings.shortestPath ? "shown" : "off",
      worseSteps: settings.worseSteps,
      cycle: loop?.cells,
      fog: settings.fog,
      window: true,
      selected,
    }),
    [settings, state.stepsPerSecond, reducedMotion, loop, selected],
  );

  // On an earlier step only a play from memory moves what is shown, whatever the stream does.
  const moving = snapshot.mode === "replay" || (snapshot.following && state.activity === "running");
  const actions = useMemo(
    () => ({
      play: () => session.play(),
      again: () => {
        session.live();
        session.play();
      },
      stop: () => session.stop(),
      reset: () => session.reset(),
      back: () => session.stepBy(-1),
      forward: () => session.step(),
      live: () => session.live(),
      show: (step: number) => session.show(step),
      speed: (stepsPerSecond: number) => session.setSpeed(stepsPerSecond),
      retry: () => session.retryNow(),
    }),
    [session],
  );

  const { events, previousEvent, nextEvent, worse, optimal } = useMoments(playback, snapshot);
  const forever = useForever(playback, snapshot, settings.sampling === "greedy");
  const {
    perception,
    turn,
    set,
    reset: resetFlips,
  } = usePerception(session, snapshot, model?.observation ?? "", runnable);

  const moment = (): Moment | undefined =>
    maze === undefined || activeId === ""
      ? undefined
      : {
          mode: "watch",
          lanes: [
            {
              policy: { modelId: snapshot.modelId || activeId },
              sampling: settings.sampling === "greedy" ? "greedy" : { temperature: settings.temperature },
            },
          ],
          maze: maze.mazeId === "" ? { rows: maze.rows } : { mazeId: maze.mazeId },
          seed: snapshot.episodeId === "" ? BigInt(settings.seed || 0) : snapshot.seed,
          step: playback.shownStep,
        };
  useAddress(!moving && snapshot.liveStep > 0 ? moment() : undefined, moving);

  useWatchKeys({
    actions: { ...actions, next },
    playback,
    moving,
    runnable,
    stepsPerSecond: state.stepsPerSecond,
    settings,
    changeSettings,
    models: modelList,
    escape: () => {
      setSelected(undefined);
      resetFlips();
    },
  });

  const note = useLinkNote(link.problem, link.moment, settings, maze, models.isSuccess);
  const spoken = useSpoken(spokenState(state.activity, snapshot), `${snapshot.mode} ${state.activity} ${loop?.since}`);
  const staleMs = useStale(session, state.activity === "running" && state.connection.kind === "connected");
  const isPhone = useIsPhone();
  const cell = pointed ?? selected;
  return (
    <InferencePageView
      playback={playback}
      snapshot={snapshot}
      session={state}
      board={view}
      heatScale={heatScale}
      theme={resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME}
      onHeat={setHeatScale}
      facts={cell === undefined ? undefined : cellFacts(playback, cell)}
      onCell={setPointed}
      selected={selected}
      onSelect={setSelected}
      perception={perception}
      onTurn={turn}
      onSet={set}
      onResetFlips={resetFlips}
      caption={captionOf(model, maze)}
      link={note}
      staleMs={staleMs}
      events={events}
      previousEvent={previousEvent}
      nextEvent={nextEvent}
      worse={worse}
      optimal={optimal}
      forever={forever}
      spoken={spoken}
      availability={availabilityOf(
        models.isSuccess,
        models.isError,
        maze !== undefined,
        model !== undefined,
        server.state,
      )}
      models={modelList}
      model={model}
      maze={maze}
      settings={settings}
      onSettings={changeSettings}
      onMaze={setMaze}
      actions={{ ...actions, forward: runnable ? actions.forward : noop, next }}
      nextIn={nextIn}
      onStay={stay}
      isPhone={isPhone}
      share={
        <ShareButton
          compact
          variant="ghost"
          disabled={maze === undefined || activeId === ""}
          onOpen={() => session.hold()}
          subject={() => {
            const shared = moment();
            return shared && { moment: shared, picture: { playback, view }, steps: snapshot.liveStep };
          }}
        />
      }
    />
  );
}

const noop = () => {};

/** Whether the choices are those of a link: what the server does not have has made way for something else. */
function isChosen(moment: Moment, settings: InferenceSettings, maze: Maze): boolean {
  const policy = moment.lanes[0]?.policy;
  const sameModel = policy !== undefined && "modelId" in policy && policy.modelId === settings.modelId;
  return sameModel && ("rows" in moment.maze ? maze.mazeId === "" : moment.maze.mazeId === maze.mazeId);
}

/** What to say about the link that the page was opened by, until it is dismissed or something else is chosen. */
function useLinkNote(
  problem: string | undefined,
  moment: Moment | undefined,
  settings: InferenceSettings,
  maze: Maze | undefined,
  modelsKnown: boolean,
): LinkNote | undefined {
  const [closed, setClosed] = useState(false);
  const [opened, setOpened] = useState<"yes" | "lost">();
  const fits = moment !== undefined && maze !== undefined && modelsKnown && isChosen(moment, settings, maze);
  if (opened === undefined && moment !== undefined && maze !== undefined && modelsKnown)
    setOpened(fits ? "yes" : "lost");
  if (closed) return undefined;
  const onClose = () => setClosed(true);
  if (problem !== undefined) return { kind: "problem", text: `${problem} The normal page is shown instead.`, onClose };
  if (moment === undefined || opened === undefined) return undefined;
  if (opened === "lost") {
    return {
      kind: "problem",
      text: `This server does not have the model or the maze of this link (${momentLine(moment)}). Another one runs instead.`,
      onClose,
    };
  }
  if (!fits) return undefined;
  return { kind: "opened", text: `From a link, paused: ${momentLine(moment)}. Play goes on from there.`, onClose };
}

/** The cell that was chosen; another maze lets go of it. */
function useSelectedCell(mazeId: string) {
  const [kept, setKept] = useState<{ mazeId: string; cell: number | undefined }>({ mazeId, cell: undefined });
  return [
    kept.mazeId === mazeId ? kept.cell : undefined,
    useCallback((cell: number | undefined) => setKept({ mazeId, cell }), [mazeId]),
  ] as const;
}

/** Why nothing can run; `ready` when something can. */
function availabilityOf(
  modelsRead: boolean,
  modelsFailed: boolean,
  hasMaze: boolean,
  hasModel: boolean,
  server: string,
) {
  if (modelsRead && !hasModel && hasMaze) return "no-model" as const;
  if ((modelsFailed || !hasMaze) && server !== "connected") return "server-away" as const;
  return hasMaze && modelsRead ? ("ready" as const) : ("loading" as const);
}

function useModels(first: FirstAnswers) {
  const initial = useMemo(() => firstModels(first), [first]);
  return useQuery({ ...modelsQuery, ...(initial === undefined ? {} : { initialData: initial }) });
}

/** Counts down to the next maze while `armed`; `stay` cancels it for this episode. */
function useNextMaze(armed: boolean, episode: number, next: () => void) {
  const [left, setLeft] = useState<number>();
  const [stayed, setStayed] = useState(0);
  const counting = armed && stayed !== episode;
  useEffect(() => {
    if (!counting) {
      setLeft(undefined);
      return;
    }
    let seconds = NEXT_MAZE_S;
    setLeft(seconds);
    const timer = setInterval(() => {
      // Whoever is choosing in a dialog or a list is not carried away.
      if (document.querySelector("[role=dialog], [role=listbox]") !== null) return;
      seconds -= 1;
      if (seconds > 0) setLeft(seconds);
      else {
        clearInterval(timer);
        setLeft(undefined);
        next();
      }
    }, 1000);
    return () => clearInterval(timer);
  }, [counting, next]);
  return { nextIn: left, stay: useCallback(() => setStayed(episode), [episode]) };
}

/** Estimates the difference of the clocks once the server answers, for the stream delay. */
function useClockOffset(session: EpisodeSession, connected: boolean): void {
  useEffect(() => {
    if (!connected) return;
    const stop = new AbortController();
    estimateClockOffset({
      ping: async (signal) => {
        const status = await getMessage(GetStatusResponseSchema, "/api/health", signal);
        return status.serverTs ? timestampMs(status.serverTs) : Number.NaN;
      },
      signal: stop.signal,
    }).then(
      ({ offsetMs }) => {
        if (Number.isFinite(offsetMs)) session.setClockOffset(offsetMs);
      },
      // Without an estimate the delay is shown uncorrected, which is right where both clocks are of one machine.
      () => {},
    );
    return () => stop.abort();
  }, [session, connected]);
}

/** Sees to it that the policy map of the shown step is there while arrows or values are on the board, or a cell is looked at. */
function usePolicyMap(
  session: EpisodeSession,
  runnable: boolean,
  settings: InferenceSettings,
  shownStep: number,
  activity: string,
  maze: Maze | undefined,
  cellChosen: boolean,
): void {
  const wanted = runnable && (settings.arrows || settings.heat === "value" || cellChosen);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each of these changes which map is wanted.
  useEffect(() => {
    session.setWithPolicyMap(wanted);
    // A moment of rest first: while a slider is dragged only the last step counts.
    const timer = setTimeout(() => void session.fetchPolicyMap(), 120);
    return () => clearTimeout(timer);
  }, [session, wanted, shownStep, activity, maze, settings.modelId]);
}
