import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import type { MazeView } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { X, ZoomIn, ZoomOut } from "lucide-react";
import dynamic from "next/dynamic";
import { useId, useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Panel, PanelBody, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { Switch } from "@/components/ui/switch";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { ShareButton } from "@/features/share/share-button";
import type { ShareSubject } from "@/features/share/share-subject";
import { cn } from "@/lib/class-names";
import type { Moment, MomentLane } from "@/lib/moment-link";
import { DrawBoard } from "./draw-board";
import type { DrawTool } from "./draw-tool";
import { DrawToolbar } from "./draw-toolbar";
import type { Drawing } from "./drawing";
import type { DrawingEditor, EditorState } from "./drawing-editor";
import { DrawingLine } from "./drawing-line";
import { RunPanel } from "./run-panel";
import type { ServerVerdict } from "./server-verdict";
import { ShapePanel } from "./shape-panel";
import type { TrialState } from "./trial-run";

// What a tab shows is loaded when the tab is opened.
const loading = () => <Skeleton className="h-40" />;
const SourcePanel = dynamic(() => import("./source-panel").then((module) => module.SourcePanel), {
  ssr: false,
  loading,
});
const KeptPanel = dynamic(() => import("./kept-panel").then((module) => module.KeptPanel), { ssr: false, loading });
const TextPanel = dynamic(() => import("./text-panel").then((module) => module.TextPanel), { ssr: false, loading });

export type DrawPageViewProps = {
  editor: DrawingEditor;
  playback: EpisodePlayback;
  state: EditorState;
  run: TrialState;
  snapshot: PlaybackSnapshot;
  verdict: ServerVerdict;
  models: readonly Model[];
  modelsFailed: boolean;
  theme: MazeTheme;
  view: MazeView;
  tool: DrawTool;
  onTool: (tool: DrawTool) => void;
  lane: MomentLane;
  onLane: (lane: MomentLane) => void;
  stepsPerSecond: number;
  onSpeed: (stepsPerSecond: number) => void;
  canRun: boolean;
  onRun: () => void;
  onRunAnew: () => void;
  onClearRun: () => void;
  runsAgain: boolean;
  onRunsAgain: (on: boolean) => void;
  showsWay: boolean;
  onShowsWay: (on: boolean) => void;
  /** What is wrong with the link that opened the page, or with the maze that was to be opened. */
  problem: string | undefined;
  onProblemSeen: () => void;
  /** What the keyboard did on the board. */
  said: string;
  onSay: (sentence: string) => void;
  actions: {
    undo: () => void;
    redo: () => void;
    clear: () => void;
    fill: () => void;
    invert: () => void;
    rotate: () => void;
    mirror: () => void;
    flip: () => void;
    openMissing: () => void;
    openDrawing: (drawing: Drawing, edit: string) => void;
  };
  onOpenMaze: (maze: Pick<Maze, "rows" | "mazeId">) => void;
  subject: () => ShareSubject | undefined;
  /** Address of another mode that shows this drawing. */
  linkTo: (mode: Moment["mode"]) => string;
};

/** The whole page from props. */
export function DrawPageView(props: DrawPageViewProps) {
  const { state, run, snapshot, verdict, tool, actions } = props;
  const ids = useId();
  const [zoomWanted, setZoomed] = useState(false);
  const largest = Math.max(state.drawing.rows, state.drawing.cols);
  const zoomed = zoomWanted && largest >= FINE_SIZE;
  return (
    <>
      <PageHeader title="Draw" actions={<ShareButton subject={props.subject} compact className="md:hidden" />}>
        <p className="truncate text-body text-text-3 max-lg:hidden">
          A maze of your own, for any policy to find its way through
        </p>
      </PageHeader>
      <main className="grid min-h-0 flex-1 gap-2 p-2 max-md:grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[minmax(0,1fr)_minmax(320px,360px)]">
        <Panel aria-label="Drawing">
          <PanelHead className="max-md:px-1.5 max-md:py-1">
            <DrawToolbar tool={tool} onTool={props.onTool} state={state} undo={actions.undo} redo={actions.redo} />
            <div className="flex items-center gap-4 max-md:hidden">
              <span className="flex items-center gap-2">
                <Label htmlFor={`${ids}-way`}>Shortest path</Label>
                <Switch id={`${ids}-way`} checked={props.showsWay} onCheckedChange={props.onShowsWay} />
              </span>
              <ShareButton subject={props.subject} size="sm" />
            </div>
          </PanelHead>
          {props.problem === undefined ? null : <ProblemBar problem={props.problem} onSeen={props.onProblemSeen} />}
          <div className="relative min-h-0 flex-1 max-md:aspect-square max-md:max-h-[46dvh] max-md:flex-none">
            <div
              data-scroller
              className={cn("absolute inset-0", zoomed ? "scroll-thin overflow-auto" : "overflow-hidden")}
            >
              <div className={cn("relative", zoomed ? "size-[200%]" : "size-full")}>
                <DrawBoard
                  editor={props.editor}
                  playback={props.playback}
                  theme={props.theme}
                  view={props.view}
                  tool={tool}
                  label={boardLabel(state, run, snapshot)}
                  faulty={verdict.state === "told" ? verdict.cells : noCells}
                  onSay={props.onSay}
                />
              </div>
            </div>
            {largest >= FINE_SIZE ? (
              <Button
                size="icon"
                aria-label={zoomed ? "Show the whole board" : "Magnify the board"}
                aria-pressed={zoomed}
                className="absolute right-2 bottom-2 opacity-90 md:hidden"
                onClick={() => setZoomed(!zoomed)}
              >
                {zoomed ? <ZoomOut /> : <ZoomIn />}
              </Button>
            ) : null}
          </div>
          <p role="status" className="sr-only">
            {props.said}
          </p>
          <DrawingLine state={state} verdict={verdict} onOpenMissing={actions.openMissing} />
        </Panel>
        <div className="scroll-thin flex min-h-0 flex-col gap-2 max-md:overflow-y-auto">
          <Panel aria-label="Run" className="shrink-0">
            <PanelHead>
              <PanelTitle>Run</PanelTitle>
              <span className="flex items-center gap-2">
                <Label htmlFor={`${ids}-again`}>Again after every change</Label>
                <Switch id={`${ids}-again`} checked={props.runsAgain} onCheckedChange={props.onRunsAgain} />
              </span>
            </PanelHead>
            <PanelBody>
              <RunPanel {...props} />
            </PanelBody>
          </Panel>
          <Panel aria-label="Tools" className="md:min-h-0 md:flex-1 max-md:shrink-0">
            <Tabs defaultValue="shape" className="min-h-0 flex-1">
              <TabsList className="max-md:gap-1">
                <TabsTrigger value="shape">Shape</TabsTrigger>
                <TabsTrigger value="source">Start from</TabsTrigger>
                <TabsTrigger value="kept">My mazes</TabsTrigger>
                <TabsTrigger value="text">Text</TabsTrigger>
              </TabsList>
              <TabsContent value="shape" className="scroll-thin overflow-y-auto p-3">
                <ShapePanel editor={props.editor} drawing={state.drawing} actions={actions}>
                  <div className="flex min-h-11 items-center justify-between md:hidden">
                    <Label htmlFor={`${ids}-way-too`}>Show the shortest path</Label>
                    <Switch id={`${ids}-way-too`} checked={props.showsWay} onCheckedChange={props.onShowsWay} />
                  </div>
                </ShapePanel>
              </TabsContent>
              <TabsContent value="source" className="scroll-thin overflow-y-auto p-3">
                <SourcePanel onOpen={props.onOpenMaze} />
              </TabsContent>
              <TabsContent value="kept" className="scroll-thin overflow-y-auto p-3">
                <KeptPanel drawing={state.drawing} onOpen={props.onOpenMaze} />
              </TabsContent>
              <TabsContent value="text" className="scroll-thin overflow-y-auto p-3">
                <TextPanel drawing={state.drawing} onDrawing={actions.openDrawing} />
              </TabsContent>
            </Tabs>
          </Panel>
        </div>
      </main>
    </>
  );
}

const noCells: readonly number[] = [];

/** From this many rows or columns on a cell is smaller than the tip of a finger on a phone. */
const FINE_SIZE = 20;

/** The board in words: what is drawn, and where the agent is. */
function boardLabel({ drawing, facts }: EditorState, run: TrialState, snapshot: PlaybackSnapshot): string {
  const place = (cell: number) => `row ${Math.floor(cell / drawing.cols)}, column ${cell % drawing.cols}`;
  const size = `Drawing, ${drawing.rows} by ${drawing.cols}. Start at ${place(drawing.start)}, goal at ${place(drawing.goal)}.`;
  const verdict = facts.solvable ? `Solvable in ${facts.shortestPath} steps.` : "No way to the goal.";
  const agent =
    run.activity === "drawing"
      ? ""
      : ` Agent at row ${snapshot.row}, column ${snapshot.col}, step ${snapshot.shownStep}.`;
  return `${size} ${verdict}${agent}`;
}

function ProblemBar({ problem, onSeen }: { problem: string; onSeen: () => void }) {
  return (
    <div role="alert" className="flex items-center gap-3 border-b bg-warn/10 py-1 pr-1 pl-3 text-body text-warn">
      <p className="min-w-0 flex-1">{problem}</p>
      <Button variant="ghost" size="icon" aria-label="Dismiss" onClick={onSeen}>
        <X />
      </Button>
    </div>
  );
}

/** The page before the browser has taken over, in the shape of what comes. */
export function DrawPageLoading() {
  return (
    <>
      <PageHeader title="Draw" />
      <main
        aria-busy="true"
        className="grid min-h-0 flex-1 gap-2 p-2 max-md:grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[minmax(0,1fr)_minmax(320px,360px)]"
      >
        <Panel>
          <div className="h-10 border-b" />
          <div className="grid min-h-0 flex-1 place-items-center p-6">
            <Skeleton className="aspect-square w-[min(100%,620px)]" />
          </div>
        </Panel>
        <div className="flex min-h-0 flex-col gap-2">
          <Panel className="shrink-0 space-y-3 p-3">
            <Skeleton className="h-8" />
            <Skeleton className="h-8" />
            <Skeleton className="h-8" />
          </Panel>
          <Panel className="flex-1" />
        </div>
        <span className="sr-only">The drawing is loading.</span>
      </main>
    </>
  );
}
