// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { ServiceState, ServiceStatusSchema } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { fixtureRunId, fixtureRuns } from "@/test/fixture-experiments";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { ExperimentsPage } from "./experiments-page";
import { ExperimentsPageView, type ExperimentsPageViewProps } from "./experiments-page-view";
import { plainList } from "./list-address";

pageOrigin();
const wait = { timeout: 40_000 };

beforeEach(() => window.history.replaceState(null, "", "/experiments"));

const row = (name: RegExp) => screen.findByRole("row", { name }, wait);

describe("the experiments page", () => {
  test("lists runs with their figures, and says which figure a run does not have", async () => {
    renderPage(<ExperimentsPage query="" />);
    const finished = await row(/ppo-quick-00000000000001/);
    expect(within(finished).getByText("finished", { selector: "td *" })).toBeVisible();
    expect(within(finished).getByText("99.1 %")).toBeVisible();
    const failed = await row(/ppo-quick-00000000000005/);
    expect(within(failed).getByTitle("This run has no validation success")).toBeVisible();
    const entry = screen.getByRole("button", { name: /^dqn-memory/ });
    fireEvent.click(entry);
    await waitFor(() => expect(screen.queryByRole("row", { name: /ppo-quick/ })).toBeNull(), wait);
    expect(window.location.search).toBe("?experiment=2");
  });

  test("shows what MLflow says about a search that it does not understand, and takes it away", async () => {
    renderPage(<ExperimentsPage query="" />);
    await row(/ppo-quick-00000000000001/);
    const search = screen.getByRole("textbox", { name: "Search with MLflow's syntax" });
    fireEvent.change(search, { target: { value: "metrics.reward !!" } });
    fireEvent.submit(search);
    expect(await screen.findByText(/MLflow does not understand it/, {}, wait)).toBeVisible();
    expect(window.location.search).toContain("search=metrics.reward");
    fireEvent.click(screen.getByRole("button", { name: "Take the search away" }));
    await row(/ppo-quick-00000000000001/);
  });

  test("holds chips, order and chosen runs in its address, and reads them from there", async () => {
    renderPage(<ExperimentsPage query="" />);
    await row(/ppo-quick-00000000000001/);
    fireEvent.click(screen.getByRole("button", { name: "Failed" }));
    fireEvent.click(screen.getByRole("radio", { name: "Best" }));
    await waitFor(() => expect(screen.queryByRole("row", { name: /00000000000001/ })).toBeNull(), wait);
    fireEvent.click(screen.getByRole("checkbox", { name: /00000000000005/ }));
    await waitFor(() => expect(window.location.search).toBe(`?state=failed&order=best&chosen=${fixtureRunId(5)}`));
    expect(screen.getByRole("link", { name: /Open the run/ })).toHaveAttribute(
      "href",
      `/experiments/compare?runs=${fixtureRunId(5)}`,
    );
  });

  test("opens as its address says", async () => {
    const query = `state=failed&chosen=${fixtureRunId(1)},${fixtureRunId(2)}`;
    window.history.replaceState(null, "", `/experiments?${query}`);
    renderPage(<ExperimentsPage query={query} />);
    await row(/00000000000005/);
    expect(screen.getByRole("button", { name: "Failed" })).toHaveAttribute("aria-pressed", "true");
    expect(screen.getByRole("link", { name: /Compare 2 runs/ })).toBeVisible();
  });
});

describe("the experiments page by itself", () => {
  const props: ExperimentsPageViewProps = {
    list: plainList,
    onChange: vi.fn(),
    onPlain: vi.fn(),
    onChoose: vi.fn(),
    mlflow: undefined,
    experiments: undefined,
    runs: undefined,
    refused: undefined,
    error: null,
    stale: false,
    readAt: 0,
    filtering: false,
    hasMore: false,
    loadingMore: false,
    onMore: vi.fn(),
    onRetry: vi.fn(),
  };
  const mlflow = (state: ServiceState, message = "", progress?: number) =>
    create(ServiceStatusSchema, { name: "mlflow", state, message, ...(progress === undefined ? {} : { progress }) });

  test("is busy while it loads", () => {
    renderPage(<ExperimentsPageView {...props} />);
    expect(screen.getByRole("region", { name: "Runs" })).toHaveAttribute("aria-busy", "true");
  });

  test("says how the first run is made", () => {
    renderPage(<ExperimentsPageView {...props} experiments={[]} runs={[]} />);
    expect(screen.getByText("No experiments yet")).toBeVisible();
    expect(screen.getByRole("link", { name: "Start a training" })).toHaveAttribute("href", "/training");
  });

  test("says when a filter leaves nothing, and takes it away", () => {
    renderPage(<ExperimentsPageView {...props} experiments={[]} runs={[]} list={{ ...plainList, algorithm: "dqn" }} />);
    fireEvent.click(screen.getByRole("button", { name: "Show all runs" }));
    expect(props.onPlain).toHaveBeenCalled();
  });

  test("says how far the installation of MLflow is", () => {
    renderPage(<ExperimentsPageView {...props} mlflow={mlflow(ServiceState.PREPARING, "Installing MLflow", 0.41)} />);
    expect(screen.getByText("Installing MLflow.")).toBeVisible();
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "41");
  });

  test("says that there is no MLflow here, and that trainings run without it", () => {
    renderPage(<ExperimentsPageView {...props} mlflow={mlflow(ServiceState.NOT_CONFIGURED)} />);
    expect(screen.getByText("There is no MLflow here")).toBeVisible();
    expect(screen.getByText(/MLFLOW_TRACKING_URI/)).toBeVisible();
  });

  test("keeps what it read while MLflow is away, and says of when it is", () => {
    renderPage(
      <ExperimentsPageView
        {...props}
        mlflow={mlflow(ServiceState.AWAY, "MLflow does not answer.")}
        experiments={[]}
        runs={fixtureRuns}
        stale
      />,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("MLflow does not answer.");
    expect(screen.getAllByRole("row").length).toBe(fixtureRuns.length + 1);
  });

  test("lets no ninth run be chosen", () => {
    const chosen = Array.from({ length: 8 }, (_, at) => fixtureRunId(100 + at));
    renderPage(<ExperimentsPageView {...props} experiments={[]} runs={fixtureRuns} list={{ ...plainList, chosen }} />);
    expect(screen.getByText(/no more fit/)).toBeVisible();
    for (const box of screen.getAllByRole("checkbox")) expect(box).toBeDisabled();
  });
});
