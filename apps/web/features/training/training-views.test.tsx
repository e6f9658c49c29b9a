// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { GetStatusResponseSchema, ServiceState } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { TrainingSchema, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import {
  GetTrainingDefaultsResponseSchema,
  TrainingBusySchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { fireEvent, screen, within } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, test, vi } from "vitest";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { BusyNotice } from "./busy-notice";
import { readConfigSchema } from "./config-schema";
import { type Draft, presetDraft } from "./draft";
import recorded from "./fixtures/defaults.json";
import { isListed, RunList } from "./run-list";
import { StartForm } from "./start-form";
import { TrainerNotice } from "./trainer-notice";
import { trainerService } from "./trainer-service";

pageOrigin();

const defaults = create(GetTrainingDefaultsResponseSchema, recorded);
const schema = readConfigSchema(defaults.schemaJson);

function Form({ onStart }: { onStart: () => void }) {
  const [draft, setDraft] = useState<Draft>(() => {
    const [quick] = defaults.presets;
    if (quick === undefined) throw new Error("no preset");
    return presetDraft(schema, quick);
  });
  return (
    <StartForm
      defaults={defaults}
      schema={schema}
      draft={draft}
      refused={[]}
      starting={false}
      blocked=""
      notice={null}
      onDraft={setDraft}
      onStart={onStart}
    />
  );
}

describe("the form", () => {
  test("starts the quick preset with one press", () => {
    const onStart = vi.fn();
    renderPage(<Form onStart={onStart} />);
    expect(screen.getByRole("radio", { name: /^Quick PPO/ })).toBeChecked();
    fireEvent.click(screen.getByRole("button", { name: "Start" }));
    expect(onStart).toHaveBeenCalledOnce();
  });

  test("has every field of the schema, folded in its group, with unit, words and default", () => {
    renderPage(<Form onStart={() => {}} />);
    expect(screen.getByRole("textbox", { name: "Experience" })).toHaveValue("400000");
    fireEvent.click(screen.getByRole("button", { name: /^PPO/ }));
    for (const { title } of schema.sections.find(({ key }) => key === "ppo")?.fields ?? []) {
      expect(screen.getByRole("textbox", { name: title })).toBeVisible();
    }
    expect(screen.getByRole("textbox", { name: "Discount" })).toHaveAttribute("placeholder", "0.99");
    expect(screen.queryByRole("button", { name: /^DQN/ })).toBeNull();
  });

  test("does not start what is wrong, and shows where it is", () => {
    const onStart = vi.fn();
    renderPage(<Form onStart={onStart} />);
    fireEvent.change(screen.getByRole("textbox", { name: "Experience" }), { target: { value: "many" } });
    expect(screen.getByText("Must be a whole number of at least 1.")).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Start" }));
    expect(onStart).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("radio", { name: "YAML" }));
    expect(screen.getByRole("button", { name: /^Line 7, timesteps: Must be/ })).toBeVisible();
    // A press on the preset takes the change back.
    fireEvent.click(screen.getByRole("radio", { name: /^Quick PPO/ }));
    expect(screen.queryByRole("button", { name: /^Line/ })).toBeNull();
  });
});

describe("a trainer that is not there", () => {
  const status = (state: ServiceState, message = "", progress?: number) =>
    trainerService(
      create(GetStatusResponseSchema, {
        services: [{ name: "trainer", state, message, ...(progress === undefined ? {} : { progress }) }],
      }),
    );

  test("is being installed, with how far", () => {
    const trainer = status(ServiceState.PREPARING, "Installing PyTorch, 2.1 of 5.4 GB.", 0.41);
    renderPage(<TrainerNotice trainer={trainer} error={null} onRetry={() => {}} />);
    expect(screen.getByText("Installing PyTorch, 2.1 of 5.4 GB.")).toBeVisible();
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "41");
  });

  test("is away, or there is none", () => {
    renderPage(<TrainerNotice trainer={status(ServiceState.AWAY)} error={null} onRetry={() => {}} />);
    expect(screen.getByText("The trainer is away")).toBeVisible();
    renderPage(<TrainerNotice trainer={status(ServiceState.NOT_CONFIGURED)} error={null} onRetry={() => {}} />);
    expect(screen.getByText("This server has no trainer")).toBeVisible();
  });

  test("does not matter while another one is up", () => {
    const services = [
      { name: "trainer", state: ServiceState.AWAY },
      { name: "trainer-2", state: ServiceState.UP },
      { name: "mlflow", state: ServiceState.AWAY },
    ];
    expect(trainerService(create(GetStatusResponseSchema, { services })).state).toBe("up");
    expect(trainerService(undefined).state).toBe("unknown");
  });
});

test("a start without room says what runs, since when, and when to try again", () => {
  const busy = create(TrainingBusySchema, {
    running: [
      {
        runId: "ppo-quick-1",
        title: "Quick PPO",
        device: "cpu",
        state: TrainingState.RUNNING,
        startedAt: timestampFromMs(1_000_000),
        totalTimesteps: 1000n,
        latest: { timesteps: 430n },
      },
    ],
    queued: 4,
    queueLimit: 4,
    retryAfter: durationFromMs(40_000),
  });
  renderPage(<BusyNotice busy={busy} message="" saidAt={1_060_000} now={1_070_000} />);
  const notice = screen.getByRole("alert");
  expect(within(notice).getByRole("link", { name: "Quick PPO" })).toHaveAttribute("href", "/training/ppo-quick-1");
  expect(notice).toHaveTextContent(/runs on the CPU since .* \(1 min 10 s\); 43.% are learned/);
  expect(notice).toHaveTextContent("4 of 4 places to wait are taken.");
  expect(notice).toHaveTextContent("Try again in about 30 s.");
});

describe("the list of runs", () => {
  const run = (runId: string, state: TrainingState, title: string) => create(TrainingSchema, { runId, state, title });
  const trainings = [
    run("a-1", TrainingState.RUNNING, "Alpha"),
    run("b-2", TrainingState.COMPLETED, "Beta"),
    run("c-3", TrainingState.FAILED, "Gamma"),
  ];

  test("is filtered by state and by words", () => {
    const listed = (filter: Parameters<typeof isListed>[1], typed = "") =>
      trainings.filter((training) => isListed(training, filter, typed)).map(({ runId }) => runId);
    expect(listed("all")).toEqual(["a-1", "b-2", "c-3"]);
    expect(listed("open")).toEqual(["a-1"]);
    expect(listed("completed")).toEqual(["b-2"]);
    expect(listed("ended")).toEqual(["c-3"]);
    expect(listed("all", "GAM c-3")).toEqual(["c-3"]);
  });

  test("says that there is nothing yet, and that nothing fits", () => {
    const props = {
      error: null,
      readAt: 0,
      hasMore: false,
      loadingMore: false,
      now: 0,
      onMore: () => {},
      onRetry: () => {},
    };
    const { unmount } = renderPage(<RunList {...props} trainings={[]} />);
    expect(screen.getByText("Nothing was trained yet")).toBeVisible();
    unmount();
    renderPage(<RunList {...props} trainings={trainings} />);
    expect(screen.getByRole("link", { name: "Beta" })).toHaveAttribute("href", "/training/b-2");
    fireEvent.change(screen.getByRole("searchbox", { name: "Find a run" }), { target: { value: "delta" } });
    expect(screen.getByText("No run is like that")).toBeVisible();
  });
});
