import { expect, test } from "vitest";
import { cn } from "./class-names";

test.each([
  ["h-8 w-full", "h-7", "w-full h-7"],
  ["px-3 py-2", "p-0", "p-0"],
  ["gap-x-3 gap-y-1", "gap-x-4", "gap-y-1 gap-x-4"],
  ["rounded-small", "rounded-full", "rounded-full"],
  ["text-meta text-accent", "text-sub", "text-accent text-sub"],
  ["text-right text-text-3", "text-text", "text-right text-text"],
  ["figure", "font-sans", "font-sans"],
  ["max-md:h-11 h-8", "h-7", "max-md:h-11 h-7"],
])("of %j and %j the later one wins where they set the same", (kit, caller, merged) => {
  expect(cn(kit, caller)).toBe(merged);
});

test("what is false is left out", () => {
  expect(cn("a", false, undefined, ["b", { c: true, d: false }])).toBe("a b c");
});
