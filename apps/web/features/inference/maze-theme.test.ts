import { readFileSync } from "node:fs";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import { describe, expect, test } from "vitest";

const css = readFileSync("app/globals.css", "utf8");

/** Tokens of one theme: light stands first, dark overrides it. */
function tokens(name: "dark" | "light"): Map<string, string> {
  const [light = "", dark = ""] = css.split(".dark {");
  const block = name === "light" ? light : (dark.split("}")[0] ?? "");
  return new Map(
    [...block.matchAll(/--((?:maze|heat)-[a-z-]+): (#[0-9a-f]{6});/g)].map(([, token = "", color = ""]) => [
      token,
      color,
    ]),
  );
}

describe.each(["dark", "light"] as const)("the %s legend", (name) => {
  test("has the colours of the board", () => {
    const theme = name === "dark" ? DARK_MAZE_THEME : LIGHT_MAZE_THEME;
    expect(Object.fromEntries(tokens(name))).toEqual({
      "maze-wall": theme.wall,
      "maze-path": theme.path,
      "maze-start": theme.start,
      "maze-goal": theme.goal,
      "maze-agent": theme.agent,
      "maze-agent-ring": theme.agentRing,
      "maze-casing": theme.agentCasing,
      "maze-trail": theme.trail,
      "heat-visits-low": theme.visits[0],
      "heat-visits-high": theme.visits[1],
      "heat-value-low": theme.value[0],
      "heat-value-high": theme.value[1],
    });
  });
});
