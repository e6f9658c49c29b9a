import { expect, it } from "vitest";
import { TwoFingerPan } from "./two-finger-pan";

const finger = (pointerId: number, clientX: number, clientY: number) => ({ pointerId, clientX, clientY });

it("leaves one finger to draw, and moves the board with two until the last is lifted", () => {
  const pan = new TwoFingerPan();
  const scrolled = { x: 0, y: 0 };
  const scroller = {
    scrollBy: (x: number, y: number) => {
      scrolled.x += x;
      scrolled.y += y;
    },
  } as unknown as Element;
  pan.down(finger(1, 100, 100));
  expect(pan.active).toBe(false);
  pan.down(finger(2, 200, 100));
  expect(pan.active).toBe(true);
  // Both go 30 to the left and 10 up: the board follows them by just that.
  pan.move(finger(1, 70, 90), scroller);
  pan.move(finger(2, 170, 90), scroller);
  expect(scrolled).toEqual({ x: 30, y: 10 });
  pan.up({ pointerId: 2 });
  expect(pan.active, "the finger that is left draws nothing").toBe(true);
  pan.up({ pointerId: 1 });
  expect(pan.active).toBe(false);
});
