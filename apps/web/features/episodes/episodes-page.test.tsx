// @vitest-environment jsdom
import { create } from "@bufbuild/protobuf";
import { ListFailuresResponseSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { LoggedEpisodeSchema } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { pageOrigin } from "@/test/page-origin";
import { renderPage } from "@/test/render";
import { plainList } from "./episode-address";
import { EpisodesPage } from "./episodes-page";
import { EpisodesPageView, type EpisodesPageViewProps } from "./episodes-page-view";

const origin = pageOrigin();
const wait = { timeout: 40_000 };

/** The rows of episodes, without the head. */
async function rows(count: number): Promise<HTMLElement[]> {
  await waitFor(() => expect(screen.getAllByRole("row")).toHaveLength(count + 1), wait);
  return screen.getAllByRole("row").slice(1);
}

function verify(row: HTMLElement): void {
  fireEvent.click(within(row).getByRole("button", { name: /^Verify/ }));
}

describe("the episodes page", () => {
  beforeEach(() => window.history.replaceState(null, "", "/episodes"));

  test("lists the log, newest first, and shows older episodes when asked", async () => {
    renderPage(<EpisodesPage query="" />);
    const [first] = await rows(50);
    expect(first).toHaveTextContent("2026-11-23 12:00 UTC");
    expect(first).toHaveTextContent("ppo-memory-1");
    expect(first).toHaveTextContent("heldout-0001");
    expect(first).toHaveTextContent("Reached goal");
    expect(first).toHaveTextContent("0.70");
    expect(screen.getByText("searched back to 2026-11-21")).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Show older episodes" }));
    const all = await rows(70);
    expect(all[69]).toHaveTextContent("99");
    expect(screen.queryByRole("button", { name: "Show older episodes" })).toBeNull();
  });

  test("says of each episode whether it is identical, where it differs, or why it cannot be run again", async () => {
    renderPage(<EpisodesPage query="" />);
    const [honest, tampered, changed, orphaned] = (await rows(50)) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    for (const row of [honest, tampered, changed, orphaned]) verify(row);
    await within(honest).findByText("identical", {}, wait);
    const verdict = await within(tampered).findByText("differs at step 6", {}, wait);
    expect(verdict).toHaveAttribute("title", "Logged is Up; running it again gives Right.");
    await within(changed).findByText("differs in reward", {}, wait);
    await within(orphaned).findByText(/ppo-gone-1, which acted in this episode, is gone/, {}, wait);
    expect(within(orphaned).getByRole("button", { name: /^Verify/ })).toBeEnabled();
  });

  test("takes its filters from the address and writes them there", async () => {
    window.history.replaceState(null, "", "/episodes?policy=baseline_wall-follower&outcome=goal");
    renderPage(<EpisodesPage query="policy=baseline_wall-follower&outcome=goal" />);
    for (const row of await rows(8)) expect(row).toHaveTextContent("Wall follower");
    expect(screen.getByRole("combobox", { name: "Who ran" })).toHaveTextContent("Wall follower");
    fireEvent.click(screen.getByRole("radio", { name: "Ended at the step limit" }));
    for (const row of await rows(2)) expect(row).toHaveTextContent("Step limit");
    const maze = screen.getByRole("textbox", { name: "Maze" });
    fireEvent.change(maze, { target: { value: "heldout-0003" } });
    fireEvent.submit(maze);
    await waitFor(
      () => expect(window.location.search).toBe("?policy=baseline_wall-follower&in=heldout-0003&outcome=limit"),
      wait,
    );
  });

  test("counts failures by policy and maze, and leads from each to its episodes", async () => {
    renderPage(<EpisodesPage query="" />);
    await rows(50);
    fireEvent.click(screen.getByRole("radio", { name: "Failures by policy and maze" }));
    const table = await screen.findByRole("table", { name: "Failures" }, wait);
    expect(screen.getByText(/episodes since/)).toHaveTextContent(
      "14 of 70 episodes since 2026-11-17 ended without the goal",
    );
    const first = within(table).getAllByRole("row")[1] as HTMLElement;
    expect(first).toHaveTextContent("ppo-memory-1");
    fireEvent.click(screen.getByRole("radio", { name: "31 days" }));
    await screen.findByText("2026-10-24", {}, wait);
    expect(window.location.search).toBe("?view=failures&days=31");
    fireEvent.click(
      screen.getAllByRole("button", {
        name: /^Show the failed episodes of Wall follower in heldout/,
      })[0] as HTMLElement,
    );
    await waitFor(
      () => expect(window.location.search).toMatch(/^\?policy=baseline_wall-follower&in=heldout-000\d&outcome=limit$/),
      wait,
    );
    await waitFor(() => expect(screen.getAllByRole("row")[1]).toHaveTextContent("Step limit"), wait);
  });

  test("shows that nothing fits, and everything again", async () => {
    window.history.replaceState(null, "", "/episodes?in=nowhere");
    renderPage(<EpisodesPage query="in=nowhere" />);
    await screen.findByText("No episode is like that", {}, wait);
    fireEvent.click(screen.getByRole("button", { name: "Show all episodes" }));
    await rows(50);
    expect(window.location.search).toBe("");
  });

  test("says why the log cannot be read, and reads it when asked again", async () => {
    origin.goAway();
    renderPage(<EpisodesPage query="" />);
    await screen.findByText("The episodes cannot be read", {}, wait);
    origin.goBack();
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await rows(50);
  });
});

describe("the episodes page by itself", () => {
  const props: EpisodesPageViewProps = {
    list: plainList,
    models: [],
    episodes: undefined,
    failures: undefined,
    searchedBackTo: "2026-11-21",
    spooled: 0n,
    error: null,
    stale: false,
    readAt: 0,
    filtering: false,
    hasMore: false,
    loadingMore: false,
    proofs: new Map(),
    onChange: vi.fn(),
    onPlain: vi.fn(),
    onMore: vi.fn(),
    onRetry: vi.fn(),
    onVerify: vi.fn(),
  };
  const episode = create(LoggedEpisodeSchema, { episodeId: "one", mazeId: "heldout-0001" });

  test("is busy while it loads", () => {
    renderPage(<EpisodesPageView {...props} />);
    expect(screen.getByRole("region", { name: "Episodes" })).toHaveAttribute("aria-busy", "true");
  });

  test("leads to the first episode from an empty log", () => {
    renderPage(<EpisodesPageView {...props} episodes={[]} />);
    expect(screen.getByText("No episodes yet")).toBeVisible();
    expect(screen.getByRole("link", { name: "Watch one" })).toHaveAttribute("href", "/");
  });

  test("says that nobody failed, or that nothing was counted", () => {
    const list = { ...plainList, view: "failures" as const };
    const counted = { countedBackTo: "2026-11-17", episodes: 1n };
    const { unmount } = renderPage(
      <EpisodesPageView {...props} list={list} failures={create(ListFailuresResponseSchema, counted)} />,
    );
    expect(screen.getByText("Every episode reached its goal")).toBeVisible();
    unmount();
    renderPage(
      <EpisodesPageView
        {...props}
        list={list}
        failures={create(ListFailuresResponseSchema, { ...counted, episodes: 0n })}
      />,
    );
    expect(screen.getByText("No episodes were counted")).toBeVisible();
  });

  test("offers to search further back where the days so far held none", () => {
    const onMore = vi.fn();
    renderPage(<EpisodesPageView {...props} episodes={[]} hasMore onMore={onMore} />);
    expect(screen.getByText("None since 2026-11-21")).toBeVisible();
    fireEvent.click(screen.getByRole("button", { name: "Show older episodes" }));
    expect(onMore).toHaveBeenCalledOnce();
  });

  test("tells what waits for the store, and that what it shows is old", () => {
    renderPage(<EpisodesPageView {...props} episodes={[episode]} spooled={17n} stale error={new Error("Gone.")} />);
    expect(screen.getByText(/17 not listed yet/)).toBeVisible();
    expect(screen.getByText(/Gone\./)).toBeVisible();
  });

  test("lets an episode be verified once at a time", () => {
    const proofs = new Map([["one", { state: "running" as const }]]);
    renderPage(<EpisodesPageView {...props} episodes={[episode]} proofs={proofs} />);
    expect(screen.getByRole("button", { name: /^Verify/ })).toBeDisabled();
  });
});
