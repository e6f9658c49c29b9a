import fc from "fast-check";
import { expect, test } from "vitest";
import { placeBeside } from "./tooltip";

const view = { width: 1440, height: 900 };
const box = { width: 120, height: 28 };

test("a tooltip stands on the wanted side, and on the other one where there is no room", () => {
  const button = { left: 700, right: 740, top: 400, bottom: 432 };
  expect(placeBeside(button, box, "top", view)).toEqual({ left: 660, top: 366 });
  expect(placeBeside(button, box, "right", view)).toEqual({ left: 746, top: 402 });
  const header = { left: 700, right: 740, top: 8, bottom: 40 };
  expect(placeBeside(header, box, "top", view)).toEqual({ left: 660, top: 46 });
});

test("a tooltip is never outside of the window", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1400 }),
      fc.integer({ min: 0, max: 860 }),
      fc.constantFrom("top" as const, "right" as const, "bottom" as const, "left" as const),
      (left, top, side) => {
        const place = placeBeside({ left, top, right: left + 40, bottom: top + 40 }, box, side, view);
        expect(place.left).toBeGreaterThanOrEqual(0);
        expect(place.left + box.width).toBeLessThanOrEqual(view.width);
        expect(place.top).toBeGreaterThanOrEqual(0);
        expect(place.top + box.height).toBeLessThanOrEqual(view.height);
      },
    ),
  );
});
