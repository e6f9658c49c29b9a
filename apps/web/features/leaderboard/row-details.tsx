import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Evaluation, PuzzleFigures } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import Link from "next/link";
import type { ReactNode } from "react";
import { cn } from "@/lib/class-names";
import { count, dateMinute, decimal, difficultyName } from "@/lib/format";
import type { MomentPolicy } from "@/lib/moment-link";
import { columns } from "./board-columns";
import { episodePath } from "./board-rows";
import { FailedMazes } from "./failed-mazes";

type RowDetailsProps = { policy: MomentPolicy; evaluation: Evaluation };

/** The columns that a group of mazes has as well; what a step costs is known of the whole set only. */
const groupColumns = columns.filter(({ key }) => key !== "cost");

/** How a policy did by difficulty, size and puzzle, and where it failed. */
export function RowDetails({ policy, evaluation }: RowDetailsProps) {
  const { byDifficulty, bySize, byPuzzle, failed, figures, evaluatedAt, meanStepUs, p95StepUs } = evaluation;
  const failures = figures === undefined ? 0 : figures.episodes - figures.successes;
  return (
    <div className="flex flex-wrap items-start gap-x-8 gap-y-4">
      <div className="min-w-0 max-w-full space-y-3">
        <table className="w-full text-sub">
          <caption className="sr-only">By difficulty and size</caption>
          <Heads first="Mazes" />
          <tbody className="text-text-2">
            <Group name="All" figures={figures} />
            {byDifficulty.map((group) => (
              <Group key={group.difficulty} name={difficultyName(group.difficulty)} figures={group.figures} />
            ))}
            {bySize.length > 1
              ? bySize.map((group) => (
                  <Group
                    key={`${group.rows} ${group.cols}`}
                    name={`${group.rows} × ${group.cols}`}
                    figures={group.figures}
                  />
                ))
              : null}
          </tbody>
        </table>
        {byPuzzle.length === 0 ? null : <Puzzles policy={policy} puzzles={byPuzzle} />}
        <p className="text-meta text-text-3">
          {evaluatedAt === undefined ? "" : `Evaluated ${dateMinute(timestampDate(evaluatedAt))}, `}
          {decimal(meanStepUs, 2)} µs a step, p95 {decimal(p95StepUs, 2)} µs
        </p>
      </div>
      <div className="min-w-0 flex-1 basis-72 space-y-2">
        <p className="text-text-2">
          {failures === 0
            ? "It failed in no maze."
            : failures > failed.length
              ? `It failed in ${count(failures)} mazes; the first ${failed.length}:`
              : `It failed in ${count(failures)} ${failures === 1 ? "maze" : "mazes"}:`}
        </p>
        {failed.length === 0 ? null : (
          <FailedMazes
            policy={policy}
            failed={failed}
            titles={new Map(byPuzzle.map(({ mazeId, title }) => [mazeId, title]))}
          />
        )}
      </div>
    </div>
  );
}

const cell = "py-0.5 pl-4 text-right max-md:pl-2.5";

function Heads({ first }: { first: string }) {
  return (
    <thead className="text-left text-meta text-text-3">
      <tr>
        <th scope="col" className="py-0.5 font-normal">
          {first}
        </th>
        {groupColumns.map(({ key, head }) => (
          <th key={key} scope="col" className={cn(cell, "font-normal")}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Group({ name, figures }: { name: string; figures: Evaluation["figures"] }) {
  return figures === undefined ? null : (
    <tr>
      <th scope="row" className="whitespace-nowrap py-0.5 text-left font-normal">
        {name} <span className="figure text-text-3">{count(figures.episodes)}</span>
      </th>
      <Cells figures={figures} />
    </tr>
  );
}

function Cells({ figures, success }: { figures: NonNullable<Evaluation["figures"]>; success?: ReactNode }) {
  return groupColumns.map(({ key, of, write }) => (
    <td key={key} className={cn("figure", cell, key === "success" && "text-text")}>
      {key === "success" && success !== undefined ? success : write(of(figures))}
    </td>
  ));
}

/** One line a puzzle, each of which leads to its episode. */
function Puzzles({ policy, puzzles }: { policy: MomentPolicy; puzzles: readonly PuzzleFigures[] }) {
  return (
    <table className="w-full text-sub">
      <caption className="sr-only">By puzzle</caption>
      <Heads first="Puzzle" />
      <tbody className="text-text-2">
        {puzzles.map(({ mazeId, title, shortestPath, seed, figures }) =>
          figures === undefined ? null : (
            <tr key={mazeId}>
              <th scope="row" className="py-0.5 text-left font-normal max-md:py-0">
                <Link
                  href={episodePath(policy, { mazeId, seed })}
                  prefetch={false}
                  title={`Shortest path: ${shortestPath} steps`}
                  className="inline-flex min-h-6 items-center text-accent hover:underline max-md:min-h-11"
                >
                  {title}
                </Link>
              </th>
              <Cells
                figures={figures}
                success={figures.successes > 0 ? "solved" : <span className="text-danger">failed</span>}
              />
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}
