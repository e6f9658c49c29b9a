import { BrainCircuit, Unplug } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/class-names";
import { BoardLine } from "./board-line";
import { cellFacts } from "./cell-facts";
import type { InferencePageViewProps } from "./inference-page-view";
import { Inspector } from "./inspector";
import { HeatLegend, Legend } from "./legend";
import { MazeBoard } from "./maze-board";
import type { ResultNoteProps } from "./result-note";
import { ViewSwitches } from "./view-switches";

// Its place is kept; the words come behind the board.
const CellReadOut = dynamic(() => import("./cell-read-out").then((module) => module.CellReadOut), { ssr: false });
// Nothing has ended when the page begins.
const ResultNote = dynamic(() => import("./result-note").then((module) => module.ResultNote), { ssr: false });

/** The maze, and beside it (on a phone below) what the agent sees, the chosen cell, the result and the legend. */
export function BoardPanel(props: InferencePageViewProps & { className?: string }) {
  const { snapshot, session, settings, availability, actions, maze, isPhone } = props;
  const label = maze
    ? `Maze ${maze.title || maze.mazeId || "of your own"}, ${maze.rows.length} by ${maze.rows[0]?.length ?? 0}. Agent at row ${snapshot.row}, column ${snapshot.col}, step ${snapshot.shownStep}. Arrow keys read out cells, Enter chooses one.`
    : "No maze";
  const result = resultOf(props);
  const looking = props.facts !== undefined;
  return (
    <Panel className={props.className}>
      <PanelHead className="max-md:min-h-16 max-md:px-3 max-md:py-1">
        {isPhone && result !== undefined && session.connection.kind !== "reconnecting" ? (
          <ResultNote form="bar" {...result} className="-mx-3 flex-1 border-t-0 bg-transparent py-0" />
        ) : (
          <BoardLine
            caption={props.caption}
            link={props.link}
            loop={snapshot.loop}
            forever={props.forever}
            mode={snapshot.mode}
            staleMs={props.staleMs}
            connection={session.connection}
            error={session.error}
            liveStep={snapshot.liveStep}
            shownStep={snapshot.shownStep}
            running={session.activity === "running"}
            onRetry={actions.retry}
            onPlay={actions.play}
          />
        )}
        {isPhone ? null : <ViewSwitches settings={settings} onSettings={props.onSettings} />}
      </PanelHead>
      <div className="flex min-h-0 flex-1 max-md:flex-col">
        <div className="relative max-md:aspect-square max-md:w-full md:aspect-square md:h-full md:min-w-0 md:shrink">
          {availability === "ready" || maze !== undefined ? (
            <MazeBoard
              playback={props.playback}
              theme={props.theme}
              view={props.board}
              label={label}
              onCell={props.onCell}
              onSelect={props.onSelect}
              onHeat={props.onHeat}
            />
          ) : null}
          <BoardNotice availability={availability} hasMaze={maze !== undefined} onRetry={actions.retry} />
        </div>
        {isPhone ? <ViewSwitches settings={settings} onSettings={props.onSettings} className="border-t p-2" /> : null}
        <aside
          aria-label="About the board"
          className="scroll-thin flex min-w-0 flex-col divide-y max-md:border-t md:min-w-[264px] md:flex-1 md:overflow-y-auto md:border-l"
        >
          <Inspector
            className="px-3 py-2"
            perception={props.perception}
            fog={settings.fog}
            onFog={(fog) => props.onSettings({ fog })}
            onTurn={props.onTurn}
            onSet={props.onSet}
            onReset={props.onResetFlips}
          />
          <Middle {...props} result={result} />
          {result !== undefined && looking ? (
            <ResultNote form="bar" {...result} />
          ) : (
            <div className="space-y-2 px-3 py-2">
              <div className="min-h-[18px]">
                <HeatLegend scale={props.heatScale} theme={props.theme} kind={snapshot.scoreKind} />
              </div>
              <Legend className="flex flex-wrap gap-x-3.5 gap-y-1" />
            </div>
          )}
        </aside>
      </div>
    </Panel>
  );
}

type Result = Omit<ResultNoteProps, "form">;

/** The chosen cell; without one the result once it is known; else the cell of the agent. Always of one size, so that nothing below moves. */
function Middle({
  playback,
  snapshot,
  facts,
  selected,
  onSelect,
  result,
}: InferencePageViewProps & { result: Result | undefined }) {
  if (result !== undefined && facts === undefined) {
    return (
      <div className="min-h-[188px] flex-1 px-3 py-2">
        <ResultNote form="card" {...result} />
      </div>
    );
  }
  return (
    <section aria-label="Cell" className="min-h-[188px] flex-1 px-3 py-2">
      <CellReadOut
        facts={facts ?? cellFacts(playback, playback.positionAt(snapshot.shownStep))}
        kind={snapshot.scoreKind}
        isAgent={facts === undefined}
        onClose={selected === undefined ? undefined : () => onSelect(undefined)}
      />
    </section>
  );
}

/** The result as it is told, once it is known. */
function resultOf({ snapshot, session, actions, nextIn, onStay }: InferencePageViewProps): Result | undefined {
  if (snapshot.result === undefined || session.activity !== "finished") return undefined;
  return {
    result: snapshot.result,
    shortestPath: snapshot.shortestPath,
    nextIn,
    onReplay: actions.again,
    onNext: actions.next,
    onStay,
  };
}

type BoardNoticeProps = {
  availability: InferencePageViewProps["availability"];
  hasMaze: boolean;
  onRetry: () => void;
};

function BoardNotice({ availability, hasMaze, onRetry }: BoardNoticeProps) {
  const wrap = (notice: ReactNode) => <div className={cn("absolute inset-0", hasMaze && "bg-panel/85")}>{notice}</div>;
  switch (availability) {
    case "no-model":
      return wrap(
        <Notice
          icon={<BrainCircuit />}
          tone="warn"
          title="No model is active"
          actions={
            <Button asChild variant="primary">
              <Link href="/models">Choose a model</Link>
            </Button>
          }
        >
          Nothing can act in the maze until a model is made active, or one is chosen above for this page.
        </Notice>,
      );
    case "server-away":
      return hasMaze
        ? null
        : wrap(
            <Notice
              icon={<Unplug />}
              tone="danger"
              title="The server is away"
              actions={<Button onClick={onRetry}>Try again</Button>}
            >
              It is asked again by itself; the agent starts as soon as it answers.
            </Notice>,
          );
    case "loading":
      return hasMaze ? null : wrap(<BoardSkeleton />);
    default:
      return null;
  }
}

/** The place of the maze before it is known. */
export function BoardSkeleton() {
  return (
    <div aria-busy="true" className="h-full p-6">
      <Skeleton className="size-full" />
      <span className="sr-only">The maze is loading.</span>
    </div>
  );
}
