// @vitest-environment jsdom
import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderPage } from "@/test/render";
import { drawingOf } from "./drawing";
import { DrawingEditor } from "./drawing-editor";
import { DrawingLine } from "./drawing-line";
import type { ServerVerdict } from "./server-verdict";

const open = ["S....", ".....", ".....", ".....", "....G"];
const closed = ["S....", "#####", ".....", ".....", "....G"];

function show(rows: readonly string[], verdict: ServerVerdict, onOpenMissing = () => {}) {
  const state = new DrawingEditor(drawingOf(rows)).getState();
  return renderPage(<DrawingLine state={state} verdict={verdict} onOpenMissing={onOpenMissing} />);
}

const told = { state: "told", solvable: true, problems: [], cells: [], knownMazeId: "" } as const;

describe("the line below the drawing", () => {
  it("says how far the goal is, and that no set holds the maze", () => {
    show(open, told);
    expect(screen.getByTestId("solvable")).toHaveTextContent("Solvable");
    expect(screen.getByText("Shortest path").nextElementSibling).toHaveTextContent("8");
    expect(screen.getByText("Step limit").nextElementSibling).toHaveTextContent("50");
    expect(screen.getByText("In no set: new to every model")).toBeVisible();
  });

  it("names the maze of a set that it is", () => {
    show(open, { ...told, knownMazeId: "heldout-0007" });
    expect(screen.getByText("heldout-0007")).toBeVisible();
  });

  it("says what cannot be reached, and opens the wall in the way", () => {
    let opened = 0;
    show(closed, { ...told, solvable: false, problems: ["The goal is out of reach."] }, () => {
      opened += 1;
    });
    expect(screen.getByTestId("solvable")).toHaveTextContent("No way to the goal");
    expect(screen.getByText(/15 cells \(hatched\) cannot be reached/)).toBeVisible();
    // The server's sentence says the same: it is not said twice.
    expect(screen.queryByRole("alert")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Open the wall in the way" }));
    expect(opened).toBe(1);
  });

  it("says what the server finds where the page finds nothing", () => {
    show(open, { ...told, solvable: false, problems: ["maze.rows: must have at most 100 rows."] });
    expect(screen.getByRole("alert")).toHaveTextContent("The server says: maze.rows: must have at most 100 rows.");
  });

  it("says that it judged alone where the server is away", () => {
    show(open, { state: "away" });
    expect(screen.getByText("The server does not answer; this page judged alone.")).toBeVisible();
  });
});
