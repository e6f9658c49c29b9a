// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { ActivationSchema, GateOutcome, SwitchRefusedSchema } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { Toaster } from "@/components/ui/toaster";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { HistoryPanel, type HistoryPanelProps } from "./history-panel";
import { ModelsPage } from "./models-page";
import { ModelsPageView, type ModelsPageViewProps } from "./models-page-view";

const origin = pageOrigin();
const wait = { timeout: 40_000 };

describe("the models page", () => {
  test("lists every model, the broken one with its reason and without a button", async () => {
    renderPage(<ModelsPage />);
    const broken = await screen.findByRole("region", { name: "ppo-trail-2" }, wait);
    expect(within(broken).getByText("broken")).toBeVisible();
    expect(within(broken).getByText(/does not have the sha256/)).toBeVisible();
    expect(within(broken).queryByRole("button")).toBeNull();
    const active = screen.getByRole("region", { name: "ppo-memory-1" });
    expect(within(active).getByText("active")).toBeVisible();
    expect(within(active).queryByRole("button")).toBeNull();
  });

  test("makes a model active after it was confirmed, and says so", async () => {
    renderPage(
      <>
        <ModelsPage />
        <Toaster />
      </>,
    );
    const card = await screen.findByRole("region", { name: "dqn-memory-1" }, wait);
    fireEvent.click(within(card).getByRole("button", { name: "Make active" }));
    const dialog = await screen.findByRole("dialog", { name: "Make dqn-memory-1 active?" });
    expect(dialog).toHaveTextContent("It takes the place of ppo-memory-1.");
    const table = within(dialog).getByRole("table", { name: "What changes" });
    expect(table).toHaveTextContent("Now: ppo-memory-1");
    expect(table).toHaveTextContent(/992 \/ 1.000/);
    fireEvent.change(within(dialog).getByRole("textbox", { name: /^Reason/ }), { target: { value: "a test" } });
    fireEvent.change(within(dialog).getByRole("textbox", { name: /^Your name/ }), { target: { value: "Ada" } });
    fireEvent.click(within(dialog).getByRole("button", { name: "Make active" }));
    await screen.findByText("dqn-memory-1 is active", {}, wait);
    await waitFor(
      () => expect(within(screen.getByRole("region", { name: "dqn-memory-1" })).getByText("active")).toBeVisible(),
      wait,
    );
  });

  const history = async () => {
    const panel = await screen.findByRole("region", { name: "History of the active model" }, wait);
    return within(await within(panel).findByRole("list", { name: "Activations" }, wait)).getAllByRole("listitem");
  };

  test("keeps who switched and why, and rolls back", async () => {
    renderPage(
      <>
        <ModelsPage />
        <Toaster />
      </>,
    );
    const [newest] = await history();
    expect(newest).toHaveTextContent(/dqn-memory-1.*in force.*by Ada, after ppo-memory-1.*a test/);
    fireEvent.click(within(newest as HTMLElement).getByRole("button", { name: "Roll back" }));
    const dialog = await screen.findByRole("dialog", { name: "Roll back to ppo-memory-1?" });
    expect(within(dialog).getByRole("textbox", { name: /^Your name/ })).toHaveValue("Ada");
    fireEvent.click(within(dialog).getByRole("button", { name: "Roll back" }));
    await screen.findByText("ppo-memory-1 is active again", {}, wait);
    await waitFor(async () => expect((await history())[0]).toHaveTextContent(/ppo-memory-1.*roll-back/), wait);
  });

  test("shows what the gate found, and switches all the same with a reason", async () => {
    renderPage(<ModelsPage />);
    const card = await screen.findByRole("region", { name: "ppo-plain-1" }, wait);
    await history();
    fireEvent.click(within(card).getByRole("button", { name: "Make active" }));
    const dialog = await screen.findByRole("dialog", { name: "Make ppo-plain-1 active?" });
    fireEvent.click(within(dialog).getByRole("button", { name: "Make active" }));
    const checks = await within(dialog).findByRole("list", { name: "Checks before the switch" }, wait);
    expect(checks).toHaveTextContent(/Parity passed.*64 vectors/);
    expect(checks).toHaveTextContent(/Success failed.*11 \/ 1.000.*1.000 \/ 1.000/);
    const again = within(dialog).getByRole("button", { name: "Switch all the same" });
    expect(again).toBeDisabled();
    fireEvent.change(within(dialog).getByRole("textbox", { name: /all the same/ }), { target: { value: "to show" } });
    fireEvent.click(again);
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull(), wait);
    await waitFor(
      async () => expect((await history())[0]).toHaveTextContent(/ppo-plain-1.*In spite of the gate: to show/),
      wait,
    );
  });

  test("tells when somebody else switched meanwhile, and asks again", async () => {
    renderPage(<ModelsPage />);
    const card = await screen.findByRole("region", { name: "dqn-memory-1" }, wait);
    await history();
    fireEvent.click(within(card).getByRole("button", { name: "Make active" }));
    const dialog = await screen.findByRole("dialog", { name: "Make dqn-memory-1 active?" });
    const elsewhere = await fetch("/api/models/active", {
      method: "POST",
      body: JSON.stringify({ modelId: "ppo-memory-1", actor: "Bob" }),
    });
    expect(elsewhere.status).toBe(200);
    fireEvent.click(within(dialog).getByRole("button", { name: "Make active" }));
    const alert = await within(dialog).findByRole("alert", {}, wait);
    expect(alert).toHaveTextContent(/Somebody else switched meanwhile.*ppo-memory-1 was made active by Bob/);
    await waitFor(() => expect(dialog).toHaveTextContent("Now: ppo-memory-1"), wait);
    fireEvent.click(within(dialog).getByRole("button", { name: "Make active" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull(), wait);
  });

  test("says what was active at a time, and when nothing was yet", async () => {
    renderPage(<ModelsPage />);
    const form = await screen.findByRole("form", { name: "Active at" }, wait);
    const ask = (time: string) => {
      fireEvent.change(within(form).getByLabelText(/^What was active at/), { target: { value: time } });
      fireEvent.click(within(form).getByRole("button", { name: "Look up" }));
    };
    ask("2020-01-01T14:03");
    await within(form).findByText(/No model was active yet/, {}, wait);
    ask("2099-01-01T14:03");
    await waitFor(() => expect(within(form).getByRole("status")).toHaveTextContent(/dqn-memory-1 was active/), wait);
  });

  test("says why the models cannot be read, and reads them when asked again", async () => {
    origin.goAway();
    renderPage(<ModelsPage />);
    await screen.findByText("The models cannot be read", {}, wait);
    origin.goBack();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("region", { name: "ppo-memory-1" }, wait);
  });
});

describe("the models page by itself", () => {
  const props: ModelsPageViewProps = {
    models: undefined,
    error: null,
    stale: false,
    readAt: 0,
    activations: undefined,
    history: null,
    change: undefined,
    actor: "",
    pending: false,
    refusal: null,
    refused: undefined,
    changed: undefined,
    onChange: vi.fn(),
    onConfirm: vi.fn(),
    onRetry: vi.fn(),
  };

  test("is busy while it loads", () => {
    const { container } = renderPage(<ModelsPageView {...props} />);
    expect(container.querySelector("[aria-busy=true]")).not.toBeNull();
  });

  test("explains an empty registry", () => {
    renderPage(<ModelsPageView {...props} models={[]} />);
    expect(screen.getByText("No models yet")).toBeVisible();
  });

  test("warns when no model is active, and when what it shows is old", () => {
    const model = create(ModelSchema, { modelId: "ppo-plain-1", state: ModelState.READY });
    renderPage(
      <ModelsPageView {...props} models={[model]} stale error={new Error("The Go server cannot be reached.")} />,
    );
    expect(screen.getByText(/No model is active/)).toBeVisible();
    expect(screen.getByText(/The Go server cannot be reached/)).toBeVisible();
  });

  test("lets nothing else be switched while a switch is under way", () => {
    const models = ["a-1", "b-1"].map((modelId) => create(ModelSchema, { modelId, state: ModelState.READY }));
    renderPage(<ModelsPageView {...props} models={models} pending change={{ kind: "set", modelId: "a-1" }} />);
    const hidden = { hidden: true }; // behind the dialog
    expect(screen.getAllByRole("button", { name: "Switching…", ...hidden })).toHaveLength(2);
    for (const button of screen.getAllByRole("button", { name: /^(Switching…|Make active)$/, ...hidden })) {
      expect(button).toBeDisabled();
    }
  });

  test("lets nobody pass over parity", () => {
    const model = create(ModelSchema, { modelId: "a-1", state: ModelState.READY });
    const refused = create(SwitchRefusedSchema, {
      modelId: "a-1",
      checks: [
        {
          outcome: GateOutcome.FAILED,
          message: "it failed its parity check",
          evidence: { case: "parity", value: { vectors: 3, largestDeviation: 0.25, allowedDeviation: 1e-5 } },
        },
      ],
    });
    renderPage(
      <ModelsPageView
        {...props}
        models={[model]}
        change={{ kind: "set", modelId: "a-1" }}
        refusal={new Error("it failed its parity check")}
        refused={refused}
      />,
    );
    expect(screen.getByText(/can never be active/)).toBeVisible();
    expect(screen.getByText(/largest deviation 2.5e-1, allowed 1.0e-5/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Make active" })).toBeDisabled();
    expect(screen.queryByRole("textbox", { name: /all the same/ })).toBeNull();
  });
});

describe("the history by itself", () => {
  const props: HistoryPanelProps = {
    activations: undefined,
    error: null,
    hasMore: false,
    readingMore: false,
    busy: false,
    lookup: null,
    onMore: vi.fn(),
    onRetry: vi.fn(),
    onRollBack: vi.fn(),
  };

  test("is busy while it loads, says when there is none, and why it cannot be read", () => {
    const { container, rerender } = renderPage(<HistoryPanel {...props} />);
    expect(container.querySelector("[aria-busy=true]")).not.toBeNull();
    rerender(<HistoryPanel {...props} activations={[]} />);
    expect(screen.getByText("No model was active yet")).toBeVisible();
    rerender(<HistoryPanel {...props} error={new Error("The Go server cannot be reached.")} />);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(props.onRetry).toHaveBeenCalledOnce();
  });

  test("offers no roll-back where no other model was active, and earlier ones where there are", () => {
    const only = [2n, 1n].map((activationId) => create(ActivationSchema, { activationId, modelId: "a-1" }));
    renderPage(<HistoryPanel {...props} activations={only} hasMore />);
    expect(screen.queryByRole("button", { name: "Roll back" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Show earlier ones" }));
    expect(props.onMore).toHaveBeenCalledOnce();
  });
});
