// Measures the JavaScript that the first visit of each page loads: it starts the built server, reads the page's HTML, and adds up the
// gzip sizes of its scripts. Ends with 1 when a page is above the limit. Chunks that a page fetches later are listed beside.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 280;
const web = path.join(import.meta.dirname, "..");
const staticFolder = path.join(web, ".next/static");

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const kB = (file) => gzipSync(readFileSync(file), { level: 9 }).length / 1000;

const port = await freePort();
const server = spawn(process.execPath, [path.join(web, "scripts/start.mjs")], {
  env: { ...process.env, PORT: String(port), HOSTNAME: "127.0.0.1", SERVER_URL: "http://127.0.0.1:9" },
  stdio: "ignore",
});

try {
  let failed = false;
  for (const page of [
    "/",
    "/race",
    "/difference",
    "/draw",
    "/models",
    "/training",
    "/training/a-run",
    "/experiments",
    "/experiments/compare",
    "/episodes",
    "/gpu",
    "/status",
  ]) {
    let html;
    for (let attempt = 0; html === undefined && attempt < 100; attempt++) {
      html = await fetch(`http://127.0.0.1:${port}${page}`).then(
        (response) => response.text(),
        () => new Promise((resolve) => setTimeout(resolve, 100)),
      );
    }
    if (!html.includes("/_next/static/")) throw new Error(`${page} is no page`);
    const scripts = [
      ...new Set([...html.matchAll(/src="\/_next\/static\/([^"]+\.js)"(?![^>]*nomodule)/gi)].map((match) => match[1])),
    ];
    const total = scripts.reduce((sum, script) => sum + kB(path.join(staticFolder, script)), 0);
    const over = total > LIMIT_KB;
    failed ||= over;
    console.log(
      `${page.padEnd(10)} ${total.toFixed(1).padStart(7)} kB gzip in ${scripts.length} scripts${over ? `, above ${LIMIT_KB} kB` : ""}`,
    );
  }
  const all = readdirSync(staticFolder, { recursive: true }).filter((file) => file.endsWith(".js"));
  const largest = all
    .map((file) => [file, kB(path.join(staticFolder, file)), statSync(path.join(staticFolder, file)).size])
    .sort((left, right) => right[1] - left[1])
    .slice(0, 6);
  for (const [file, size] of largest) console.log(`  ${size.toFixed(1).padStart(7)} kB  ${file}`);
  process.exitCode = failed ? 1 : 0;
} finally {
  server.kill();
}
