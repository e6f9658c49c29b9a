import { existsSync } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable"];

/** The browser that is driven; undefined lets Playwright look for its own. */
export const CHROME: string | undefined = process.env.CHROME_PATH ?? places.find((place) => existsSync(place));

/** What every driven browser is started with. */
export const CHROME_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
