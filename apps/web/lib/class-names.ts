import { type ClassValue, clsx } from "clsx";
import { createTailwindMerge } from "tailwind-merge";

const any = () => true;

/*
 * Only what the kit's callers override: with the whole of Tailwind the merge alone would be 8 kB of the page. A class of another group is
 * kept as it is.
 */
const merge = createTailwindMerge(() => ({
  cacheSize: 500,
  theme: {},
  classGroups: {
    size: [{ size: [any] }],
    h: [{ h: [any] }],
    w: [{ w: [any] }],
    "min-h": [{ "min-h": [any] }],
    p: [{ p: [any] }],
    px: [{ px: [any] }],
    py: [{ py: [any] }],
    gap: [{ gap: [any] }],
    "gap-x": [{ "gap-x": [any] }],
    "gap-y": [{ "gap-y": [any] }],
    rounded: [{ rounded: [any] }],
    "font-family": [{ font: ["sans", "mono"] }, "figure"],
    "font-size": [{ text: ["meta", "sub", "body", "title", "key"] }],
    "text-alignment": [{ text: ["left", "center", "right"] }],
    "text-color": [{ text: [any] }],
    bg: [{ bg: [any] }],
  },
  conflictingClassGroups: { size: ["w", "h"], p: ["px", "py"], gap: ["gap-x", "gap-y"] },
  conflictingClassGroupModifiers: {},
  postfixLookupClassGroups: [],
  orderSensitiveModifiers: [],
}));

/** Joins class names; of two that set the same property the later one wins. */
export function cn(...classes: ClassValue[]): string {
  return merge(clsx(classes));
}
