// @vitest-environment jsdom
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { type Training, TrainingPhase, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import recorded from "./fixtures/run.json";
import { RunMissing, RunPageView, type RunPageViewProps } from "./run-page-view";
import { RunRecord } from "./run-record";

pageOrigin();

/** A run that the trainer really trained. */
const history = fromJson(GetTrainingHistoryResponseSchema, recorded as JsonValue);

const onStop = vi.fn();
const onResume = vi.fn();
const onCheckpoint = vi.fn();
afterEach(() => vi.clearAllMocks());

function show(training: Partial<Training> = {}, props: Partial<RunPageViewProps> = {}): void {
  const record = new RunRecord(history);
  const snapshot = record.getSnapshot();
  record.dispose();
  renderPage(
    <RunPageView
      snapshot={{ ...snapshot, training: { ...snapshot.training, ...training } }}
      connection={{ kind: "connected", transport: "connect" }}
      now={snapshot.receivedAt}
      smoothing="some"
      onSmoothing={() => {}}
      checkpoint={snapshot.checkpoints.length - 1}
      following
      onCheckpoint={onCheckpoint}
      onFollow={() => {}}
      onPick={() => {}}
      busy={undefined}
      problem={undefined}
      onStop={onStop}
      onResume={onResume}
      onRetry={() => {}}
      {...props}
    />,
  );
}

const running = { state: TrainingState.RUNNING, phase: TrainingPhase.LEARNING, modelId: "" };

describe("the page of a run", () => {
  test("that is completed says what the model is worth and where it can be seen", () => {
    show();
    expect(screen.getByTestId("run-state")).toHaveTextContent("completed");
    expect(screen.getByTestId("held-out")).toHaveTextContent("100.0");
    const [watch] = screen.getAllByRole("link", { name: "Watch it solve an unseen maze" });
    expect(watch).toHaveAttribute("href", expect.stringMatching(/^\/\?model=ppo-quick-1&maze=heldout-0007.*play=1$/));
    expect(screen.queryByRole("button", { name: "Stop" })).toBeNull();
    expect(screen.getByRole("progressbar", { name: "Steps learned" })).toHaveAttribute("aria-valuenow", "100");
  });

  test("reads out its curves, and gives them as tables", () => {
    show();
    const reward = screen.getByRole("slider", { name: "Reward, crosshair over steps" });
    expect(reward).toHaveAttribute(
      "aria-valuetext",
      expect.stringMatching(/^Reward: \+0\.\d\d at 401\u202fk; .*lowest/),
    );
    fireEvent.keyDown(reward, { key: "Home" });
    expect(reward).toHaveAttribute("aria-valuetext", expect.stringContaining("Reward −"));
    fireEvent.click(screen.getByRole("button", { name: "Success as a table" }));
    expect(screen.getByRole("columnheader", { name: "Validation" })).toBeVisible();
    expect(screen.getByRole("columnheader", { name: "Held-out" })).toBeVisible();
  });

  test("stops at once what can go on later", () => {
    show(running);
    fireEvent.click(screen.getAllByRole("button", { name: "Stop" })[0] as HTMLElement);
    expect(onStop).toHaveBeenCalledOnce();
  });

  test("asks before it stops what would be lost", async () => {
    show({ ...running, phase: TrainingPhase.EVALUATING });
    fireEvent.click(screen.getAllByRole("button", { name: "Stop" })[0] as HTMLElement);
    expect(onStop).not.toHaveBeenCalled();
    const dialog = await screen.findByRole("dialog", { name: "Stop this run?" }, { timeout: 20_000 });
    expect(dialog).toHaveTextContent("it brings no model and cannot go on");
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(onStop).toHaveBeenCalledOnce();
  });

  test("that was stopped can be resumed and cloned", () => {
    show({ state: TrainingState.STOPPED, phase: TrainingPhase.UNSPECIFIED, resumable: true, modelId: "" });
    fireEvent.click(screen.getAllByRole("button", { name: "Resume" })[0] as HTMLElement);
    expect(onResume).toHaveBeenCalledOnce();
    expect(screen.getAllByRole("link", { name: "Clone" })[0]).toHaveAttribute(
      "href",
      `/training?from=${history.training?.runId}`,
    );
  });

  test("that failed says why; one that waits says for what; notices say what is not as it should be", () => {
    show({ state: TrainingState.FAILED, modelId: "", failure: "The loss became nan; lower the learning rate." });
    expect(screen.getByText("The loss became nan; lower the learning rate.")).toBeVisible();
    show({ state: TrainingState.QUEUED, modelId: "", queuePosition: 2 });
    expect(screen.getByText(/Waits for the CPU; 2 runs are started before it/)).toBeVisible();
    show({ ...running, notices: ["MLflow does not answer; what is logged is kept and sent later."] });
    expect(screen.getByText(/MLflow does not answer/)).toBeVisible();
  });

  test("whose stream is cut says that the training goes on", () => {
    show(running, {
      connection: {
        kind: "reconnecting",
        attempt: 2,
        retryAt: 0,
        error: { code: "unavailable", title: "Server can't be reached", field: "", hint: "", retryable: true },
      },
    });
    expect(screen.getByRole("alert")).toHaveTextContent("The training goes on meanwhile");
    expect(screen.getAllByRole("button", { name: "Retry now" }).length).toBeGreaterThan(0);
  });

  test("drags back through its checkpoints", () => {
    show();
    const slider = screen.getByRole("slider", { name: "Checkpoint" });
    expect(slider).toHaveAttribute("aria-valuetext", expect.stringMatching(/steps, validation success 100\.0/));
    fireEvent.change(slider, { target: { value: "0" } });
    expect(onCheckpoint).toHaveBeenCalledWith(0);
  });

  test("that does not exist says so", () => {
    renderPage(<RunMissing runId="x" missing message="There is no run x." retrying={false} onRetry={() => {}} />);
    expect(screen.getByText("There is no such run")).toBeVisible();
  });
});

test("the recorded run is whole", () => {
  expect(create(GetTrainingHistoryResponseSchema, history).curves.length).toBe(7);
});
