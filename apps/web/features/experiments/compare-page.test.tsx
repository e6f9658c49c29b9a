// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { fixtureRunId } from "@/test/fixture-experiments";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { ComparePage } from "./compare-page";

pageOrigin();
const wait = { timeout: 40_000 };

function open(...numbers: number[]) {
  const query = `runs=${numbers.map(fixtureRunId).join(",")}`;
  window.history.replaceState(null, "", `/experiments/compare?${query}`);
  return renderPage(<ComparePage query={query} />);
}

beforeEach(() => window.history.replaceState(null, "", "/experiments/compare"));

describe("the comparison of runs", () => {
  test("shows a chart a figure, and the parameters in which the runs differ", async () => {
    open(1, 3);
    expect(await screen.findByRole("region", { name: "Validation success" }, wait)).toBeVisible();
    const table = screen.getByRole("table", { name: "Parameters that differ" });
    expect(within(table).getByRole("row", { name: /algorithm PPO DQN/ })).toBeVisible();
    expect(within(table).queryByRole("row", { name: /observation/ })).toBeNull();
    fireEvent.click(screen.getByRole("switch", { name: "Show what is equal too" }));
    expect(screen.getByRole("row", { name: /observation memory\/1 memory\/1/ })).toBeVisible();
  });

  test("links a run to its training, its model and the watching of it", async () => {
    open(1, 3);
    const legend = within(await screen.findByRole("region", { name: "Runs" }, wait));
    expect(legend.getAllByRole("link", { name: "Training" })[0]).toHaveAttribute(
      "href",
      "/training/ppo-quick-00000000000001",
    );
    expect(legend.getAllByRole("link", { name: "Watch" })[0]?.getAttribute("href")).toMatch(
      /^\/\?model=ppo-quick-1&maze=/,
    );
    expect(legend.getByRole("link", { name: "Model dqn-memory-3" })).toHaveAttribute("href", "/models");
  });

  test("draws the mean of the seeds when it is asked to, and writes all choices into its address", async () => {
    open(1, 2, 4);
    fireEvent.click(await screen.findByRole("switch", { name: "Mean over seeds" }, wait));
    expect(screen.getByText("ppo-quick, 3 seeds")).toBeVisible();
    fireEvent.click(screen.getByRole("radio", { name: "Band of the 95 % interval of the mean" }));
    fireEvent.change(screen.getByRole("slider", { name: "Smoothing" }), { target: { value: "0.6" } });
    fireEvent.click(screen.getByRole("radio", { name: "Time" }));
    fireEvent.click(screen.getByRole("radio", { name: "Logarithmic values" }));
    fireEvent.click(screen.getByRole("button", { name: /^Hide ppo-quick-00000000000002/ }));
    await waitFor(() =>
      expect(window.location.search).toBe(
        `?runs=${[1, 2, 4].map(fixtureRunId).join(",")}&along=time&smoothing=0.6&seeds=mean&band=interval&scale=log&hidden=${fixtureRunId(2)}`,
      ),
    );
  });

  test("offers no mean where no two runs differ in their seed only", async () => {
    open(1, 3);
    expect(await screen.findByRole("switch", { name: "Mean over seeds" }, wait)).toBeDisabled();
    expect(screen.getByText("no two runs differ in their seed only")).toBeVisible();
  });

  test("shows the configuration of a run, and why a run failed", async () => {
    open(5);
    expect(await screen.findByText("The loss became nan.", {}, wait)).toBeVisible();
    expect(screen.getAllByText(/None of these runs has logged/).length).toBe(6);
    const tab = screen.getByRole("tab", { name: "Configuration" });
    fireEvent.mouseDown(tab);
    fireEvent.click(tab);
    expect(await screen.findByText(/algorithm: PPO/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Copy" })).toBeVisible();
  });

  test("takes a run out, and says what to do when none is left", async () => {
    open(1, 2);
    fireEvent.click(await screen.findByRole("button", { name: /^Take ppo-quick-00000000000002/ }, wait));
    await waitFor(() => expect(window.location.search).toBe(`?runs=${fixtureRunId(1)}`));
    expect(await screen.findByRole("heading", { level: 1, name: "Run" })).toBeVisible();
  });

  test("says which run does not exist", async () => {
    open(1, 77);
    expect(await screen.findByText(/does not exist/, {}, wait)).toBeVisible();
    expect(screen.getByRole("link", { name: "Choose others" })).toHaveAttribute("href", "/experiments");
  });

  test("without any run says how one is chosen", async () => {
    renderPage(<ComparePage query="" />);
    expect(await screen.findByText("No runs are chosen")).toBeVisible();
  });
});
