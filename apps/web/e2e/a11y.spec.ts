import { readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./inference";
import { REPOSITORY, WEB_FOLDER } from "./places";
import { settled } from "./settled";
import { states } from "./states";

const axe = readFileSync(path.join(WEB_FOLDER, "node_modules/axe-core/axe.min.js"), "utf8");

/** `make screenshots` sets it; otherwise the pictures lie beside the other results. */
const pictures = process.env.RLMAZE_PICTURES
  ? path.resolve(REPOSITORY, process.env.RLMAZE_PICTURES)
  : path.join(WEB_FOLDER, "test-results/pictures");

const desktop = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

/** Breaches of WCAG 2.2 A and AA and of axe's best practice, each in one line. */
async function breaches(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ")}`,
      ),
    );
  });
}

/** Turns the page to a theme as another tab would: whatever is open stays open. */
async function turnTo(page: Page, theme: "dark" | "light"): Promise<void> {
  await page.evaluate((name) => {
    localStorage.setItem("theme", name);
    window.dispatchEvent(new StorageEvent("storage", { key: "theme", newValue: name }));
  }, theme);
  await expect(page.locator("html")).toHaveClass(new RegExp(`(^| )${theme}( |$)`));
  await settled(page);
}

for (const { name, reach, oneWidth } of states) {
  test(`${name}: no breach of accessibility in either theme and width, and a picture of each`, async ({
    inference: { page },
    world,
  }) => {
    // An episode may end at any moment, and what is half faded in has half the contrast.
    await page.emulateMedia({ reducedMotion: "reduce" });
    await reach(page, world);
    await page.evaluate(axe);
    for (const viewport of oneWidth ? [desktop] : [desktop, phone]) {
      await page.setViewportSize(viewport);
      for (const theme of ["dark", "light"] as const) {
        await turnTo(page, theme);
        const where = `${name} ${viewport.width} ${theme}`;
        await page.screenshot({ path: path.join(pictures, `${name}-${viewport.width}-${theme}.png`) });
        expect.soft(await breaches(page), where).toEqual([]);
      }
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect.soft(overflow, `${name}: pixels of sideways scrolling at ${viewport.width}`).toBe(0);
    }
  });
}
