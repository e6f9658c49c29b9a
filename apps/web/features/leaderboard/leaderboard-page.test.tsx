// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { PuzzleFiguresSchema } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Toaster } from "@/components/ui/toaster";
import { fixtureEvaluation } from "@/test/fixture-evaluations";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { plainBoard } from "./board-address";
import type { BoardRow } from "./board-rows";
import { LeaderboardPage } from "./leaderboard-page";
import { LeaderboardPageView, type LeaderboardPageViewProps } from "./leaderboard-page-view";

const origin = pageOrigin();
const wait = { timeout: 40_000 };
const rowNames = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getByRole("rowheader").textContent);

afterEach(() => window.history.replaceState(null, "", "/leaderboard"));

describe("the leaderboard page", () => {
  test("ranks what was evaluated, with intervals, and offers the rest", async () => {
    renderPage(<LeaderboardPage query="" />);
    const row = (await screen.findByText("ppo-memory-1", {}, wait)).closest("tr") as HTMLElement;
    expect(row).toHaveTextContent("100.0 %");
    expect(row).toHaveTextContent("99.6–100.0 %");
    expect(row).toHaveTextContent("0.681");
    expect(rowNames().slice(0, 3)).toEqual(["Shortest pathBaseline", "ppo-memory-1PPO", "ppo-plain-1PPO"]);
    expect(screen.getByRole("button", { name: "Evaluate dqn-memory-1" })).toBeVisible();
    // It is broken and was never evaluated.
    expect(screen.queryByText("ppo-trail-2")).toBeNull();
  });

  test("opens a row on its groups and on links to its failures", async () => {
    renderPage(<LeaderboardPage query="" />);
    fireEvent.click(await screen.findByRole("button", { name: "Details of ppo-plain-1" }, wait));
    const groups = screen.getByRole("table", { name: "By difficulty and size" });
    expect(within(groups).getByRole("row", { name: /easy/ })).toBeVisible();
    expect(screen.getByText(/It failed in 988 mazes; the first 100/)).toBeVisible();
    const failures = screen.getByRole("list", { name: "Failed mazes" });
    const failure = within(failures).getByRole("link", { name: "heldout-0007" });
    expect(failure).toHaveAttribute("href", "/?model=ppo-plain-1&maze=heldout-0007&seed=6&step=0&v=1");
    await waitFor(() => expect(failure.querySelector("svg")).not.toBeNull(), wait);
    expect(within(failures).getAllByRole("link")).toHaveLength(12);
    fireEvent.click(screen.getByRole("button", { name: "Show 12 more" }));
    expect(within(failures).getAllByRole("link")).toHaveLength(24);
  });

  test("evaluates a row, which then stands in its place", async () => {
    renderPage(<LeaderboardPage query="" />);
    fireEvent.click(await screen.findByRole("button", { name: "Evaluate dqn-memory-1" }, wait));
    await screen.findByRole("button", { name: "Details of dqn-memory-1" }, wait);
    expect(rowNames()[2]).toBe("dqn-memory-1DQN");
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  test("says why a row was not evaluated, whether at once or in the middle", async () => {
    renderPage(
      <>
        <LeaderboardPage query="" />
        <Toaster />
      </>,
    );
    fireEvent.click(await screen.findByRole("button", { name: "Evaluate Random" }, wait));
    await screen.findByText("Random was not evaluated", {}, wait);
    expect(screen.getByText(/too many evaluations at once/)).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Evaluate Wall follower" }));
    await screen.findByText("Wall follower was not evaluated", {}, wait);
    expect(screen.getByRole("button", { name: "Evaluate Wall follower" })).toBeVisible();
  });

  test("sorts by a column, and its address says so", async () => {
    renderPage(<LeaderboardPage query="" />);
    await screen.findByText("ppo-memory-1", {}, wait);
    fireEvent.click(screen.getByRole("button", { name: "Steps" }));
    expect(screen.getByRole("columnheader", { name: "Steps" })).toHaveAttribute("aria-sort", "ascending");
    fireEvent.click(screen.getByRole("button", { name: "Steps" }));
    await waitFor(() => expect(rowNames()[0]).toBe("ppo-plain-1PPO"));
    await waitFor(() => expect(window.location.search).toBe("?sort=steps&order=reversed"), wait);
  });

  test("says why it cannot be read, and reads it when asked again", async () => {
    origin.goAway();
    renderPage(<LeaderboardPage query="" />);
    await screen.findByText("The leaderboard cannot be read", {}, wait);
    origin.goBack();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("ppo-memory-1", {}, wait);
  });
});

describe("the leaderboard page by itself", () => {
  const props: LeaderboardPageViewProps = {
    board: plainBoard,
    sets: [],
    rows: undefined,
    error: null,
    stale: false,
    readAt: 0,
    shares: {},
    onChange: vi.fn(),
    onEvaluate: vi.fn(),
    onRetry: vi.fn(),
  };
  const row = (modelId: string, evaluation?: BoardRow["evaluation"]): BoardRow => ({
    key: modelId,
    policy: { modelId },
    name: modelId,
    kind: "PPO",
    evaluation,
  });

  test("is busy while it loads", () => {
    const { container } = renderPage(<LeaderboardPageView {...props} />);
    expect(container.querySelector("[aria-busy=true]")).not.toBeNull();
  });

  test("explains an empty leaderboard and evaluates all of it at once", () => {
    const rows = [row("a-1"), row("b-1")];
    const onEvaluate = vi.fn();
    renderPage(<LeaderboardPageView {...props} rows={rows} onEvaluate={onEvaluate} />);
    expect(screen.getByText(/Nothing was evaluated on this set yet/)).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Evaluate all 2" }));
    expect(onEvaluate).toHaveBeenCalledWith(rows);
  });

  test("shows how far an evaluation is in place of its button", () => {
    renderPage(<LeaderboardPageView {...props} rows={[row("a-1"), row("b-1")]} shares={{ "a-1": 0.4 }} />);
    expect(screen.getByRole("progressbar", { name: "Evaluation of a-1" })).toHaveAttribute("aria-valuenow", "40");
    expect(screen.queryByRole("button", { name: "Evaluate a-1" })).toBeNull();
    expect(screen.getByRole("button", { name: "Evaluate b-1" })).toBeVisible();
  });

  test("says of each puzzle whether it was solved, and leads to its episode", () => {
    const evaluation = fixtureEvaluation({ policy: { case: "modelId", value: "a-1" } }, 1000, 0.7, 34);
    const puzzle = (mazeId: string, title: string, successes: number, seed: bigint) =>
      create(PuzzleFiguresSchema, {
        mazeId,
        title,
        seed,
        shortestPath: 15,
        figures: { episodes: 1, successes, rate: successes, spl: successes, meanSteps: 20 },
      });
    evaluation.byPuzzle = [puzzle("puzzle-comb", "Comb", 1, 0n), puzzle("puzzle-spiral", "Spiral", 0, 1n)];
    renderPage(<LeaderboardPageView {...props} rows={[row("a-1", evaluation)]} />);
    fireEvent.click(screen.getByRole("button", { name: "Details of a-1" }));
    const puzzles = screen.getByRole("table", { name: "By puzzle" });
    expect(within(puzzles).getByRole("row", { name: /Comb solved/ })).toBeVisible();
    const failed = within(puzzles).getByRole("row", { name: /Spiral failed/ });
    expect(within(failed).getByRole("link", { name: "Spiral" })).toHaveAttribute(
      "href",
      "/?model=a-1&maze=puzzle-spiral&seed=1&step=0&v=1",
    );
  });

  test("says when what it shows is old", () => {
    const evaluation = fixtureEvaluation({ policy: { case: "modelId", value: "a-1" } }, 1000, 0.7, 34);
    renderPage(
      <LeaderboardPageView {...props} rows={[row("a-1", evaluation)]} stale error={new Error("It is away.")} />,
    );
    expect(screen.getByText(/It is away/)).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Details of a-1" }));
    expect(screen.getByText("It failed in no maze.")).toBeVisible();
  });
});
