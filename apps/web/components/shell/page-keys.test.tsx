// @vitest-environment jsdom
import { fireEvent, render } from "@testing-library/react";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { belongsToTarget, collectPageKeys, keyName, type PageKey, pressedKey, usePageKeys } from "./page-keys";

function Page({ keys }: { keys: readonly PageKey[] }) {
  usePageKeys(keys);
  return (
    <>
      <input aria-label="Seed" />
      <input type="range" aria-label="Step" />
      <button type="button">Play</button>
    </>
  );
}

describe("the keys of a page", () => {
  test("do what the help sheet lists, for as long as the page is there", () => {
    const run = vi.fn();
    const { unmount } = render(<Page keys={[{ keys: ["1", "2"], does: "Speed", run }]} />);
    expect(collectPageKeys().map(({ does }) => does)).toEqual(["Speed"]);
    fireEvent.keyDown(window, { key: "2" });
    expect(run).toHaveBeenCalledExactlyOnceWith("2");
    unmount();
    expect(collectPageKeys()).toEqual([]);
    fireEvent.keyDown(window, { key: "2" });
    expect(run).toHaveBeenCalledOnce();
  });

  test("do what they do now, not what they did when the page came", () => {
    const first = vi.fn();
    const second = vi.fn();
    const { rerender } = render(<Page keys={[{ keys: ["r"], does: "Reset", run: first }]} />);
    rerender(<Page keys={[{ keys: ["r"], does: "Reset", run: second }]} />);
    fireEvent.keyDown(window, { key: "R" });
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledOnce();
  });

  test("leave alone what a control needs itself, and what belongs to the browser", () => {
    const run = vi.fn();
    const { getByLabelText, getByRole } = render(<Page keys={[{ keys: [" ", "r", "arrowleft"], does: "It", run }]} />);
    fireEvent.keyDown(getByLabelText("Seed"), { key: "r" });
    fireEvent.keyDown(getByRole("button"), { key: " " });
    fireEvent.keyDown(getByLabelText("Step"), { key: "ArrowLeft" });
    fireEvent.keyDown(window, { key: "r", ctrlKey: true });
    expect(run).not.toHaveBeenCalled();
    fireEvent.keyDown(getByLabelText("Step"), { key: "r" });
    fireEvent.keyDown(getByRole("button"), { key: "r" });
    expect(run).toHaveBeenCalledTimes(2);
  });

  test("have one name for one key, with shift only where no letter says it", () => {
    expect(pressedKey({ key: "?", shiftKey: true })).toBe("?");
    expect(pressedKey({ key: "ArrowLeft", shiftKey: true })).toBe("shift+arrowleft");
    expect(["shift+arrowleft", " ", "r"].map(keyName)).toEqual(["Shift ←", "Space", "R"]);
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 1 }), fc.boolean(), (key, shiftKey) => {
        expect(pressedKey({ key, shiftKey })).toBe(key.toLowerCase());
        expect(belongsToTarget(document, key)).toBe(false);
      }),
    );
  });
});
