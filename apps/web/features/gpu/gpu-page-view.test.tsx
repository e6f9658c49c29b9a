// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { ServiceState, ServiceStatusSchema } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { GpuSampleSchema, GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import { screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { renderPage } from "@/test/render";
import type { GpuSnapshot } from "./gpu-history";
import { GpuPageView, type GpuPageViewProps } from "./gpu-page-view";
import { readingOf } from "./gpu-readings";

const connected: GpuSnapshot["connection"] = { kind: "connected", transport: "connect" };
const reading = (state: GpuState, message = "") =>
  readingOf(
    create(GpuSampleSchema, {
      state,
      message,
      gpus: state === GpuState.OK ? [{ index: 0, name: "Tesla T4", memoryUsedBytes: 2_147_483_648n }] : [],
    }),
    state,
  );
const props: GpuPageViewProps = {
  trainers: [],
  trainer: undefined,
  onTrainer: vi.fn(),
  snapshot: { readings: [], receivedAt: 0, connection: { kind: "connecting", transport: "connect" } },
  trainings: [],
  serverError: null,
  onRetry: vi.fn(),
};
const trainer = (state: ServiceState, message = "") => create(ServiceStatusSchema, { name: "trainer", state, message });
const show = (more: Partial<GpuPageViewProps>) => renderPage(<GpuPageView {...props} {...more} />);
const snapshot = (...readings: GpuSnapshot["readings"]): GpuSnapshot => ({
  readings,
  receivedAt: 1,
  connection: connected,
});

describe("the GPU page by itself", () => {
  test("is busy until the first reading", () => {
    const { container } = show({});
    expect(container.querySelector("[aria-busy=true]")).not.toBeNull();
  });

  test.each([
    [ServiceState.PREPARING, "Trainer is being prepared"],
    [ServiceState.NOT_CONFIGURED, "There is no Trainer here"],
    [ServiceState.AWAY, "Trainer is away"],
  ])("says what its trainer is waiting for (%s)", (state, words) => {
    show({ trainer: trainer(state) });
    expect(screen.getByText(words)).toBeVisible();
  });

  test("shows what is not reported as such, and who would stand beside it", () => {
    show({ snapshot: snapshot(reading(GpuState.OK)) });
    const card = within(screen.getByRole("region", { name: "GPU 0" }));
    expect(card.getAllByText("N/A")).toHaveLength(3);
    expect(card.getByText("2.15 GB")).toBeVisible();
    expect(screen.getByText("No training runs on GPU 0")).toBeVisible();
  });

  test.each([
    [GpuState.NO_DRIVER, "Trainings run on the CPU"],
    [GpuState.NO_GPU, "The driver finds no GPU"],
    [GpuState.TIMED_OUT, "The driver does not answer"],
    [GpuState.UNREADABLE, "The readings make no sense"],
  ])("names state %s, in the trainer's words and with what can be done", (state, title) => {
    show({ snapshot: snapshot(reading(state, "As the trainer says.")) });
    const status = within(screen.getByRole("status", { name: "State of the GPUs" }));
    expect(status.getByText(title)).toBeVisible();
    expect(status.getByText("As the trainer says.")).toBeVisible();
    expect(screen.getByText("No training is running")).toBeVisible();
  });

  test("keeps the last good readings through a time-out, and says that they are old", () => {
    show({ snapshot: snapshot(reading(GpuState.OK), reading(GpuState.TIMED_OUT)) });
    expect(screen.getByText("read before")).toBeVisible();
    expect(screen.getByText("Below is what was read before.")).toBeVisible();
  });

  test("says of when its readings are while the trainer is away", () => {
    show({ snapshot: snapshot(reading(GpuState.OK)), trainer: trainer(ServiceState.AWAY, "the trainer was ended") });
    expect(screen.getByRole("alert")).toHaveTextContent("The trainer was ended.");
  });

  test("offers a choice where there are several trainers", () => {
    const both = [trainer(ServiceState.UP), create(ServiceStatusSchema, { name: "trainer-2", state: ServiceState.UP })];
    show({ trainers: both, trainer: both[0] });
    expect(screen.getByRole("radio", { name: "Trainer 2" })).toBeVisible();
  });
});
