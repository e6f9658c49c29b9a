// Judges every page of the built product with Lighthouse, on a desktop and on a phone, and prints a table and what cost points.
//   pnpm --filter web lighthouse [page ...]     for example: pnpm --filter web lighthouse / /race
import build from "../e2e/build";
import { categories, startInspector, type Verdict } from "../e2e/lighthouse";
import { routes } from "../e2e/routes";
import { startWorld } from "../e2e/world";

const pages = process.argv.slice(2).length > 0 ? process.argv.slice(2) : routes;

build();
const world = await startWorld();
const inspector = await startInspector();
const verdicts: Verdict[] = [];
try {
  // The first question of all warms the server up: models are loaded, the page's own server has compiled what it needs.
  await fetch(world.page);
  for (const page of pages) {
    for (const device of ["desktop", "mobile"] as const) {
      verdicts.push(await inspector.judge(world.page, page, device, categories));
    }
  }
} finally {
  await inspector.close();
  await world.close();
}

const head = [
  "page",
  "device",
  "performance",
  "accessibility",
  "best practices",
  "SEO",
  "LCP",
  "seen LCP",
  "TBT",
  "CLS",
];
const rows = verdicts.map(({ page, device, scores, lcpMs, observedLcpMs, tbtMs, cls }) => [
  page,
  device,
  ...categories.map((category) => String(scores[category] ?? "-")),
  `${Math.round(lcpMs)} ms`,
  `${Math.round(observedLcpMs)} ms`,
  `${Math.round(tbtMs)} ms`,
  cls.toFixed(3),
]);
const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
const line = (cells: readonly string[]) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ");
console.log(line(head));
for (const row of rows) console.log(line(row));
for (const { page, device, lost } of verdicts) {
  for (const reason of lost) console.log(`${page} ${device}: ${reason}`);
}
