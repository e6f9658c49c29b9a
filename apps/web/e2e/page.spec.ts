import { expect, test } from "./inference";
import { modeRoutes } from "./routes";

/**
 * The aim is 280 kB. Watch is 2 kB above it with the two chunks that follow its HTML, and the race comes with a chart library, which the
 * others do without; neither may grow.
 */
const limits: Readonly<Record<string, number>> = { "/": 282_500, "/race": 300_000 };
const limitOf = (route: string) => limits[route] ?? 280_000;

for (const route of modeRoutes) {
  test(`all JavaScript of a first visit to ${route} is within its limit, compressed`, async ({ page, world }) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    const scripts = new Set<string>();
    let bytes = 0;
    session.on("Network.responseReceived", ({ requestId, type }) => {
      if (type === "Script") scripts.add(requestId);
    });
    // What came over the wire without the headers.
    session.on("Network.dataReceived", ({ requestId, encodedDataLength }) => {
      if (scripts.has(requestId)) bytes += encodedDataLength;
    });
    await page.goto(`${world.page}${route}`, { waitUntil: "load" });
    await expect(page.locator("canvas").first()).toBeVisible({ timeout: 45_000 });
    process.stdout.write(
      `JavaScript of ${route}: ${Math.round(bytes / 1000)} kB compressed in ${scripts.size} files\n`,
    );
    expect(scripts.size).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(limitOf(route));
  });
}

test("the page stays smooth at 150 steps a second", async ({ inference, world }) => {
  await inference.open(world, {
    autoNext: false,
    defaultSpeed: 150,
    mazeId: "large50-04",
    setId: "large50",
    arrows: false,
  });
  // Its shortest path has 589 steps: four seconds, of which the first one is left to the loading of the page.
  await inference.reach(150);
  const frames = await inference.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const began = performance.now();
        let count = 0;
        const tick = (now: number) => {
          count += 1;
          if (now - began > 1000) resolve((count * 1000) / (now - began));
          else requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
      }),
  );
  process.stdout.write(`frames a second at 150 steps a second on 50 × 50: ${frames.toFixed(0)}\n`);
  // Sixty on a machine of its own; a quarter of that still reads as motion where server, database and others share two cores.
  expect(frames).toBeGreaterThan(15);
});

test("the delay of the stream stays within its limit of 200 ms", async ({ inference, world }) => {
  // The first steps fall into the loading of the page; the percentile looks back on 512 of them.
  const p95 = async () => Number(/p95 ([\d.]+)/.exec((await inference.fact("Stream delay").textContent()) ?? "")?.[1]);
  // A shared machine can take a core away for a while. That is not the product's delay, and not there every time.
  await expect(async () => {
    await inference.open(world, { autoNext: false, defaultSpeed: 64, setId: "large50", mazeId: "large50-01" });
    await inference.reach(20);
    await expect.poll(p95, { timeout: 15_000 }).toBeLessThan(200);
  }).toPass({ timeout: 110_000 });
});

test("a reader of the page finds no motion when motion is reduced", async ({ inference, world }) => {
  await inference.page.emulateMedia({ reducedMotion: "reduce" });
  await inference.open(world, { autoNext: false, defaultSpeed: 2, arrows: false });
  await inference.reach(2);
  // The ring is never drawn between two cells: its centre is always the middle of one.
  for (let look = 0; look < 10; look++) {
    const drawn = await inference.drawnPlace();
    expect(drawn).toBeDefined();
    await inference.page.waitForTimeout(70);
  }
  // Both are asked for again: the agent goes on in between.
  await expect
    .poll(async () => {
      const [drawn, { row, col }] = [await inference.drawnPlace(), await inference.place()];
      return drawn?.row === row && drawn.col === col;
    })
    .toBe(true);
});
