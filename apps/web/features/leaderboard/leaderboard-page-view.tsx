import type { MazeSet } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { Unplug } from "lucide-react";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Select, SelectContent, SelectItem, SelectTrigger, SelectValue } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { count } from "@/lib/format";
import type { Board } from "./board-address";
import type { BoardRow } from "./board-rows";
import { BoardTable } from "./board-table";
import type { EvaluationShares } from "./use-evaluations";

export type LeaderboardPageViewProps = {
  board: Board;
  /** Empty until they were read. */
  sets: readonly MazeSet[];
  /** Undefined while nothing was read yet. */
  rows: readonly BoardRow[] | undefined;
  error: Error | null;
  /** What is shown was read earlier: the last try failed, or the server has been away since. */
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  shares: EvaluationShares;
  onChange: (part: Partial<Board>) => void;
  onEvaluate: (rows: readonly BoardRow[]) => void;
  onRetry: () => void;
};

/** Models and baselines, ranked on the mazes of one set. */
export function LeaderboardPageView(props: LeaderboardPageViewProps) {
  const { board, sets, rows, error, stale, readAt, shares, onChange, onEvaluate, onRetry } = props;
  const set = sets.find(({ setId }) => setId === board.setId);
  const missing = rows?.filter(({ key, evaluation }) => evaluation === undefined && shares[key] === undefined) ?? [];
  return (
    <>
      <PageHeader title="Leaderboard" />
      <main className="scroll-thin relative min-h-0 flex-1 overflow-y-auto p-2">
        <div className="mx-auto max-w-6xl space-y-2">
          {stale ? (
            <StateLine
              kind="stale"
              framed
              title={`Read at ${new Date(readAt).toLocaleTimeString()}`}
              action={
                <Button size="sm" onClick={onRetry}>
                  Read again
                </Button>
              }
            >
              {error === null ? "The server has been away since." : error.message}
            </StateLine>
          ) : null}
          <Panel className="p-3">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
              <Select value={board.setId} onValueChange={(setId) => onChange({ setId })}>
                <SelectTrigger aria-label="Maze set" className="w-48 max-md:w-full">
                  <SelectValue>
                    <span className="figure">{board.setId}</span>
                  </SelectValue>
                </SelectTrigger>
                <SelectContent>
                  {sets.map(({ setId, mazeCount, rows: height, cols }) => (
                    <SelectItem key={setId} value={setId} detail={setDetail(mazeCount, height, cols)}>
                      <span className="figure">{setId}</span>
                    </SelectItem>
                  ))}
                </SelectContent>
              </Select>
              <p className="min-w-0 flex-1 basis-64 text-sub text-text-2">
                {set === undefined ? "Every maze once, greedy." : `${set.description} Every maze once, greedy.`}
                {set?.seenInTraining ? (
                  <b className="font-medium text-warn"> Models were trained on these mazes.</b>
                ) : null}
              </p>
              {missing.length > 1 ? (
                <Button size="sm" onClick={() => onEvaluate(missing)}>
                  Evaluate all {missing.length}
                </Button>
              ) : null}
            </div>
          </Panel>
          {rows !== undefined ? (
            <>
              {rows.every(({ key, evaluation }) => evaluation === undefined && shares[key] === undefined) ? (
                <StateLine kind="note" framed title="Nothing was evaluated on this set yet">
                  An evaluation plays every maze once on the server and is kept; most take less than a second.
                </StateLine>
              ) : null}
              <BoardTable rows={rows} board={board} shares={shares} onChange={onChange} onEvaluate={onEvaluate} />
            </>
          ) : error === null ? (
            <BoardSkeleton />
          ) : (
            <Panel className="min-h-80">
              <Notice
                icon={<Unplug />}
                tone="danger"
                title="The leaderboard cannot be read"
                actions={<Button onClick={onRetry}>Try again</Button>}
              >
                {error.message}
              </Notice>
            </Panel>
          )}
        </div>
      </main>
    </>
  );
}

function setDetail(mazeCount: number, rows: number, cols: number): string {
  return `${count(mazeCount)} mazes${rows === 0 ? "" : `, ${rows} × ${cols}`}`;
}

function BoardSkeleton() {
  return (
    <Panel aria-busy="true" className="gap-3 p-3">
      {["first", "second", "third", "fourth"].map((place) => (
        <Skeleton key={place} className="h-9" />
      ))}
    </Panel>
  );
}
