import type { Browser, Page } from "@playwright/test";
import { BareTab } from "./bare-tab";
import { type LoggedStep, wholeEpisode, wholeLog } from "./episode-truth";
import { expect, InferencePage, test as inferenceTest } from "./inference";
import type { Network } from "./network";
import { startWorld, type World } from "./world";

/** At least 224 steps, whatever the model: still under way when a busy machine gets to the next click. */
const MAZE = "large30-02";
const LONG = { autoNext: false, setId: "large30", mazeId: MAZE, defaultSpeed: 8 } as const;
/** A machine that does other things too may take this long to notice, to start again and to catch up. */
const PATIENT = { timeout: 60_000 };

/** A world of this file alone, whose network and server are really broken. */
const test = inferenceTest.extend<{ network: Network }, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern.
    async ({}, use) => {
      const world = await startWorld({ withNetwork: true });
      await use(world);
      await world.close();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  network: async ({ world }, use) => {
    const { network } = world;
    if (network === undefined) throw new Error("this world has no network");
    await use(network);
    network.buffering = false;
    network.mend();
  },
});

let truth: LoggedStep[] = [];
test.beforeAll(async ({ world }) => {
  truth = await wholeEpisode(world.serverUrl, MAZE);
  expect(truth.length).toBeGreaterThan(200);
});

/** Writes down every step that the page shows, in the order in which it shows them. */
async function watchSteps(page: Page): Promise<() => Promise<number[]>> {
  await page.getByTestId("step-display").evaluate((display) => {
    const seen: number[] = [];
    (window as unknown as { seenSteps: number[] }).seenSteps = seen;
    const read = () => {
      const step = Number.parseInt((display.textContent ?? "").replace(/[^\d/]/g, "").split("/")[0] ?? "", 10);
      if (seen.at(-1) !== step) seen.push(step);
    };
    new MutationObserver(read).observe(display, { childList: true, characterData: true, subtree: true });
    read();
  });
  return () => page.evaluate(() => (window as unknown as { seenSteps: number[] }).seenSteps);
}

/** Runs the episode to its end and compares every step with that of an undisturbed one: nothing is lost and nothing came twice. */
async function expectWholeEpisode(inference: InferencePage, seen: () => Promise<number[]>): Promise<void> {
  await inference.speed("Max").click();
  await expect(inference.result).toContainText("Reached the goal", PATIENT);
  expect(await wholeLog(inference)).toEqual(truth);
  const shown = await seen();
  expect(shown, "steps in the order shown").toEqual([...shown].sort((left, right) => left - right));
  expect(shown.at(-1)).toBe(truth.length);
  await expect(inference.logged).toHaveText("written", PATIENT);
}

test("a killed server is said, and when it is started again the episode goes on at its step", async ({
  inference,
  world,
}) => {
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(10);
  world.server.signal("SIGKILL");
  await expect(inference.status).toContainText("● Reconnecting...", PATIENT);
  // The words name the newest step, to which the agent may still be gliding.
  await expect(inference.page.getByRole("alert").filter({ hasText: /step \d+/ })).toBeVisible();
  const held = await inference.step();
  await expect(inference.page.getByRole("button", { name: "Retry now" }).first()).toBeVisible();
  await world.restartServer();
  await expect(inference.status).toContainText("● Connected", PATIENT);
  await inference.reach(held + 5, PATIENT.timeout);
  await expectWholeEpisode(inference, seen);
});

test("a server that goes down in order hands its episodes to the one that follows", async ({ inference, world }) => {
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(10);
  world.server.signal("SIGTERM");
  await expect(inference.status).toContainText("● Reconnecting...", PATIENT);
  const held = await inference.step();
  await world.restartServer();
  await inference.reach(held + 5, PATIENT.timeout);
  await expectWholeEpisode(inference, seen);
});

test("a frozen server is noticed by its silence, and goes on when it thaws", async ({ inference, world }) => {
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(10);
  world.server.signal("SIGSTOP");
  try {
    await expect(inference.status).toContainText("● Reconnecting...", PATIENT);
  } finally {
    world.server.signal("SIGCONT");
  }
  const held = await inference.step();
  await expect(inference.status).toContainText("● Connected", PATIENT);
  await inference.reach(held + 5, PATIENT.timeout);
  await expectWholeEpisode(inference, seen);
});

for (const [how, fault] of [
  ["is cut", "cut"],
  ["goes silent", "silence"],
] as const) {
  test(`a network that ${how} is said, and the episode goes on when it is back`, async ({
    inference,
    world,
    network,
  }) => {
    await inference.open(world, LONG);
    const seen = await watchSteps(inference.page);
    await inference.reach(10);
    network[fault]();
    await expect(inference.status).toContainText("● Reconnecting...", PATIENT);
    const held = await inference.step();
    network.mend();
    await expect(inference.status).toContainText("● Connected", PATIENT);
    await inference.reach(held + 5, PATIENT.timeout);
    await expectWholeEpisode(inference, seen);
  });
}

test("a device without network is Disconnected, and back with it", async ({ inference, world, context }) => {
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(5);
  await context.setOffline(true);
  await expect(inference.status).toContainText("● Disconnected", PATIENT);
  await context.setOffline(false);
  await expect(inference.status).toContainText("● Connected", PATIENT);
  await inference.reach((await inference.step()) + 3, PATIENT.timeout);
  await expectWholeEpisode(inference, seen);
});

test("a laptop that slept for a while goes on where it was", async ({ inference, world, browser }) => {
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(10);
  const asleep = await processesOfPages(browser);
  for (const pid of asleep) process.kill(pid, "SIGSTOP");
  try {
    // Longer than the page waits for a sign of life, and than the server waits for a reader.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
  } finally {
    for (const pid of asleep) process.kill(pid, "SIGCONT");
  }
  const held = await inference.step();
  await inference.reach(held + 5, PATIENT.timeout);
  await expect(inference.status).toContainText("● Connected", PATIENT);
  await expectWholeEpisode(inference, seen);
});

/** Everything of the browser that runs pages and their connections; its own process stays awake, so that it can be asked again. */
async function processesOfPages(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const found = processInfo.filter(({ type }) => type === "renderer" || type.includes("NetworkService"));
  expect(found.length).toBeGreaterThan(1);
  return found.map(({ id }) => id);
}

test("a hidden tab lets its stream go, and goes on at its step when it is shown again", async ({ world, browser }) => {
  const tab = await BareTab.open(browser, `${world.page}/status`);
  try {
    const ready = () => tab.evaluate<string>("document.readyState + ' ' + location.pathname");
    await expect.poll(ready, PATIENT).toBe("complete /status");
    await tab.evaluate(
      `localStorage.setItem("rlmaze.inference", ${JSON.stringify(JSON.stringify({ ...LONG, defaultSpeed: 4 }))})`,
    );
    await tab.evaluate(`location.href = ${JSON.stringify(world.page)}`);
    const step = async () =>
      Number.parseInt(
        (
          await tab.evaluate<string>(`document.querySelector("[data-testid=step-display]")?.textContent ?? "0"`)
        ).replace(/\s/g, ""),
        10,
      );
    const status = () => tab.evaluate<string>(`document.querySelector("[data-testid=connection-status]")?.textContent`);
    const liveStreams = async () => {
      const answer = await fetch(`${world.page}/api/health`);
      return ((await answer.json()) as { liveStreams: number }).liveStreams;
    };
    await expect.poll(step, PATIENT).toBeGreaterThanOrEqual(5);
    expect(await liveStreams()).toBe(1);

    const other = await BareTab.open(browser, "about:blank");
    await expect.poll(() => tab.evaluate("document.visibilityState"), PATIENT).toBe("hidden");
    // The server carries nothing for whoever does not look.
    await expect.poll(liveStreams, PATIENT).toBe(0);
    const held = await step();
    await other.close();
    await tab.show();
    await expect.poll(() => tab.evaluate("document.visibilityState"), PATIENT).toBe("visible");
    expect(await step()).toBeLessThanOrEqual(held + 4);
    await expect.poll(step, PATIENT).toBeGreaterThanOrEqual(held + 5);
    expect(await status()).toContain("● Connected");
  } finally {
    await tab.evaluate("localStorage.clear()");
    await tab.close();
  }
});

test("behind a proxy that holds streams back the page goes over to WebSocket by itself", async ({
  inference,
  world,
  network,
}) => {
  network.buffering = true;
  await inference.open(world, LONG);
  const seen = await watchSteps(inference.page);
  await inference.reach(5, PATIENT.timeout);
  await expect(inference.status).toContainText("● Connected", PATIENT);
  await inference.status.click();
  await expect(inference.page.getByText("Steps arrive over WebSocket.")).toBeVisible();
  await inference.page.keyboard.press("Escape");
  await expectWholeEpisode(inference, seen);
});

test("twenty tabs on plain HTTP/1.1 all get their episode", async ({ world, browser }) => {
  test.setTimeout(420_000);
  // Small and without glide: twenty pages in sight are twenty times the drawing, and it is their connections that count here. Two cores
  // take seconds for one question to one of them, so all are asked side by side, and seldom.
  const context = await browser.newContext({ viewport: { width: 480, height: 480 }, reducedMotion: "reduce" });
  const tabs = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const page = await context.newPage();
      await page.addInitScript(
        (kept) => localStorage.setItem("rlmaze.inference", kept),
        JSON.stringify({ ...LONG, defaultSpeed: 1, arrows: false }),
      );
      await page.goto(world.page, { timeout: 120_000 });
      return new InferencePage(page);
    }),
  );
  const reach = (tab: InferencePage, step: number) =>
    expect.poll(() => tab.step(), { timeout: 120_000, intervals: [1_000] }).toBeGreaterThanOrEqual(step);
  await Promise.all(tabs.map((tab) => reach(tab, 2)));
  await Promise.all(tabs.map((tab) => expect(tab.status).toContainText("● Connected", { timeout: 120_000 })));
  // Browsers open six connections to a host; all the others had to come another way.
  const answer = await fetch(`${world.page}/api/health`);
  const { liveStreams, websocketConnections } = (await answer.json()) as {
    liveStreams: number;
    websocketConnections: number;
  };
  expect(liveStreams).toBe(20);
  expect(websocketConnections).toBeGreaterThanOrEqual(14);
  const places = await Promise.all(tabs.map((tab) => tab.step()));
  await Promise.all(tabs.map((tab, at) => reach(tab, (places[at] ?? 0) + 2)));
  await context.close();
});

test("a server of another version is told, with what to do, and one can go on", async ({ inference, world }) => {
  const { page } = inference;
  // The server that answers later is an older one: its real answer, with the version of that time.
  let version = "CONTRACT_VERSION_1";
  await page.route("**/api/health", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), contractVersion: version } });
  });
  await inference.open(world, LONG);
  const notice = page.getByTestId("version-notice");
  await expect(notice).toContainText("The server is older than this page", PATIENT);
  await expect(notice).toContainText("races");
  await notice.getByRole("button", { name: "Go on" }).click();
  await expect(notice).toBeHidden();
  await inference.reach((await inference.step()) + 3);
  version = 99 as unknown as string;
  await expect(notice).toContainText("The server is newer than this page", PATIENT);
  await expect(notice.getByRole("button", { name: "Reload" })).toBeVisible();
  await inference.reach((await inference.step()) + 3);
});
