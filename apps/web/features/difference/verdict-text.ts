import type { Verdict } from "./disputes";

type Names = { readonly a: string; readonly b: string };

/** Who is right, as the end of a sentence. */
export function verdictText(verdict: Verdict | undefined, names: Names): string {
  switch (verdict) {
    case "a":
      return `${names.a} is right`;
    case "b":
      return `${names.b} is right`;
    case "both":
      return "both are right";
    case "neither":
      return "neither is right";
    default:
      return "they choose the same";
  }
}
