// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { DARK_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { EpisodeSession } from "./episode-session";
import { InferencePageLoading, InferencePageView, type InferencePageViewProps } from "./inference-page-view";
import { defaultSettings } from "./settings";
import { spokenState } from "./spoken";
import { usePlaybackSnapshot, useSessionState } from "./use-episode-session";
import { useMoments } from "./use-moments";
import { usePerception } from "./use-perception";

pageOrigin();

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const model = create(ModelSchema, { modelId: "ppo-memory-1", active: true, state: ModelState.READY });
const actions = {
  play: vi.fn(),
  stop: vi.fn(),
  reset: vi.fn(),
  back: vi.fn(),
  forward: vi.fn(),
  next: vi.fn(),
  again: vi.fn(),
  live: vi.fn(),
  show: vi.fn(),
  speed: vi.fn(),
  retry: vi.fn(),
};

let session: EpisodeSession;
beforeEach(() => {
  // jsdom has no canvas; the board is drawn in the browser tests and by maze-canvas's own.
  HTMLCanvasElement.prototype.getContext = (() => null) as never;
  session = new EpisodeSession({ transport: createRouterTransport(fixtureRoutes()), stepsPerSecond: 0 });
  session.choose({ maze, modelId: "", seed: 7n, sampling: { sampling: { case: "greedy", value: {} } } });
});
afterEach(() => session.dispose());

/** The view with live state and everything else given. */
function View(change: Partial<InferencePageViewProps>) {
  const state = useSessionState(session);
  const snapshot = usePlaybackSnapshot(session);
  const moments = useMoments(session.playback, snapshot);
  const { perception, turn, set, reset } = usePerception(session, snapshot, "memory/1", true);
  return (
    <InferencePageView
      playback={session.playback}
      snapshot={snapshot}
      session={state}
      board={{ heat: "visits", arrows: true, trail: true, rulers: true, stepsPerSecond: 0, reducedMotion: true }}
      heatScale={undefined}
      theme={DARK_MAZE_THEME}
      onHeat={() => {}}
      facts={undefined}
      onCell={() => {}}
      selected={undefined}
      onSelect={() => {}}
      perception={perception}
      onTurn={turn}
      onSet={set}
      onResetFlips={reset}
      link={undefined}
      staleMs={undefined}
      {...moments}
      forever={false}
      spoken={spokenState(state.activity, snapshot)}
      caption="It has never seen this maze."
      availability="ready"
      models={[model]}
      model={model}
      maze={maze}
      settings={defaultSettings}
      onSettings={() => {}}
      onMaze={() => {}}
      actions={actions}
      nextIn={undefined}
      onStay={() => {}}
      isPhone={false}
      share={null}
      {...change}
    />
  );
}

const finish = async () => {
  act(() => session.play());
  await waitFor(() => expect(session.getState().activity).toBe("finished"), { timeout: 40_000 });
};

describe("the inference page", () => {
  test("is ready with its maze at step 0, and plays when asked", () => {
    renderPage(<View />);
    expect(screen.getByTestId("step-display")).toHaveTextContent("0 / 200");
    expect(screen.getByText("Every step appears here, the newest on top.")).toBeInTheDocument();
    fireEvent.click(screen.getByRole("button", { name: "Play" }));
    expect(actions.play).toHaveBeenCalledOnce();
  });

  test("has the whole legend", () => {
    renderPage(<View />);
    const legend = screen.getByRole("list", { name: "Legend" });
    expect(
      within(legend)
        .getAllByRole("listitem")
        .map((sign) => sign.textContent),
    ).toEqual(["Wall", "Path", "Start", "Goal", "Agent", "Visited", "Trail", "Window", "Known dead end"]);
  });

  test("shows steps, reward, action and V(s) of a policy network, never a Q", async () => {
    renderPage(<View />);
    await finish();
    const { shown, liveStep } = session.playback.getSnapshot();
    expect(shown?.scores?.kind).toBe(ScoreKind.LOGIT);
    expect(screen.getByTestId("step-display")).toHaveTextContent(`${liveStep} / 200`);
    const metrics = screen.getByRole("tabpanel", { name: "Metrics" });
    expect(metrics).toHaveTextContent("+0.99");
    expect(metrics).toHaveTextContent("V(s)");
    expect(metrics).toHaveTextContent("Action probabilities and logits");
    expect(metrics).not.toHaveTextContent("Max Q");
  });

  test("names max Q for a network of Q-values", async () => {
    session.choose({ maze, modelId: "dqn-memory-1", seed: 7n, sampling: { sampling: { case: "greedy", value: {} } } });
    renderPage(<View />);
    await finish();
    const metrics = screen.getByRole("tabpanel", { name: "Metrics" });
    expect(metrics).toHaveTextContent("Max Q");
    expect(metrics).not.toHaveTextContent("V(s)");
  });

  test("tells the result, in sight and to screen readers, and offers the next maze", async () => {
    renderPage(<View nextIn={4} />);
    await finish();
    const [result] = await screen.findAllByRole("group", { name: "Result" });
    expect(result).toHaveTextContent("Reached the goal");
    expect(screen.getByText(/^Reached the goal in \d+ steps; the shortest path has \d+\.$/)).toHaveAttribute(
      "role",
      "status",
    );
    fireEvent.click(within(result as HTMLElement).getByRole("button", { name: "Next maze in 4 s" }));
    expect(actions.next).toHaveBeenCalledOnce();
  });

  test("logs every step, the newest on top, and shows an earlier one on a click", async () => {
    renderPage(<View />);
    await finish();
    const rows = within(screen.getByRole("table", { name: "Step log" }))
      .getAllByRole("row")
      .slice(1);
    const { liveStep } = session.playback;
    expect(rows[0]).toHaveTextContent(String(liveStep));
    expect(rows[1]).toHaveTextContent(String(liveStep - 1));
    fireEvent.click(rows[1] as HTMLElement);
    expect(actions.show).toHaveBeenCalledWith(liveStep - 1);
  });

  test("says why the server refused", async () => {
    session.choose({ maze, modelId: "ppo-trail-2", sampling: { sampling: { case: "greedy", value: {} } } });
    renderPage(<View />);
    act(() => session.play());
    expect(await screen.findByRole("alert")).toHaveTextContent("Not possible now.");
    expect(screen.getByRole("alert")).toHaveTextContent("sha256");
  });

  test("says what it holds while it reconnects", () => {
    const error = { code: "unavailable", title: "Server can't be reached", field: "", hint: "", retryable: true };
    const state = {
      ...session.getState(),
      activity: "running",
      connection: { kind: "reconnecting", attempt: 2, retryAt: 0, error },
    } as const;
    renderPage(<View session={state} snapshot={{ ...session.playback.getSnapshot(), liveStep: 7 }} />);
    expect(screen.getByRole("alert")).toHaveTextContent(
      "Held at step 7; it goes on by itself when the server is back (attempt 2).",
    );
    fireEvent.click(within(screen.getByRole("alert")).getByRole("button", { name: "Retry now" }));
    expect(actions.retry).toHaveBeenCalledOnce();
  });

  test("without an active model says so, leads to the models and plays nothing", () => {
    renderPage(<View availability="no-model" model={undefined} models={[]} />);
    expect(screen.getByText("No model is active")).toBeVisible();
    expect(screen.getByRole("link", { name: "Choose a model" })).toHaveAttribute("href", "/models");
    expect(screen.getByRole("button", { name: "Play" })).toBeDisabled();
  });

  test("without a server says so", () => {
    renderPage(<View availability="server-away" maze={undefined} model={undefined} models={[]} />);
    expect(screen.getByText("The server is away")).toBeVisible();
  });

  test("is busy before anything is known", () => {
    renderPage(<InferencePageLoading caption="It has never seen this maze." />);
    expect(screen.getByRole("main")).toHaveAttribute("aria-busy", "true");
  });

  test("lays out views and speeds as choices with names", () => {
    renderPage(<View />);
    const speeds = screen.getByRole("radiogroup", { name: "Speed, steps a second" });
    expect(
      within(speeds)
        .getAllByRole("radio")
        .map((speed) => speed.textContent),
    ).toEqual(["1", "4", "16", "64", "Max"]);
    fireEvent.click(within(speeds).getByText("16"));
    expect(actions.speed).toHaveBeenCalledWith(16);
    expect(screen.getByRole("switch", { name: "Policy" })).toBeChecked();
    expect(screen.getByRole("radio", { name: "Visits" })).toBeChecked();
  });

  test("says how far behind the newest step one is, and leads back to it", async () => {
    renderPage(<View />);
    await finish();
    act(() => session.show(3));
    const behind = session.playback.liveStep - 3;
    const back = screen.getByRole("button", { name: `To the newest step, ${behind} steps behind` });
    expect(screen.getByTestId("step-display")).toHaveTextContent("3 / 200");
    fireEvent.click(back);
    expect(actions.live).toHaveBeenCalledOnce();
  });

  test("jumps to the events around the shown step, which stand as ticks on the timeline", async () => {
    renderPage(<View />);
    await finish();
    expect(document.querySelectorAll("[data-event=reached_goal]")).toHaveLength(1);
    expect(screen.getByRole("button", { name: "Next event" })).toBeDisabled();
    act(() => session.show(0));
    fireEvent.click(screen.getByRole("button", { name: "Next event" }));
    expect(actions.show).toHaveBeenCalledWith(session.playback.events.next(0)?.step);
  });

  test("shows the agent's 25 inputs with their numbers, and holds the moment when one is changed", async () => {
    renderPage(<View />);
    const window = screen.getByRole("group", { name: /^What the agent sees: up/ });
    const inputs = within(window).getAllByRole("button");
    expect(inputs).toHaveLength(25);
    expect(inputs[12]).toHaveAccessibleName("the agent's cell: visited, \u22120.80");
    fireEvent.click(inputs[0] as HTMLElement);
    expect(inputs[0]).toHaveAttribute("aria-pressed", "true");
    expect(session.playback.mode).toBe("still");
    fireEvent.click(screen.getByRole("button", { name: "Reset the changed cells" }));
    expect(inputs[0]).toHaveAttribute("aria-pressed", "false");
  });

  test("names a cycle, says that what one sees is old, and what a link opened, in the line above the board", () => {
    const loop = { cells: [1, 2, 3, 2], period: 4, since: 31, namedAt: 39, rounds: 6 };
    const snapshot = session.playback.getSnapshot();
    const shown = renderPage(<View snapshot={{ ...snapshot, loop }} forever />);
    expect(screen.getByText("Repeats 3 cells since step 31.")).toBeVisible();
    expect(screen.getByText(/6 rounds so far; it sees the same each time/)).toBeVisible();
    shown.unmount();
    const stale = renderPage(<View staleMs={4_200} />);
    expect(screen.getByText("Nothing for 4 s.")).toBeVisible();
    const onClose = vi.fn();
    stale.unmount();
    renderPage(<View link={{ kind: "problem", text: "This link is damaged.", onClose }} />);
    expect(screen.getByRole("alert")).toHaveTextContent("This link is damaged.");
    fireEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(onClose).toHaveBeenCalledOnce();
  });

  test("stands in one column without tabs on a phone, with playback apart from what scrolls", async () => {
    renderPage(<View isPhone />);
    expect(screen.queryByRole("tablist")).not.toBeInTheDocument();
    expect(
      within(screen.getByRole("region", { name: "Playback" })).getByRole("button", { name: "Play" }),
    ).toBeVisible();
    for (const name of ["Metrics", "Cumulative reward", "Step log"]) {
      expect(screen.getByRole("heading", { name })).toBeVisible();
    }
    const config = screen.getByRole("button", { name: "Config" });
    fireEvent.click(config);
    expect(config).toHaveAttribute("aria-expanded", "true");
  });
});
