import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { ArrowLeftRight, BrainCircuit, CircleCheck, Link2Off, RotateCw, Unplug } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useId, useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { Switch } from "@/components/ui/switch";
import { Tabs, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { Tooltip } from "@/components/ui/tooltip";
import { MazeChoice } from "@/features/mazes/maze-choice";
import { cn } from "@/lib/class-names";
import { CellComparison } from "./cell-comparison";
import { DifferenceBoard } from "./difference-board";
import type { DifferenceState } from "./difference-session";
import type { DifferenceSettings } from "./difference-settings";
import { DisputeList } from "./dispute-list";
import { type CellChoices, type DifferenceSummary, summarySentence, type Verdict } from "./disputes";
import { ModelChoice } from "./model-choice";
import { Acting, MomentSlider } from "./moment-panel";
import { SummaryPanel } from "./summary-panel";

export type DifferencePageViewProps = {
  /** What can be compared, and if nothing, why. `too-few`: there are no two models that run. */
  availability: "ready" | "loading" | "too-few" | "server-away";
  /** What is wrong with the link that was opened; `baselines`: it names one, which has no scores. */
  linkProblem: { readonly kind: "unreadable" | "baseline"; readonly text: string } | undefined;
  onForgetLink: () => void;
  models: readonly Model[];
  names: { readonly a: string; readonly b: string };
  a: string;
  b: string;
  maze: Maze | undefined;
  playback: EpisodePlayback;
  snapshot: PlaybackSnapshot;
  session: DifferenceState;
  summary: DifferenceSummary | undefined;
  /** The disputed cells that are listed. */
  disputes: readonly CellChoices[];
  /** Choices in the selected cell. */
  choices: CellChoices | undefined;
  selected: number | undefined;
  only: Verdict | undefined;
  board: MazeView;
  theme: MazeTheme;
  settings: DifferenceSettings;
  onSettings: (change: Partial<DifferenceSettings>) => void;
  onMaze: (maze: Maze) => void;
  onModels: (models: { readonly a?: string; readonly b?: string }) => void;
  onSwap: () => void;
  onSelect: (cell: number | undefined) => void;
  onOnly: (verdict: Verdict | undefined) => void;
  onStep: (step: number) => void;
  onNextMaze: () => void;
  onRetry: () => void;
  share: ReactNode;
};

const phoneTabs = [
  { value: "map", label: "Map" },
  { value: "cells", label: "Cells" },
  { value: "setup", label: "Setup" },
] as const;
type PhoneTab = (typeof phoneTabs)[number]["value"];

/** The whole page from props: every state of it can be shown without a server. */
export function DifferencePageView(props: DifferencePageViewProps) {
  const { availability, linkProblem, names, snapshot, session, summary, theme, selected } = props;
  const [tab, setTab] = useState<PhoneTab>("map");
  const ready = availability === "ready" && session.phase === "ready";
  const same = props.a !== "" && props.a === props.b;
  const colours = {
    "--difference-a": theme.difference[0],
    "--difference-b": theme.difference[1],
    "--difference-a-ink": theme.name === "dark" ? theme.casing : "#ffffff",
    "--difference-b-ink": theme.name === "dark" ? theme.casing : "#ffffff",
  } as React.CSSProperties;
  const listed = summary === undefined ? undefined : props.disputes.length;

  const mazeChoice = <MazeChoice maze={props.maze} setId={props.settings.setId} onPick={props.onMaze} />;
  const acting = (
    <Acting
      sampling={props.settings.sampling}
      seed={props.settings.seed}
      onSampling={(sampling) => props.onSettings({ sampling })}
      onSeed={(seed) => props.onSettings({ seed })}
    />
  );
  const slider = (
    <MomentSlider
      step={snapshot.shownStep}
      lastStep={snapshot.liveStep}
      enabled={ready}
      nameA={names.a}
      onStep={props.onStep}
      onNextMaze={props.onNextMaze}
    />
  );
  const hint =
    summary?.disputed === 0
      ? "They choose the same in every cell of this moment. Move along the way, or choose another maze."
      : "Choose a cell on the map or in the list to see what each would do there, and how sure it is.";

  return (
    <>
      <PageHeader title="Differences" replaceTitle actions={props.share} />

      <Tabs
        role="region"
        aria-label="Choice of view"
        value={tab}
        onValueChange={(value) => setTab(phoneTabs.find((one) => one.value === value)?.value ?? "map")}
        className="md:hidden"
      >
        <TabsList className="bg-panel" aria-label="Views">
          {phoneTabs.map((one) => (
            <TabsTrigger key={one.value} value={one.value} aria-controls={`view-${one.value}`}>
              {one.label}
              {one.value === "cells" && listed !== undefined ? (
                <span className="figure ml-1.5 text-text-3">{listed}</span>
              ) : null}
            </TabsTrigger>
          ))}
        </TabsList>
      </Tabs>

      <main
        style={colours}
        className={cn(
          "grid min-h-0 flex-1 gap-2 overflow-auto p-2",
          "max-md:grid-rows-[minmax(0,1fr)_auto] max-md:gap-0 max-md:p-0",
          "md:grid-cols-[minmax(0,1fr)_minmax(300px,360px)] md:grid-rows-[auto_minmax(320px,1fr)]",
          "md:[grid-template-areas:'board_moment'_'board_list']",
        )}
      >
        <div className="scroll-thin max-md:flex max-md:min-h-0 max-md:flex-col max-md:gap-2 max-md:overflow-y-auto max-md:p-2 md:contents">
          <Panel
            id="view-map"
            className={cn("md:[grid-area:board]", tab === "map" ? "max-md:flex-[1_0_auto]" : "max-md:hidden")}
          >
            <PanelHead className="max-md:flex-wrap max-md:py-2">
              <div className="flex min-w-0 flex-1 items-center gap-1.5 max-md:w-full max-md:flex-none">
                <ModelChoice
                  side="a"
                  models={props.models}
                  modelId={props.a}
                  onChange={(a) => props.onModels({ a })}
                  className="max-w-60"
                />
                <Tooltip text="Change sides" shortcut="X">
                  <Button variant="ghost" size="icon" aria-label="Change sides" onClick={props.onSwap}>
                    <ArrowLeftRight />
                  </Button>
                </Tooltip>
                <ModelChoice
                  side="b"
                  models={props.models}
                  modelId={props.b}
                  onChange={(b) => props.onModels({ b })}
                  className="max-w-60"
                />
              </div>
              <BoardSwitches settings={props.settings} onSettings={props.onSettings} />
            </PanelHead>
            <SessionLine session={session} onRetry={props.onRetry} />
            <div className="flex min-h-0 flex-1 max-md:flex-col">
              <div className="relative min-h-0 min-w-0 flex-1 max-md:aspect-square max-md:flex-none">
                {linkProblem === undefined && props.maze !== undefined && availability === "ready" ? (
                  <DifferenceBoard
                    playback={props.playback}
                    theme={theme}
                    view={props.board}
                    label={boardLabel(props)}
                    selected={selected}
                    onSelect={props.onSelect}
                  />
                ) : null}
                <BoardNotice {...props} same={same} />
              </div>
              <aside
                aria-label="Who is right"
                className={cn(
                  "scroll-thin w-[292px] shrink-0 overflow-y-auto border-l transition-opacity max-lg:w-56",
                  "max-md:w-full max-md:border-t max-md:border-l-0",
                  session.stale && summary !== undefined && "opacity-60",
                )}
              >
                {availability === "too-few" || linkProblem !== undefined ? null : (
                  <>
                    <SummaryPanel
                      summary={summary}
                      names={names}
                      theme={theme}
                      only={props.only}
                      onOnly={props.onOnly}
                      className="p-3"
                    />
                    <section aria-label="Cell" className="border-t p-3">
                      <CellComparison choices={props.choices} names={names} hint={selectedHint(props, hint)} />
                    </section>
                  </>
                )}
              </aside>
            </div>
          </Panel>

          <Panel
            id="view-cells"
            className={cn("md:[grid-area:list]", tab === "cells" ? "max-md:flex-1" : "max-md:hidden")}
          >
            <PanelHead>
              <PanelTitle>Where they differ</PanelTitle>
              {props.only === undefined ? (
                <span className="figure text-sub text-text-3">{listed ?? "–"} cells</span>
              ) : (
                <Button size="sm" variant="ghost" onClick={() => props.onOnly(undefined)}>
                  Show all {summary?.disputed}
                </Button>
              )}
            </PanelHead>
            <div className={cn("min-h-0 flex-1 transition-opacity", session.stale && "opacity-60")}>
              <ListBody
                {...props}
                onSelect={(cell) => {
                  props.onSelect(cell);
                  // On a phone the cell is shown where the map is.
                  if (cell !== undefined) setTab("map");
                }}
              />
            </div>
          </Panel>

          <div id="view-setup" className={cn("md:hidden", tab === "setup" ? "" : "hidden")}>
            <Panel className="space-y-2 p-3">
              {mazeChoice}
              {acting}
            </Panel>
          </div>
        </div>

        <Panel className="max-md:rounded-none max-md:border-x-0 max-md:border-b-0 md:[grid-area:moment]">
          <PanelHead className="max-md:hidden">
            <PanelTitle>Moment</PanelTitle>
            {acting}
          </PanelHead>
          <div className="space-y-3 p-3 max-md:py-1">
            <div className="max-md:hidden">{mazeChoice}</div>
            {slider}
          </div>
        </Panel>
      </main>

      <p role="status" className="sr-only">
        {summary === undefined || session.stale ? "" : `Step ${snapshot.shownStep}. ${summarySentence(summary, names)}`}
      </p>
    </>
  );
}

function selectedHint(props: DifferencePageViewProps, otherwise: string): string {
  if (props.selected === undefined || props.summary === undefined) return otherwise;
  const { grid } = props.playback;
  if (grid?.goal === props.selected) return "This is the goal: nobody acts here.";
  return "This is a wall: nobody stands here.";
}

function boardLabel({ maze, snapshot, summary, names }: DifferencePageViewProps): string {
  const size = `${maze?.rows.length ?? 0} by ${maze?.rows[0]?.length ?? 0}`;
  const sentence = summary === undefined ? "Both models are being asked." : summarySentence(summary, names);
  return `Difference map of maze ${maze?.title || maze?.mazeId || "drawn"}, ${size}, step ${snapshot.shownStep}. ${sentence} Arrow keys select cells.`;
}

function BoardSwitches({
  settings,
  onSettings,
}: {
  settings: DifferenceSettings;
  onSettings: (change: Partial<DifferenceSettings>) => void;
}) {
  const ids = useId();
  return (
    <div className="flex shrink-0 items-center gap-4 max-md:hidden">
      <div className="flex items-center gap-2">
        <Label htmlFor={`${ids}-way`}>Way of A</Label>
        <Switch id={`${ids}-way`} checked={settings.trail} onCheckedChange={(trail) => onSettings({ trail })} />
      </div>
    </div>
  );
}

/** What is held and what comes next, while the server does not answer or has refused. */
function SessionLine({ session, onRetry }: { session: DifferenceState; onRetry: () => void }) {
  const retry = (
    <Button size="sm" onClick={onRetry}>
      <RotateCw />
      Retry now
    </Button>
  );
  if (session.phase === "failed" && session.error !== undefined) {
    return (
      <div className="flex border-b px-3 py-1.5">
        <StateLine kind="problem" title={session.error.title} action={retry}>
          {session.error.hint}
        </StateLine>
      </div>
    );
  }
  if (session.connection.kind === "reconnecting") {
    return (
      <div className="flex border-b px-3 py-1.5">
        <StateLine kind="reconnecting" title={session.connection.error.title} action={retry}>
          The way of A goes on by itself when the server is back (attempt {session.connection.attempt}).
        </StateLine>
      </div>
    );
  }
  if (session.attempts > 0 && session.error !== undefined) {
    return (
      <div className="flex border-b px-3 py-1.5">
        <StateLine
          kind={session.maps === undefined ? "reconnecting" : "stale"}
          title={session.error.title}
          action={retry}
        >
          {session.maps === undefined
            ? "Both models are asked again by themselves."
            : `What is shown is step ${session.maps.atStep}; this one comes when the server is back.`}
        </StateLine>
      </div>
    );
  }
  return null;
}

function BoardNotice(props: DifferencePageViewProps & { same: boolean }) {
  const { availability, linkProblem, maze, session, same } = props;
  const wrap = (notice: ReactNode) => <div className="absolute inset-0 bg-panel/90">{notice}</div>;
  if (linkProblem !== undefined) {
    return wrap(
      <Notice
        icon={<Link2Off />}
        tone="warn"
        title={linkProblem.kind === "baseline" ? "A baseline has no scores" : "This link cannot be opened"}
        actions={
          <>
            {linkProblem.kind === "baseline" ? (
              <Button asChild variant="primary">
                <Link href="/race">Open the race</Link>
              </Button>
            ) : null}
            <Button onClick={props.onForgetLink}>Go on without it</Button>
          </>
        }
      >
        {linkProblem.text}
      </Notice>,
    );
  }
  if (availability === "too-few") {
    return wrap(
      <Notice
        icon={<BrainCircuit />}
        tone="warn"
        title="Two models are needed"
        actions={
          <Button asChild variant="primary">
            <Link href="/models">See the models</Link>
          </Button>
        }
      >
        Differences are between two models that run, and this server has fewer. Baselines act by a rule: they have no
        scores to compare.
      </Notice>,
    );
  }
  if (availability === "server-away" && maze === undefined) {
    return wrap(
      <Notice
        icon={<Unplug />}
        tone="danger"
        title="The server is away"
        actions={<Button onClick={props.onRetry}>Try again</Button>}
      >
        It is asked again by itself; both models answer as soon as it does.
      </Notice>,
    );
  }
  if (maze === undefined || availability === "loading") return wrap(<BoardSkeleton />);
  if (same && session.phase === "ready") {
    return (
      <div className="pointer-events-none absolute inset-x-0 bottom-2 grid place-items-center">
        <p className="flex items-center gap-2 rounded-full border bg-raised px-3 py-1 text-sub text-text-2">
          <CircleCheck className="size-4 text-ok" aria-hidden="true" />A and B are the same model: nothing can differ.
        </p>
      </div>
    );
  }
  return null;
}

function ListBody(props: DifferencePageViewProps) {
  const { summary, disputes, only } = props;
  if (props.linkProblem !== undefined || props.availability === "too-few") return null;
  if (summary === undefined) {
    return (
      <div aria-busy="true" className="space-y-2 p-3">
        {["a", "b", "c", "d", "e", "f"].map((place) => (
          <Skeleton key={place} className="h-6" />
        ))}
      </div>
    );
  }
  if (disputes.length === 0) {
    return (
      <Notice icon={<CircleCheck />} title={only === undefined ? "The same everywhere" : "None of these"}>
        {only === undefined
          ? "At this moment both models choose the same action in every cell."
          : "At this moment there is no such cell."}
      </Notice>
    );
  }
  return (
    <DisputeList
      disputes={disputes}
      names={props.names}
      theme={props.theme}
      selected={props.selected}
      onSelect={props.onSelect}
    />
  );
}

function BoardSkeleton() {
  return (
    <div aria-busy="true" className="grid h-full place-items-center p-6">
      <Skeleton className="aspect-square w-[min(100%,520px)]" />
      <span className="sr-only">The maze is loading.</span>
    </div>
  );
}

/** The page before anything is known, in the shape of what comes. */
export function DifferencePageLoading() {
  return (
    <>
      <PageHeader title="Differences" replaceTitle />
      <main aria-busy="true" className="grid min-h-0 flex-1 gap-2 p-2 md:grid-cols-[minmax(0,1fr)_minmax(300px,360px)]">
        <Panel>
          <BoardSkeleton />
        </Panel>
        <Panel className="space-y-3 p-3 max-md:hidden">
          <Skeleton className="h-16" />
          <Skeleton className="h-14" />
          <Skeleton className="h-64" />
        </Panel>
      </main>
    </>
  );
}
