// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Algorithm, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { DARK_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { MomentLane } from "@/lib/moment-link";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { RacePageLoading, RacePageView, type RacePageViewProps } from "./race-page-view";
import { RaceSession } from "./race-session";
import { defaultRaceSettings } from "./race-settings";
import { useRaceSnapshot, useRaceState } from "./use-race-session";

pageOrigin();

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const made = (modelId: string, title: string, algorithm: Algorithm) =>
  create(ModelSchema, { modelId, title, algorithm, state: ModelState.READY, observation: "memory/1" });
const models = [
  made("ppo-memory-1", "PPO with memory", Algorithm.PPO),
  made("dqn-memory-1", "DQN with memory", Algorithm.DQN),
];
const lanes: MomentLane[] = [
  { policy: { modelId: "ppo-memory-1" }, sampling: "greedy" },
  { policy: { modelId: "dqn-memory-1" }, sampling: { temperature: 0.5 } },
  { policy: { baseline: Baseline.NEAREST_FRONTIER }, sampling: "greedy" },
];
const names = ["PPO with memory", "DQN with memory", "Nearest frontier"];
const actions = {
  play: vi.fn(),
  stop: vi.fn(),
  reset: vi.fn(),
  step: vi.fn(),
  back: vi.fn(),
  next: vi.fn(),
  show: vi.fn(),
  live: vi.fn(),
  speed: vi.fn(),
  retry: vi.fn(),
};
const onLanes = vi.fn();
const onAddLane = vi.fn();

let session: RaceSession;
beforeEach(() => {
  // jsdom has no canvas; the boards are drawn in the browser tests and by maze-canvas's own.
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  session = new RaceSession({ transport: createRouterTransport(fixtureRoutes()), stepsPerSecond: 0 });
  session.choose({ maze, lanes, seed: 7n });
});
afterEach(() => session.dispose());

/** The view with live state and everything else given. */
function View(change: Partial<RacePageViewProps>) {
  const state = useRaceState(session);
  const snapshot = useRaceSnapshot(session);
  return (
    <RacePageView
      availability="ready"
      linkProblem={undefined}
      onForgetLink={() => {}}
      models={models}
      lanes={lanes}
      names={names}
      problems={[undefined, undefined, undefined]}
      maze={maze}
      race={session.playback}
      snapshot={snapshot}
      session={state}
      moving={false}
      sentence=""
      board={{ heat: "visits", arrows: false, trail: true, rulers: false, stepsPerSecond: 0, reducedMotion: true }}
      theme={DARK_MAZE_THEME}
      settings={defaultRaceSettings}
      onSettings={() => {}}
      onLanes={onLanes}
      onAddLane={onAddLane}
      onMaze={() => {}}
      actions={actions}
      share={null}
      {...change}
    />
  );
}

const finish = async () => {
  act(() => session.play());
  await waitFor(() => expect(session.getState().activity).toBe("finished"), { timeout: 40_000 });
};
const boards = () => screen.getAllByRole("img", { name: /at row \d+, column \d+, step/ });

describe("the race page", () => {
  test("has a board for each lane, which says where its agent is", () => {
    renderPage(<View />);
    expect(boards().map((board) => board.getAttribute("aria-label"))).toEqual(
      names.map((name) => expect.stringMatching(`^${name} at row \\d+, column \\d+, step 0, `)),
    );
  });

  test("puts all agents on one board when asked, and says where each is", () => {
    renderPage(<View settings={{ ...defaultRaceSettings, layout: "together" }} />);
    const [board, ...others] = boards();
    expect(others).toEqual([]);
    for (const name of names) expect(board).toHaveAccessibleName(expect.stringContaining(`${name} at row`));
  });

  test("shows places, steps, gap, bumps and reward of every lane at the end", async () => {
    renderPage(<View sentence="PPO with memory wins." />);
    await finish();
    const rows = within(screen.getByRole("table", { name: "Standings" }))
      .getAllByRole("row")
      .slice(1);
    expect(rows).toHaveLength(3);
    const { lanes: ended } = session.playback.getSnapshot();
    const first = ended.find((lane) => lane.place === 1);
    expect(rows[0]).toHaveTextContent(/1st/);
    expect(rows[0]).toHaveTextContent(String(first?.playback.result?.steps));
    expect(rows[0]).toHaveTextContent(`SPL ${first?.playback.result?.spl.toFixed(2)}`);
    expect(screen.getByRole("heading", { name: "Photo finish" })).toBeInTheDocument();
    expect(screen.getAllByRole("status").at(-1)).toHaveTextContent("PPO with memory wins.");
  });

  test("exchanges, adds and takes out lanes, but never the last one", () => {
    const { unmount } = renderPage(<View />);
    fireEvent.click(screen.getAllByRole("button", { name: "Take DQN with memory out of the race" })[0] as HTMLElement);
    expect(onLanes).toHaveBeenCalledWith([lanes[0], lanes[2]]);
    fireEvent.click(screen.getAllByRole("button", { name: /^Add/ })[0] as HTMLElement);
    expect(onAddLane).toHaveBeenCalledOnce();
    unmount();
    renderPage(<View lanes={lanes.slice(0, 1)} names={names.slice(0, 1)} />);
    for (const button of screen.getAllByRole("button", { name: /out of the race$/ })) expect(button).toBeDisabled();
  });

  test("tells how each model acts, and offers nothing of it for a baseline", () => {
    renderPage(<View />);
    const ways = screen.getAllByRole("button", { name: /takes its actions/ }).map((button) => button.ariaLabel);
    expect(ways).toContain("How DQN with memory in lane 2 takes its actions: T = 0.5");
    expect(ways.some((way) => way?.includes("Nearest frontier"))).toBe(false);
  });

  test("offers the way back to the newest step while one looks back", async () => {
    renderPage(<View />);
    await finish();
    expect(screen.queryByRole("button", { name: /^Return to step/ })).toBeNull();
    act(() => session.show(2));
    fireEvent.click(screen.getByRole("button", { name: `Return to step ${session.playback.liveStep}` }));
    expect(actions.live).toHaveBeenCalledOnce();
  });

  test("says of a lane that it cannot run here", () => {
    renderPage(<View availability="refused" problems={[undefined, "dqn-memory-1 is not on this server", undefined]} />);
    expect(screen.getByText(/dqn-memory-1 is not on this server\. Choose somebody else/)).toBeVisible();
    expect(boards()).toHaveLength(2);
    expect(screen.getByRole("button", { name: "Play" })).toBeDisabled();
  });

  test("says what it holds while it reconnects, and why the server refused", () => {
    const error = { code: "unavailable", title: "Server can't be reached", field: "", hint: "", retryable: true };
    const reconnecting = { kind: "reconnecting", attempt: 2, retryAt: 0, error } as const;
    const state = session.getState();
    const snapshot = { ...session.playback.getSnapshot(), liveStep: 7 };
    const { unmount } = renderPage(
      <View session={{ ...state, activity: "running", connection: reconnecting }} snapshot={snapshot} />,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("All lanes are held at step 7");
    fireEvent.click(within(screen.getByRole("alert")).getByRole("button", { name: "Retry now" }));
    expect(actions.retry).toHaveBeenCalledOnce();
    unmount();
    renderPage(
      <View session={{ ...state, activity: "failed", error: { ...error, field: "lanes[1].policy.model_id" } }} />,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("lanes[1].policy.model_id");
  });

  test("without a server, and with a link that cannot be opened, says so", () => {
    const { unmount } = renderPage(<View availability="server-away" maze={undefined} lanes={[]} names={[]} />);
    expect(screen.getByText("The server is away")).toBeVisible();
    unmount();
    const onForgetLink = vi.fn();
    renderPage(<View linkProblem="This link is incomplete." onForgetLink={onForgetLink} />);
    expect(screen.getByText("This link is incomplete.")).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Start another race" }));
    expect(onForgetLink).toHaveBeenCalledOnce();
  });

  test("is busy before anything is known", () => {
    renderPage(<RacePageLoading />);
    expect(screen.getByRole("main")).toHaveAttribute("aria-busy", "true");
  });
});
