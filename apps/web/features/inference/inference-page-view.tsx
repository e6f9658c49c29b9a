import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import type { EpisodeEvent } from "@rlmaze/episode-playback/events";
import type { HeatScale, MazeView } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { ChevronRight } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Panel, PanelBody, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";
import type { LinkNote } from "./board-line";
import { BoardPanel, BoardSkeleton } from "./board-panel";
import type { CellFacts } from "./cell-facts";
import type { SessionState } from "./episode-session";
import type { Perception } from "./inspector";
import { MetricsPanel } from "./metrics-panel";
import { ModelSelect } from "./model-select";
import { PlaybackPanel } from "./playback-panel";
import { RewardChart } from "./reward-chart";
import type { InferenceSettings } from "./settings";
import { StepLog } from "./step-log";

// What a click opens is loaded by the click.
const ConfigPanel = dynamic(() => import("./config-panel").then((module) => module.ConfigPanel), {
  ssr: false,
  loading: () => <Skeleton className="h-64" />,
});

export type InferencePageViewProps = {
  playback: EpisodePlayback;
  snapshot: PlaybackSnapshot;
  session: SessionState;
  board: MazeView;
  heatScale: HeatScale | undefined;
  theme: MazeTheme;
  onHeat: (scale: HeatScale | undefined) => void;
  /** Facts of the chosen cell, or else of the one under the pointer. */
  facts: CellFacts | undefined;
  onCell: (cell: number | undefined) => void;
  /** Cell that was chosen. */
  selected: number | undefined;
  onSelect: (cell: number | undefined) => void;
  perception: Perception;
  onTurn: (at: number) => void;
  onSet: (at: number, value: number) => void;
  onResetFlips: () => void;
  caption: string;
  link: LinkNote | undefined;
  /** Milliseconds without news of a running stream, when that is too long. */
  staleMs: number | undefined;
  /** Ticks of the timeline. */
  events: readonly EpisodeEvent[];
  previousEvent: EpisodeEvent | undefined;
  nextEvent: EpisodeEvent | undefined;
  worse: { readonly previous: number | undefined; readonly next: number | undefined };
  /** Actions (0–3) on a shortest path where the shown step was taken. */
  optimal: readonly number[] | undefined;
  /** The cycle that the agent is in can never be left. */
  forever: boolean;
  /** State in a sentence, for people who hear the page. */
  spoken: string;
  /** Whether episodes can run, and if not, why. */
  availability: "ready" | "loading" | "no-model" | "server-away";
  models: readonly Model[];
  model: Model | undefined;
  maze: Maze | undefined;
  settings: InferenceSettings;
  onSettings: (change: Partial<InferenceSettings>) => void;
  onMaze: (maze: Maze) => void;
  actions: {
    play: () => void;
    /** From the start again. */
    again: () => void;
    stop: () => void;
    reset: () => void;
    back: () => void;
    forward: () => void;
    next: () => void;
    live: () => void;
    show: (step: number) => void;
    speed: (stepsPerSecond: number) => void;
    retry: () => void;
  };
  nextIn: number | undefined;
  onStay: () => void;
  /** Everything stands below one another, and playback at the thumb. */
  isPhone: boolean;
  /** Opens link, picture and animation. */
  share: ReactNode;
};

/** The whole page from props: every state of it can be shown without a server. */
export function InferencePageView(props: InferencePageViewProps) {
  const { settings, isPhone, maze } = props;
  return (
    <>
      <PageHeader title="Watch" replaceTitle actions={props.share}>
        <ChevronRight className="size-3.5 shrink-0 text-text-3 max-lg:hidden" aria-hidden="true" />
        <span className="figure max-w-40 truncate text-body max-lg:hidden">
          {maze?.title || maze?.mazeId || (maze ? "own maze" : "no maze")}
        </span>
        <ModelSelect
          models={props.models}
          modelId={settings.modelId}
          onChange={(modelId) => props.onSettings({ modelId })}
          className="w-48 max-md:w-full"
        />
      </PageHeader>
      {isPhone ? <PhoneLayout {...props} /> : <WideLayout {...props} />}
      <p role="status" className="sr-only">
        {props.spoken}
      </p>
    </>
  );
}

/** Places of the panels from 768 pixels on; below 1,100 the board has the whole width. */
const wideGrid =
  "grid min-h-0 flex-1 gap-2 overflow-auto p-2 min-[1100px]:grid-cols-[minmax(0,1.35fr)_minmax(0,1fr)_minmax(320px,360px)] min-[1100px]:grid-rows-[auto_minmax(300px,1fr)_200px] min-[1100px]:[grid-template-areas:'board_board_play'_'board_board_side'_'chart_log_side'] max-[1100px]:grid-cols-2 max-[1100px]:grid-rows-[520px_340px_minmax(240px,1fr)] max-[1100px]:[grid-template-areas:'board_board'_'play_side'_'chart_log']";

function WideLayout(props: InferencePageViewProps) {
  const [sideTab, setSideTab] = useState<"metrics" | "config">("metrics");
  return (
    <main className={wideGrid}>
      <BoardPanel {...props} className="[grid-area:board]" />
      <Panel aria-label="Playback" className="[grid-area:play]">
        <PanelHead>
          <PanelTitle>Playback</PanelTitle>
          <span className="figure truncate text-sub text-text-3">
            {props.snapshot.modelId || props.model?.modelId || ""}
          </span>
        </PanelHead>
        <Playback {...props} className="p-3" />
      </Panel>
      <Panel className="[grid-area:side]">
        <Tabs
          value={sideTab}
          onValueChange={(value) => setSideTab(value === "config" ? "config" : "metrics")}
          className="flex-1"
        >
          <TabsList>
            <TabsTrigger value="metrics">Metrics</TabsTrigger>
            <TabsTrigger value="config">Config</TabsTrigger>
          </TabsList>
          <TabsContent value="metrics" className="scroll-thin overflow-y-auto p-3">
            <Metrics {...props} />
          </TabsContent>
          <TabsContent value="config" className="scroll-thin overflow-y-auto p-3">
            <Config {...props} />
          </TabsContent>
        </Tabs>
      </Panel>
      <Chart {...props} className="[grid-area:chart]" />
      <Log {...props} className="[grid-area:log]" />
    </main>
  );
}

/** One column that scrolls, without tabs of its own: the bar at the bottom and the menu at the top are tabs enough. */
function PhoneLayout(props: InferencePageViewProps) {
  const [configOpen, setConfigOpen] = useState(false);
  return (
    <main className="flex min-h-0 flex-1 flex-col">
      <div className="scroll-thin min-h-0 flex-1 space-y-2 overflow-y-auto overscroll-contain p-2">
        <BoardPanel {...props} />
        <Panel>
          <PanelHead>
            <PanelTitle>Metrics</PanelTitle>
          </PanelHead>
          <PanelBody>
            <Metrics {...props} />
          </PanelBody>
        </Panel>
        <Chart {...props} className="h-60" />
        <Log {...props} className="h-80" />
        <Panel>
          <button
            type="button"
            aria-expanded={configOpen}
            onClick={() => setConfigOpen((before) => !before)}
            className="flex h-12 items-center justify-between px-3 font-semibold text-body"
          >
            Config
            <ChevronRight
              aria-hidden="true"
              className={cn("size-4 text-text-3 transition-transform", configOpen && "rotate-90")}
            />
          </button>
          {configOpen ? (
            <PanelBody className="border-t">
              <Config {...props} />
            </PanelBody>
          ) : null}
        </Panel>
      </div>
      <section aria-label="Playback" className="shrink-0 border-t bg-panel">
        <Playback {...props} className="space-y-0 px-3 py-1" />
      </section>
    </main>
  );
}

function Playback({ className, ...props }: InferencePageViewProps & { className: string }) {
  const { snapshot, session, actions } = props;
  return (
    <PlaybackPanel
      activity={session.activity}
      mode={snapshot.mode}
      enabled={props.availability === "ready"}
      shownStep={snapshot.shownStep}
      liveStep={snapshot.liveStep}
      maxSteps={snapshot.maxSteps}
      stepsPerSecond={session.stepsPerSecond}
      events={props.events}
      previousEvent={props.previousEvent}
      nextEvent={props.nextEvent}
      onPlay={actions.play}
      onStop={actions.stop}
      onReset={actions.reset}
      onStep={actions.forward}
      onBack={actions.back}
      onNext={actions.next}
      onLive={actions.live}
      onShow={actions.show}
      onSpeed={actions.speed}
      className={className}
    />
  );
}

function Metrics({ snapshot, optimal, worse, actions }: InferencePageViewProps) {
  return <MetricsPanel snapshot={snapshot} optimal={optimal} worse={worse} onShow={actions.show} />;
}

function Config(props: InferencePageViewProps) {
  return (
    <ConfigPanel
      models={props.models}
      model={props.model}
      maze={props.maze}
      seed={props.snapshot.episodeId === "" ? undefined : props.snapshot.seed}
      settings={props.settings}
      onSettings={props.onSettings}
      onMaze={props.onMaze}
    />
  );
}

function Chart({ playback, session, actions, className }: InferencePageViewProps & { className: string }) {
  return (
    <Panel className={className}>
      <PanelHead>
        <PanelTitle>Cumulative reward</PanelTitle>
        <ChartLegend hasLast={session.lastRewards.length > 0} />
      </PanelHead>
      <PanelBody className="p-0 pb-1">
        <RewardChart playback={playback} lastRewards={session.lastRewards} onShow={actions.show} />
      </PanelBody>
    </Panel>
  );
}

function Log({ playback, snapshot, actions, className }: InferencePageViewProps & { className: string }) {
  return (
    <Panel className={className}>
      <PanelHead>
        <PanelTitle>Step log</PanelTitle>
        <span className="figure text-sub text-text-3">{count(snapshot.liveStep)} steps</span>
      </PanelHead>
      <PanelBody className="p-0">
        {snapshot.liveStep === 0 ? (
          <p className="p-3 text-sub text-text-3">Every step appears here, the newest on top.</p>
        ) : (
          <StepLog playback={playback} snapshot={snapshot} onShow={actions.show} />
        )}
      </PanelBody>
    </Panel>
  );
}

function ChartLegend({ hasLast }: { hasLast: boolean }) {
  return (
    <ul aria-label="Lines of the chart" className="flex gap-4 text-sub text-text-2">
      <li className="flex items-center gap-1.5">
        <span className="h-0.5 w-4 rounded-full bg-accent" aria-hidden="true" />
        This run
      </li>
      {hasLast ? (
        <li className="flex items-center gap-1.5">
          <span className="w-4 border-text-3 border-t border-dashed" aria-hidden="true" />
          Last run
        </li>
      ) : null}
    </ul>
  );
}

/** The page before anything is known, with every panel in the place and size that it will have. */
export function InferencePageLoading({ caption }: { caption: string }) {
  return (
    <>
      <PageHeader title="Watch" replaceTitle>
        <Skeleton className="h-8 w-48 max-md:h-11 max-md:w-full" />
      </PageHeader>
      <main aria-busy="true" className={cn(wideGrid, "max-md:flex max-md:flex-col max-md:gap-0 max-md:p-0")}>
        <Panel className="[grid-area:board] max-md:m-2 max-md:flex-1">
          <PanelHead className="max-md:min-h-16">
            <p className="text-sub text-text-3 md:line-clamp-2 md:leading-4">{caption}</p>
          </PanelHead>
          <div className="flex min-h-0 flex-1">
            <div className="aspect-square max-md:w-full md:h-full">
              <BoardSkeleton />
            </div>
            <div className="flex-1 border-l max-md:hidden" />
          </div>
        </Panel>
        <Panel className="h-[210px] [grid-area:play] max-md:h-[141px] max-md:rounded-none max-md:border-x-0 max-md:border-b-0">
          <PanelHead className="max-md:hidden">
            <PanelTitle>Playback</PanelTitle>
          </PanelHead>
        </Panel>
        <Panel className="p-3 [grid-area:side] max-md:hidden">
          <Skeleton className="h-36" />
        </Panel>
        <Panel className="[grid-area:chart] max-md:hidden">
          <PanelHead>
            <PanelTitle>Cumulative reward</PanelTitle>
          </PanelHead>
        </Panel>
        <Panel className="[grid-area:log] max-md:hidden">
          <PanelHead>
            <PanelTitle>Step log</PanelTitle>
          </PanelHead>
        </Panel>
      </main>
    </>
  );
}
