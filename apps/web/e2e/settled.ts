import { expect, type Page } from "@playwright/test";

/** Waits until nothing fades or grows any more: what is half faded in has half the contrast. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await frame();
    await Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
        .map((animation) => animation.finished.catch(() => undefined)),
    );
    await frame();
  });
}

/** Reads a number until it stays: after a stop the agent glides to its newest step first, and the panels follow it. */
export async function atRest(read: () => Promise<number>): Promise<number> {
  let last = Number.NaN;
  const rests = async () => {
    const before = last;
    last = await read();
    return last === before;
  };
  await expect.poll(rests, { intervals: [400] }).toBe(true);
  return last;
}
