// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { Algorithm, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { policyDifference } from "@rlmaze/maze-canvas/policy-difference";
import { DARK_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { DifferencePageLoading, DifferencePageView, type DifferencePageViewProps } from "./difference-page-view";
import { DifferenceSession } from "./difference-session";
import { defaultDifferenceSettings } from "./difference-settings";
import { choicesIn, disputedCells, summaryOf } from "./disputes";
import { useDifferenceState, useWaySnapshot } from "./use-difference-session";

pageOrigin();

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const made = (modelId: string, title: string, algorithm: Algorithm) =>
  create(ModelSchema, { modelId, title, algorithm, state: ModelState.READY, observation: "memory/1" });
const models = [
  made("ppo-memory-1", "PPO with memory", Algorithm.PPO),
  made("dqn-memory-1", "DQN with memory", Algorithm.DQN),
];
const names = { a: "PPO with memory", b: "DQN with memory" };
const onSelect = vi.fn();
const onOnly = vi.fn();
const onSwap = vi.fn();
const onStep = vi.fn();
const onRetry = vi.fn();

let session: DifferenceSession;
beforeEach(() => {
  // jsdom has no canvas; the map is drawn in the browser tests and by maze-canvas's own.
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  session = new DifferenceSession({ transport: createRouterTransport(fixtureRoutes()), restMs: 0 });
});
afterEach(() => session.dispose());

/** The view with live state and everything else given. */
function View(change: Partial<DifferencePageViewProps>) {
  const state = useDifferenceState(session);
  const snapshot = useWaySnapshot(session);
  const { grid } = session.playback;
  const { maps } = state;
  const difference = maps && grid && policyDifference(grid, maps.a, maps.b);
  const choicesAt = (cell: number) => maps && grid && difference && choicesIn(grid, maps, difference, cell);
  const selected = change.selected;
  return (
    <DifferencePageView
      availability="ready"
      linkProblem={undefined}
      onForgetLink={() => {}}
      models={models}
      names={names}
      a="ppo-memory-1"
      b="dqn-memory-1"
      maze={maze}
      playback={session.playback}
      snapshot={snapshot}
      session={state}
      summary={grid && difference && summaryOf(grid, difference)}
      disputes={(difference ? disputedCells(difference) : []).flatMap((cell) => choicesAt(cell) ?? [])}
      choices={selected === undefined ? undefined : choicesAt(selected)}
      selected={undefined}
      only={undefined}
      board={{
        heat: "off",
        arrows: false,
        trail: true,
        rulers: true,
        stepsPerSecond: 0,
        reducedMotion: true,
        difference,
      }}
      theme={DARK_MAZE_THEME}
      settings={defaultDifferenceSettings}
      onSettings={() => {}}
      onMaze={() => {}}
      onModels={() => {}}
      onSwap={onSwap}
      onSelect={onSelect}
      onOnly={onOnly}
      onStep={onStep}
      onNextMaze={() => {}}
      onRetry={onRetry}
      share={null}
      {...change}
    />
  );
}

const compare = async (step = 3) => {
  act(() =>
    session.choose(
      {
        maze,
        a: "ppo-memory-1",
        b: { modelId: "dqn-memory-1", observation: "memory/1" },
        seed: 7n,
        sampling: "greedy",
      },
      step,
    ),
  );
  await waitFor(() => expect(session.getState().maps?.atStep).toBe(step), { timeout: 40_000 });
};
const listed = () => within(screen.getByRole("list", { name: "Cells where they differ" })).getAllByRole("button");

describe("the difference page", () => {
  test("says on the map, in figures and in a list where they differ", async () => {
    renderPage(<View />);
    await compare();
    const buttons = await waitFor(listed);
    const board = screen.getByRole("application", { name: /^Difference map/ });
    expect(board).toHaveAccessibleName(expect.stringContaining(`They differ in ${buttons.length} of`));
    expect(screen.getAllByRole("status").at(-1)).toHaveTextContent(/^Step 3\. They differ in/);
    expect(buttons[0]).toHaveAccessibleName(/^Row \d+, column \d+: PPO with memory \w+ .*, best .*right$/);
  });

  test("selects a cell of the list, and tells of both what they would do there", async () => {
    const { unmount } = renderPage(<View />);
    await compare();
    const [first] = await waitFor(listed);
    fireEvent.click(first as HTMLElement);
    const cell = Number(first?.parentElement?.dataset.cell);
    expect(onSelect).toHaveBeenCalledWith(cell);
    unmount();
    renderPage(<View selected={cell} />);
    const region = screen.getByRole("region", { name: "Cell" });
    expect(region).toHaveTextContent(/The shortest path goes (up|down|left|right)/);
    for (const name of Object.values(names)) {
      expect(within(within(region).getByRole("region", { name })).getAllByRole("listitem")).toHaveLength(4);
    }
    expect(region).toHaveTextContent("V(s)");
    expect(region).toHaveTextContent("Max Q");
  });

  test("filters by who is right, and offers no kind that is not there", async () => {
    renderPage(<View />);
    await compare();
    await waitFor(listed);
    const kinds = within(screen.getByRole("list", { name: "Who is right where they differ" })).getAllByRole("button");
    expect(kinds).toHaveLength(4);
    for (const kind of kinds) {
      if (kind.children[2]?.textContent === "0") expect(kind).toBeDisabled();
      else {
        fireEvent.click(kind);
        expect(onOnly).toHaveBeenCalledOnce();
        onOnly.mockClear();
      }
    }
  });

  test("moves the moment, changes sides and says why baselines are missing", async () => {
    renderPage(<View />);
    await compare();
    fireEvent.change(screen.getByRole("slider", { name: "Step of PPO with memory" }), { target: { value: "5" } });
    expect(onStep).toHaveBeenCalledWith(5);
    fireEvent.click(screen.getByRole("button", { name: "Change sides" }));
    expect(onSwap).toHaveBeenCalledOnce();
  });

  test("says that one model against itself can differ nowhere", async () => {
    renderPage(<View b="ppo-memory-1" />);
    await compare();
    expect(screen.getByText(/nothing can differ/)).toBeVisible();
  });

  test("is busy while both are being asked, and dims what is not of this moment", async () => {
    renderPage(<View />);
    expect(screen.getByText("Both models are being asked.")).toBeInTheDocument();
    await compare();
    const state = { ...session.getState(), stale: true, attempts: 2 } as const;
    const error = { code: "unavailable", title: "Server can't be reached", field: "", hint: "", retryable: true };
    renderPage(<View session={{ ...state, error }} />);
    const alert = screen.getByRole("alert");
    expect(alert).toHaveTextContent("What is shown is step 3");
    fireEvent.click(within(alert).getByRole("button", { name: "Retry now" }));
    expect(onRetry).toHaveBeenCalledOnce();
  });

  test("explains a link to a baseline kindly, and leads to the race", () => {
    const onForgetLink = vi.fn();
    renderPage(<View linkProblem={{ kind: "baseline", text: "They have no scores." }} onForgetLink={onForgetLink} />);
    expect(screen.getByText("A baseline has no scores")).toBeVisible();
    expect(screen.getByRole("link", { name: "Open the race" })).toHaveAttribute("href", "/race");
    fireEvent.click(screen.getByRole("button", { name: "Go on without it" }));
    expect(onForgetLink).toHaveBeenCalledOnce();
  });

  test("says what is missing: two models, the server", () => {
    const { unmount } = renderPage(<View availability="too-few" models={models.slice(0, 1)} a="" b="" />);
    expect(screen.getByText("Two models are needed")).toBeVisible();
    unmount();
    renderPage(<View availability="server-away" maze={undefined} models={[]} />);
    expect(screen.getByText("The server is away")).toBeVisible();
  });

  test("is busy before anything is known", () => {
    renderPage(<DifferencePageLoading />);
    expect(screen.getByRole("main")).toHaveAttribute("aria-busy", "true");
  });
});
