// One turn of one contestant in a Chromium of its own; prints one JSON object. Arguments: the turn as JSON.
//
// Main-thread time is Chromium's own account: `TaskDuration` of Performance.getMetrics, which counts every task of the page's main thread
// (script, style, layout, paint, and what the canvas draws there). Work per frame is read from a trace: the tasks of the main thread
// between two animation frames.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// React, the bundler and the browser's driver are those of the page; the benchmark installs nothing.
const web = createRequire(fileURLToPath(new URL("../../apps/web/package.json", import.meta.url)));
const esbuild = createRequire(web.resolve("tsx/package.json"))("esbuild");
const { chromium } = createRequire(web.resolve("@playwright/test/package.json"))("playwright");

const turn = JSON.parse(process.argv[2] ?? "{}");
const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

const { outputFiles } = await esbuild.build({
  entryPoints: [`${here}page.tsx`],
  bundle: true,
  write: false,
  format: "iife",
  minify: true,
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  nodePaths: [`${root}apps/web/node_modules`],
  logLevel: "error",
});

const chromes = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable"];
const executablePath = process.env.CHROME_PATH ?? chromes.find((path) => existsSync(path));
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const context = await browser.newContext({ viewport: { width: 760, height: 720 }, deviceScaleFactor: turn.dpr ?? 1 });
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  });
  // An isolated page, for the sender's shared memory; nothing of it comes from a network.
  await page.route("**/*", (route) =>
    route.fulfill({
      contentType: "text/html",
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
      body: '<!doctype html><body style="margin:16px;background:#101217">',
    }),
  );
  await page.goto("https://canvas.test/");
  await page.evaluate((x) => {
    window.V = "";
    const g = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (k, o) {
      if (x === "wc") this.style.willChange = "transform";
      return g.call(
        this,
        k,
        x === "wrf"
          ? { willReadFrequently: true }
          : x === "desync"
            ? { desynchronized: true }
            : x === "alpha"
              ? { alpha: false }
              : o,
      );
    };
  }, "wc");
  await page.addScriptTag({ content: outputFiles[0].text });
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const metrics = async () =>
    Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  await page.evaluate((given) => window.turn.prepare(given), turn);
  if (turn.trace)
    await browser.startTracing(page, {
      categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"],
    });
  const before = await metrics();
  const seen = await page.evaluate((given) => window.turn.run(given), turn);
  const after = await metrics();
  const taskMs = (after.TaskDuration - before.TaskDuration) * 1000;
  const report = {
    ...seen,
    taskMs,
    scriptMs: (after.ScriptDuration - before.ScriptDuration) * 1000,
    processMs: (after.ProcessTime - before.ProcessTime) * 1000,
    version: browser.version(),
  };
  if (turn.trace) {
    const trace = (await browser.stopTracing()).toString();
    if (process.env.TRACE_OUT) (await import("node:fs")).writeFileSync(process.env.TRACE_OUT, trace);
    Object.assign(report, framesOf(JSON.parse(trace)));
  }
  process.stdout.write(`${JSON.stringify(report)}\n`);
} finally {
  await browser.close();
}

/** Main-thread work of every frame in milliseconds, ascending: what its tasks took from one animation frame to the next. */
function framesOf({ traceEvents }) {
  const frames = traceEvents.filter(({ name }) => name === "FireAnimationFrame");
  const [first] = frames;
  if (!first) return { frameWorkMs: [] };
  const onMain = (event) => event.pid === first.pid && event.tid === first.tid;
  const tasks = traceEvents
    .filter((event) => event.name === "RunTask" && event.ph === "X" && onMain(event))
    .sort((a, b) => a.ts - b.ts);
  // The task of an animation frame begins before its callback: frames are cut where their tasks begin.
  const cuts = [];
  for (const { ts } of frames.sort((a, b) => a.ts - b.ts)) {
    const task = tasks.findLast((candidate) => candidate.ts <= ts && candidate.ts + candidate.dur >= ts);
    if (task && task.ts !== cuts.at(-1)) cuts.push(task.ts);
  }
  const work = new Array(Math.max(0, cuts.length - 1)).fill(0);
  let frame = 0;
  for (const task of tasks) {
    if (task.ts < cuts[0]) continue;
    while (frame < work.length && task.ts >= cuts[frame + 1]) frame++;
    if (frame >= work.length) break;
    work[frame] += task.dur / 1000;
  }
  return { frameWorkMs: work.sort((a, b) => a - b) };
}
