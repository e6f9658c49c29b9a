import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GLIDE_MS, ViewerClock } from "../src/viewer-clock";

const FRAME_MS = 16;

/** Draws frames until a fact holds; returns the moments that were shown. */
function draw(clock: ViewerClock, live: () => number, frames: number, stop: () => boolean = () => false): number[] {
  const moments: number[] = [];
  for (let frame = 0; frame < frames && !stop(); frame++) {
    vi.advanceTimersByTime(FRAME_MS);
    clock.advance(performance.now(), live());
    moments.push(clock.moment);
  }
  return moments;
}

function started(): ViewerClock {
  const clock = new ViewerClock();
  clock.advance(performance.now(), 0);
  return clock;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a viewer who is live", () => {
  test("glides into each step and arrives within the glide's time", () => {
    const clock = started();
    const moments = draw(clock, () => 1, Math.ceil(GLIDE_MS / FRAME_MS));
    expect(moments[0]).toBeGreaterThan(0);
    expect(moments[0]).toBeLessThan(0.25);
    expect(moments.at(-1)).toBe(1);
  });

  test("never goes back, never beyond what arrived, and is at rest within a second after the last step", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 60 }), (arrivals) => {
        const clock = started();
        let live = 0;
        let before = 0;
        for (const steps of arrivals) {
          live += steps;
          for (const moment of draw(clock, () => live, 1)) {
            expect(moment).toBeGreaterThanOrEqual(before);
            expect(moment).toBeLessThanOrEqual(live);
            expect(clock.step).toBe(Math.floor(moment));
            before = moment;
          }
        }
        draw(clock, () => live, 60);
        expect(clock.moment).toBe(live);
      }),
      { numRuns: 100 },
    );
  });

  test("is never farther behind than a step and a half, or a tenth of a second, at any speed", () => {
    for (const speed of [1, 10, 60, 250, 1000]) {
      const clock = started();
      const from = performance.now();
      const live = (): number => Math.floor(((performance.now() - from) * speed) / 1000);
      draw(clock, live, 300);
      expect(live() - clock.moment).toBeLessThanOrEqual(Math.max(1.5, speed / 10));
    }
  });

  test("is there at once without motion, and without frames", () => {
    const still = started();
    still.glideMs = 0;
    expect(draw(still, () => 7, 1)).toEqual([7]);
    const absent = new ViewerClock();
    expect(absent.isDriven).toBe(false);
    absent.settle(9);
    expect(absent.moment).toBe(9);
    const gone = started();
    expect(gone.isDriven).toBe(true);
    vi.advanceTimersByTime(600);
    expect(gone.isDriven).toBe(false);
  });
});

describe("a replay", () => {
  test("shows each step for its time and is live at the end", () => {
    const clock = started();
    clock.stay(3);
    clock.replay(5, 8);
    expect(clock.mode).toBe("replay");
    const moments = draw(
      clock,
      () => 8,
      200,
      () => clock.mode === "live",
    );
    // Five steps at five a second.
    expect(moments.length * FRAME_MS).toBeGreaterThanOrEqual(1000 - FRAME_MS);
    expect(moments.length * FRAME_MS).toBeLessThanOrEqual(1000 + FRAME_MS);
    expect(clock.moment).toBe(8);
    expect(clock.mode).toBe("live");
  });

  test("of a live episode catches up with what goes on arriving", () => {
    const clock = started();
    clock.stay(0);
    const from = performance.now();
    const live = (): number => 50 + Math.floor((performance.now() - from) / 100);
    clock.replay(100, live());
    draw(clock, live, 200, () => clock.mode === "live");
    expect(clock.mode).toBe("live");
    expect(clock.step).toBe(live());
  });

  test("changes its speed at any moment without a jump", () => {
    const speeds = fc.constantFrom(0.1, 1, 3, 10, 60, 250, 1000, 0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(speeds, fc.integer({ min: 1, max: 20 })), { minLength: 2, maxLength: 12 }),
        (changes) => {
          const clock = started();
          clock.stay(0);
          for (const [speed, frames] of changes) {
            const before = clock.moment;
            clock.replay(speed, 20_000);
            expect(clock.moment).toBe(before);
            let last = before;
            for (const moment of draw(clock, () => 20_000, frames)) {
              const fastest = speed === 0 ? 1000 : speed;
              // A frame moves by its share of the pace, or glides at most at the glide's own pace.
              const reach = Math.max(fastest, 1000 / GLIDE_MS) * (FRAME_MS / 1000);
              expect(moment).toBeGreaterThanOrEqual(last);
              expect(moment - last).toBeLessThanOrEqual(reach + 1e-6);
              last = moment;
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("keeps its pace over long times, whatever the frames are", () => {
    for (const speed of [0.5, 2, 7, 30, 144, 600]) {
      const clock = started();
      clock.stay(0);
      clock.replay(speed, 20_000);
      let frames = 0;
      const from = performance.now();
      while (performance.now() - from < 10_000) {
        vi.advanceTimersByTime(frames++ % 3 === 0 ? 7 : 23);
        clock.advance(performance.now(), 20_000);
      }
      const expected = ((performance.now() - from) / 1000) * speed;
      expect(Math.abs(clock.moment - expected)).toBeLessThanOrEqual(1);
    }
  });

  test("skips nothing when the tab was away", () => {
    const clock = started();
    clock.stay(0);
    clock.replay(10, 1000);
    vi.advanceTimersByTime(60_000);
    clock.advance(performance.now(), 1000);
    expect(clock.moment).toBeLessThanOrEqual(2.5);
  });
});

describe("single steps", () => {
  test("glide forward and back, and add up when they come faster than the glide", () => {
    const clock = started();
    clock.stay(5);
    clock.stepBy(1, 10);
    expect(clock.step).toBe(5);
    clock.stepBy(1, 10);
    draw(clock, () => 10, 30);
    expect(clock.moment).toBe(7);
    clock.stepBy(-1, 10);
    expect(clock.step).toBe(6);
    expect(clock.glide).toBeGreaterThan(0.99);
    const back = draw(clock, () => 10, 30);
    expect(back.every((moment) => moment >= 6 && moment < 7)).toBe(true);
    expect(clock.moment).toBe(6);
    expect(clock.mode).toBe("still");
  });

  test("stay within the episode; onto the live step is live again", () => {
    const clock = started();
    clock.stay(0);
    clock.stepBy(-1, 3);
    expect(clock.moment).toBe(0);
    clock.stepBy(1, 1);
    expect(clock.mode).toBe("live");
    draw(clock, () => 1, 30);
    expect(clock.moment).toBe(1);
  });

  test("are taken at once where nobody draws", () => {
    const clock = new ViewerClock();
    clock.stay(5);
    clock.stepBy(1, 10);
    expect(clock.moment).toBe(6);
    clock.stepBy(-2, 10);
    expect(clock.moment).toBe(4);
  });
});
