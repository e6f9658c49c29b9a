import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { RaceLaneSnapshot, RacePlayback, RaceSnapshot } from "@rlmaze/episode-playback/race-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { Dices, Link2Off, Plus, RotateCw, Unplug } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useId, useState } from "react";
import { SeedField } from "@/components/policy/seed-field";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelBody, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { Segmented } from "@/components/ui/segmented";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { Switch } from "@/components/ui/switch";
import { Tabs, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { Tooltip } from "@/components/ui/tooltip";
import { MazeChoice } from "@/features/mazes/maze-choice";
import { cn } from "@/lib/class-names";
import type { MomentLane } from "@/lib/moment-link";
import { contestantKnows, MOST_LANES } from "./contestant";
import { LaneFacts, laneState } from "./lane-facts";
import { LaneHead } from "./lane-head";
import { LaneSign } from "./lane-sign";
import { RaceBoard } from "./race-board";
import { RaceControls } from "./race-controls";
import type { RaceState } from "./race-session";
import type { RaceLayout, RaceMeasure, RaceSettings } from "./race-settings";
import { StandingsPanel } from "./standings-panel";

// The chart library is a seventh of the page and not needed for the first step.
const RaceChart = dynamic(() => import("./race-chart").then((module) => module.RaceChart), {
  ssr: false,
  loading: () => <Skeleton className="h-full" />,
});

export type RacePageViewProps = {
  /** Whether a race can run, and if not, why. `refused`: a lane cannot run on this server. */
  availability: "ready" | "loading" | "refused" | "server-away";
  /** What is wrong with the link that was opened. */
  linkProblem: string | undefined;
  onForgetLink: () => void;
  models: readonly Model[];
  lanes: readonly MomentLane[];
  /** What each lane is called. */
  names: readonly string[];
  /** Why a lane cannot run; undefined where it can. */
  problems: readonly (string | undefined)[];
  maze: Maze | undefined;
  race: RacePlayback;
  snapshot: RaceSnapshot;
  session: RaceState;
  moving: boolean;
  /** The result in one sentence; empty until all lanes have ended at the shown moment. */
  sentence: string;
  board: MazeView;
  theme: MazeTheme;
  settings: RaceSettings;
  onSettings: (change: Partial<RaceSettings>) => void;
  onLanes: (lanes: readonly MomentLane[]) => void;
  onAddLane: () => void;
  onMaze: (maze: Maze) => void;
  actions: {
    play: () => void;
    stop: () => void;
    reset: () => void;
    step: () => void;
    back: () => void;
    next: () => void;
    show: (step: number) => void;
    live: () => void;
    speed: (stepsPerSecond: number) => void;
    retry: () => void;
  };
  share: ReactNode;
};

const phoneTabs = [
  { value: "race", label: "Race" },
  { value: "results", label: "Results" },
  { value: "lanes", label: "Lanes" },
] as const;
type PhoneTab = (typeof phoneTabs)[number]["value"];

const layouts = [
  { value: "grid", label: "Grid", name: "A board for each lane" },
  { value: "together", label: "Together", name: "All agents on one board" },
] as const satisfies readonly { value: RaceLayout; label: string; name: string }[];

const measures = [
  { value: "distance", label: "Distance", name: "Distance to the goal" },
  { value: "reward", label: "Reward", name: "Cumulative reward" },
] as const satisfies readonly { value: RaceMeasure; label: string; name: string }[];

/** The whole page from props: every state of it can be shown without a server. */
export function RacePageView(props: RacePageViewProps) {
  const { snapshot, session, settings, theme, names, actions, availability } = props;
  const [tab, setTab] = useState<PhoneTab>("race");
  const enabled = availability === "ready" && props.linkProblem === undefined;
  const full = props.lanes.length >= MOST_LANES;
  const mazeChoice = <MazeChoice maze={props.maze} setId={settings.setId} onPick={props.onMaze} />;
  const seed = <Seed settings={settings} onSettings={props.onSettings} />;

  return (
    <>
      <PageHeader title="Race" replaceTitle actions={props.share} />

      <Tabs
        role="region"
        aria-label="Choice of view"
        value={tab}
        onValueChange={(value) => setTab(phoneTabs.find((one) => one.value === value)?.value ?? "race")}
        className="md:hidden"
      >
        <TabsList className="bg-panel" aria-label="Views">
          {phoneTabs.map((one) => (
            <TabsTrigger key={one.value} value={one.value} aria-controls={`view-${one.value}`}>
              {one.label}
            </TabsTrigger>
          ))}
        </TabsList>
      </Tabs>

      <main
        className={cn(
          "grid min-h-0 flex-1 gap-2 overflow-auto p-2",
          "max-md:grid-rows-[minmax(0,1fr)_auto] max-md:gap-0 max-md:p-0",
          "md:grid-cols-[minmax(0,1fr)_minmax(320px,376px)] md:grid-rows-[auto_auto_minmax(152px,1fr)]",
          "md:[grid-template-areas:'boards_play'_'boards_side'_'boards_chart']",
        )}
      >
        <div className="scroll-thin max-md:flex max-md:min-h-0 max-md:flex-col max-md:gap-2 max-md:overflow-y-auto max-md:p-2 md:contents">
          <Panel
            id="view-race"
            className={cn("md:[grid-area:boards]", tab === "race" ? "max-md:flex-[1_0_auto]" : "max-md:hidden")}
          >
            <PanelHead className="max-md:py-1">
              <div className="flex min-w-0 flex-1 items-center gap-3">
                <PanelTitle className="shrink-0 max-lg:hidden">Race</PanelTitle>
                <HeadLine {...props} />
              </div>
              <div className="flex shrink-0 items-center gap-3">
                <BoardSwitches settings={settings} onSettings={props.onSettings} />
                <Tooltip text={full ? "A race has four lanes at most" : "Add a lane"} shortcut="A">
                  <Button size="sm" disabled={full} onClick={props.onAddLane} className="max-md:hidden">
                    <Plus />
                    Add lane
                  </Button>
                </Tooltip>
              </div>
            </PanelHead>
            <div className="relative flex min-h-0 flex-1 flex-col">
              {settings.layout === "grid" ? <BoardGrid {...props} /> : <OneBoard {...props} />}
              {props.sentence === "" ? null : (
                <p className="border-t bg-raised px-3 py-2 text-sub md:hidden">{props.sentence}</p>
              )}
              <BoardsNotice {...props} />
            </div>
          </Panel>

          <Panel
            id="view-results"
            className={cn("shrink-0 md:[grid-area:side]", tab === "results" ? "" : "max-md:hidden")}
          >
            <PanelHead>
              <PanelTitle>{snapshot.phase === "finished" ? "Photo finish" : "Standings"}</PanelTitle>
              <span className="text-sub text-text-3">
                shortest path <span className="figure text-text-2">{snapshot.shortestPath || "–"}</span>
              </span>
            </PanelHead>
            <div className="scroll-thin min-h-0 flex-1 overflow-y-auto">
              {snapshot.lanes.length === 0 ? (
                <div aria-busy="true" className="space-y-2 p-3">
                  <Skeleton className="h-9" />
                  <Skeleton className="h-9" />
                  <Skeleton className="h-9" />
                </div>
              ) : (
                <StandingsPanel snapshot={snapshot} names={names} theme={theme} sentence={props.sentence} />
              )}
            </div>
          </Panel>

          <Panel
            className={cn("max-md:h-64 max-md:shrink-0 md:[grid-area:chart]", tab === "results" ? "" : "max-md:hidden")}
          >
            <PanelHead className="max-md:py-1">
              <PanelTitle>{measures.find((one) => one.value === settings.measure)?.name}</PanelTitle>
              <Segmented
                label="What the curves show"
                value={settings.measure}
                options={measures}
                onChange={(measure) => props.onSettings({ measure })}
                className="h-7 max-md:h-11"
              />
            </PanelHead>
            <PanelBody className="p-0 pb-1">
              <RaceChart race={props.race} measure={settings.measure} theme={theme} onStep={actions.show} />
            </PanelBody>
          </Panel>

          <div id="view-lanes" className={cn("space-y-2 md:hidden", tab === "lanes" ? "" : "hidden")}>
            <Panel className="space-y-2 p-3">
              {mazeChoice}
              {seed}
            </Panel>
            <Panel>
              <ul className="divide-y">
                {props.lanes.map((contestant, lane) => (
                  // A lane is its place: exchanging who runs in it keeps it.
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                  <li key={lane} className="px-3 py-1">
                    <EditableHead {...props} lane={lane} contestant={contestant} />
                    <p className="pb-1 pl-7 text-meta text-text-3">{contestantKnows(contestant, props.models)}</p>
                  </li>
                ))}
              </ul>
              <div className="border-t p-3">
                <Button className="w-full" disabled={full} onClick={props.onAddLane}>
                  <Plus />
                  {full ? "Four lanes at most" : "Add lane"}
                </Button>
              </div>
            </Panel>
          </div>
        </div>

        <Panel className="max-md:rounded-none max-md:border-x-0 max-md:border-b-0 md:[grid-area:play]">
          <PanelHead className="max-md:hidden">
            <PanelTitle>Playback</PanelTitle>
            {seed}
          </PanelHead>
          <div className="space-y-3 p-3 max-md:py-1.5">
            <div className="max-md:hidden">{mazeChoice}</div>
            <RaceControls
              activity={session.activity}
              moving={props.moving}
              following={snapshot.following}
              enabled={enabled}
              shownStep={snapshot.shownStep}
              liveStep={snapshot.liveStep}
              maxSteps={snapshot.maxSteps}
              stepsPerSecond={session.stepsPerSecond}
              onPlay={actions.play}
              onStop={actions.stop}
              onReset={actions.reset}
              onStep={actions.step}
              onBack={actions.back}
              onNext={actions.next}
              onShow={actions.show}
              onLive={actions.live}
              onSpeed={actions.speed}
              className="max-md:space-y-1.5"
            />
          </div>
        </Panel>
      </main>

      <p role="status" className="sr-only">
        {props.sentence}
      </p>
    </>
  );
}

/** The seed that all lanes draw from. */
function Seed({ settings, onSettings }: Pick<RacePageViewProps, "settings" | "onSettings">) {
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button size="sm" variant="ghost">
          <Dices aria-hidden="true" />
          <span className="max-w-32 truncate font-normal">
            Seed <span className="figure">{settings.seed || "any"}</span>
          </span>
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" className="space-y-3">
        <p className="text-body text-text-2">All lanes draw from one seed: the same race comes out again.</p>
        <SeedField
          seed={settings.seed}
          onChange={(seed) => onSettings({ seed })}
          hint="Matters for the random baseline and for softmax sampling."
        />
      </PopoverContent>
    </Popover>
  );
}

type EditableHeadProps = RacePageViewProps & {
  lane: number;
  contestant: MomentLane;
  withKind?: boolean;
  className?: string;
};

function EditableHead({ lane, contestant, withKind = true, className, ...props }: EditableHeadProps) {
  return (
    <LaneHead
      lane={lane}
      contestant={contestant}
      models={props.models}
      theme={props.theme}
      withKind={withKind}
      onChange={(changed) => props.onLanes(props.lanes.map((one, at) => (at === lane ? changed : one)))}
      onRemove={props.lanes.length > 1 ? () => props.onLanes(props.lanes.filter((_, at) => at !== lane)) : undefined}
      {...(className === undefined ? {} : { className })}
    />
  );
}

/** The line above the boards: what one looks at; while the stream is cut, what is held and what comes next; when the server refused, why. */
function HeadLine({ session, snapshot, actions, maze }: RacePageViewProps) {
  const { connection, error } = session;
  if (connection.kind === "reconnecting") {
    return (
      <StateLine
        kind="reconnecting"
        title={connection.error.title}
        action={
          <Button size="sm" onClick={actions.retry}>
            <RotateCw />
            Retry now
          </Button>
        }
      >
        {snapshot.liveStep === 0 ? "The race starts" : `All lanes are held at step ${snapshot.liveStep}; they go on`} by
        itself when the server is back (attempt {connection.attempt}).
      </StateLine>
    );
  }
  if (error !== undefined) {
    return (
      <StateLine
        kind="problem"
        title={error.title}
        action={
          <Button size="sm" onClick={actions.play}>
            Try again
          </Button>
        }
      >
        {error.hint}
        {error.field === "" ? null : <span className="figure text-text-3"> ({error.field})</span>}
      </StateLine>
    );
  }
  const caption =
    maze === undefined
      ? ""
      : `All start together and take one step at each tick. ${maze.setId === "training" ? "The models were trained on this maze." : "No model has seen this maze."}`;
  return (
    <>
      <p className="min-w-0 truncate text-sub text-text-3 max-md:hidden">{caption}</p>
      <p className="figure min-w-0 truncate text-sub text-text-2 md:hidden">{maze?.title || maze?.mazeId || ""}</p>
    </>
  );
}

function BoardSwitches({ settings, onSettings }: Pick<RacePageViewProps, "settings" | "onSettings">) {
  const ids = useId();
  return (
    <>
      <div className="flex items-center gap-2 max-lg:hidden">
        <Label htmlFor={`${ids}-trail`}>Trail</Label>
        <Switch id={`${ids}-trail`} checked={settings.trail} onCheckedChange={(trail) => onSettings({ trail })} />
      </div>
      <Segmented
        label="Boards"
        value={settings.layout}
        options={layouts}
        onChange={(layout) => onSettings({ layout })}
        className="h-7 max-md:h-11"
      />
    </>
  );
}

const gridOf: Readonly<Record<number, string>> = {
  1: "grid-cols-1 grid-rows-1",
  2: "grid-cols-2 grid-rows-1 max-md:grid-rows-2 max-md:grid-cols-1",
  3: "grid-cols-2 grid-rows-2",
  4: "grid-cols-2 grid-rows-2",
};

/** A board for each lane, with its figures beside or below it. */
function BoardGrid(props: RacePageViewProps) {
  const { lanes, snapshot } = props;
  return (
    <ul
      aria-label="Lanes"
      className={cn("grid min-h-0 flex-1 gap-px bg-line max-md:min-h-[420px]", gridOf[lanes.length] ?? gridOf[4])}
    >
      {lanes.map((contestant, lane) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a lane is its place.
        <li key={lane} className="flex min-h-0 min-w-0 flex-col bg-panel">
          <EditableHead {...props} lane={lane} contestant={contestant} className="h-10 shrink-0 px-2.5 max-md:hidden" />
          <p className="flex h-8 shrink-0 items-center gap-1.5 px-2 text-sub md:hidden">
            <LaneSign lane={lane} theme={props.theme} className="size-4" />
            <span className="truncate text-text">{props.names[lane]}</span>
          </p>
          <div
            className={cn(
              "flex min-h-0 flex-1 max-md:flex-col",
              lanes.length === 2 ? "flex-col" : "max-lg:flex-col lg:flex-row lg:justify-center",
            )}
          >
            <div
              className={cn(
                "relative min-h-0 min-w-0",
                lanes.length === 2 ? "flex-1" : "max-lg:flex-1 lg:aspect-square lg:max-w-[calc(100%-8rem)]",
              )}
            >
              <LaneBoard {...props} lane={lane} />
            </div>
            <LaneFacts
              lane={snapshot.lanes[lane]}
              lanes={snapshot.lanes}
              form="column"
              className={cn("w-24 shrink-0 justify-center", lanes.length === 2 ? "hidden" : "max-lg:hidden")}
            />
            <LaneFacts
              lane={snapshot.lanes[lane]}
              lanes={snapshot.lanes}
              form="row"
              className={cn("h-7 shrink-0 px-2.5", lanes.length === 2 ? "" : "lg:hidden")}
            />
          </div>
        </li>
      ))}
      {lanes.length === 3 ? (
        <li className="grid min-h-0 place-items-center bg-panel">
          <Button variant="ghost" onClick={props.onAddLane} className="max-md:h-11">
            <Plus />
            Add a lane
          </Button>
        </li>
      ) : null}
    </ul>
  );
}

function LaneBoard(props: RacePageViewProps & { lane: number }) {
  const { lane, names, maze, snapshot, problems } = props;
  const problem = problems[lane];
  if (problem !== undefined) {
    return (
      <p className="absolute inset-0 grid place-items-center p-4 text-center text-sub text-warn">
        {problem}. Choose somebody else for this lane.
      </p>
    );
  }
  if (maze === undefined || snapshot.lanes[lane] === undefined) return <BoardSkeleton />;
  return (
    <RaceBoard
      race={props.race}
      lane={lane}
      theme={props.theme}
      view={props.board}
      label={laneLabel(names[lane] ?? "", snapshot.lanes[lane])}
    />
  );
}

function laneLabel(name: string, lane: RaceLaneSnapshot): string {
  const { row, col, shownStep } = lane.playback;
  return `${name} at row ${row}, column ${col}, step ${shownStep}, ${laneState(lane)}.`;
}

/** All agents on one board; who is who stands beside it. */
function OneBoard(props: RacePageViewProps) {
  const { lanes, snapshot, names, maze } = props;
  return (
    <div className="flex min-h-0 flex-1 max-md:flex-col">
      <div className="relative min-h-0 min-w-0 flex-1 max-md:min-h-80">
        {maze === undefined || snapshot.lanes.length !== lanes.length ? (
          <BoardSkeleton />
        ) : (
          <RaceBoard
            race={props.race}
            lane="all"
            theme={props.theme}
            view={{ ...props.board, heat: "off", rulers: true }}
            label={snapshot.lanes.map((lane, at) => laneLabel(names[at] ?? "", lane)).join(" ")}
          />
        )}
      </div>
      <aside
        aria-label="Lanes"
        className="scroll-thin w-[264px] shrink-0 overflow-y-auto border-l max-lg:w-56 max-md:w-full max-md:border-t max-md:border-l-0"
      >
        <ul className="divide-y max-md:grid max-md:grid-cols-2 max-md:divide-y-0">
          {lanes.map((contestant, lane) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a lane is its place.
            <li key={lane} className="min-w-0 px-3 py-2">
              <EditableHead
                {...props}
                lane={lane}
                contestant={contestant}
                withKind={false}
                className="-ml-0.5 max-md:hidden"
              />
              <p className="flex items-center gap-1.5 text-sub md:hidden">
                <LaneSign lane={lane} theme={props.theme} className="size-4" />
                <span className="truncate text-text">{names[lane]}</span>
              </p>
              <LaneFacts
                lane={snapshot.lanes[lane]}
                lanes={snapshot.lanes}
                form="row"
                className="mt-1 flex-wrap md:pl-6"
              />
              {props.problems[lane] === undefined ? null : (
                <p className="mt-1 text-meta text-warn md:pl-6">{props.problems[lane]}</p>
              )}
            </li>
          ))}
        </ul>
      </aside>
    </div>
  );
}

function BoardsNotice(props: RacePageViewProps) {
  const { availability, linkProblem, maze, actions } = props;
  const wrap = (notice: ReactNode) => <div className="absolute inset-0 bg-panel/95">{notice}</div>;
  if (linkProblem !== undefined) {
    return wrap(
      <Notice
        icon={<Link2Off />}
        tone="warn"
        title="This link cannot be opened"
        actions={<Button onClick={props.onForgetLink}>Start another race</Button>}
      >
        {linkProblem}
      </Notice>,
    );
  }
  if (availability === "server-away" && maze === undefined) {
    return wrap(
      <Notice
        icon={<Unplug />}
        tone="danger"
        title="The server is away"
        actions={<Button onClick={actions.retry}>Try again</Button>}
      >
        It is asked again by itself; the race starts as soon as it answers.
      </Notice>,
    );
  }
  return null;
}

function BoardSkeleton() {
  return (
    <div aria-busy="true" className="absolute inset-0 grid place-items-center p-4">
      <Skeleton className="aspect-square h-full max-h-[520px] max-w-full" />
      <span className="sr-only">The maze is loading.</span>
    </div>
  );
}

/** The page before anything is known, in the shape of what comes. */
export function RacePageLoading() {
  return (
    <>
      <PageHeader title="Race" replaceTitle />
      <main aria-busy="true" className="grid min-h-0 flex-1 gap-2 p-2 md:grid-cols-[minmax(0,1fr)_minmax(320px,376px)]">
        <Panel>
          <div className="grid h-full grid-cols-2 grid-rows-2 gap-px bg-line">
            {["a", "b", "c", "d"].map((place) => (
              <div key={place} className="relative bg-panel">
                <BoardSkeleton />
              </div>
            ))}
          </div>
        </Panel>
        <Panel className="space-y-3 p-3 max-md:hidden">
          <Skeleton className="h-16" />
          <Skeleton className="h-40" />
          <Skeleton className="h-56" />
          <Skeleton className="h-48" />
        </Panel>
      </main>
    </>
  );
}
