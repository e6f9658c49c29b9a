// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { Toaster } from "@/components/ui/toaster";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
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
    fireEvent.change(within(dialog).getByRole("textbox"), { target: { value: "a test" } });
    fireEvent.click(within(dialog).getByRole("button", { name: "Make active" }));
    await screen.findByText("dqn-memory-1 is active", {}, wait);
    await waitFor(
      () => expect(within(screen.getByRole("region", { name: "dqn-memory-1" })).getByText("active")).toBeVisible(),
      wait,
    );
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
    activating: undefined,
    onActivate: vi.fn(),
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
    renderPage(<ModelsPageView {...props} models={models} activating="a-1" />);
    expect(screen.getByRole("button", { name: "Switching…" })).toBeDisabled();
    expect(screen.getByRole("button", { name: "Make active" })).toBeDisabled();
  });
});
