import fc from "fast-check";
import { expect, it } from "vitest";
import { emptyDrawing, fillAll, paint, place, rowsOf } from "./drawing";
import { DrawingEditor } from "./drawing-editor";

it("goes back and forward through every edit, whatever they were", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("wall", "path", "start", "goal"), fc.nat(99)), { maxLength: 60 }),
      (edits) => {
        const editor = new DrawingEditor(emptyDrawing(10, 10));
        const seen = [rowsOf(editor.drawing).join()];
        for (const [as, cell] of edits) {
          editor.change(as, (drawing) =>
            as === "wall" || as === "path" ? paint(drawing, [cell], as) : place(drawing, as as "start" | "goal", cell),
          );
          const now = rowsOf(editor.drawing).join();
          if (now !== seen.at(-1)) seen.push(now);
        }
        for (let at = seen.length - 2; at >= 0; at--) {
          editor.undo();
          expect(rowsOf(editor.drawing).join()).toBe(seen[at]);
        }
        expect(editor.getState().canUndo).toBe(false);
        for (let at = 1; at < seen.length; at++) {
          editor.redo();
          expect(rowsOf(editor.drawing).join()).toBe(seen[at]);
        }
        expect(editor.getState().canRedo).toBe(false);
      },
    ),
  );
});

it("takes a whole drag back in one step", () => {
  const editor = new DrawingEditor(emptyDrawing(10, 10));
  const empty = rowsOf(editor.drawing);
  editor.beginStroke("draw walls");
  for (let cell = 20; cell < 30; cell++) editor.change("draw walls", (drawing) => paint(drawing, [cell], "wall"));
  editor.endStroke();
  expect(editor.getState().facts.solvable).toBe(false);
  expect(editor.getState().undoes).toBe("draw walls");
  editor.undo();
  expect(rowsOf(editor.drawing)).toEqual(empty);
  expect(editor.getState()).toMatchObject({ canUndo: false, canRedo: true, redoes: "draw walls" });
});

it("forgets the undone future when something else is drawn", () => {
  const editor = new DrawingEditor(emptyDrawing(10, 10));
  editor.change("fill", (drawing) => fillAll(drawing, "wall"));
  editor.undo();
  editor.change("draw walls", (drawing) => paint(drawing, [5], "wall"));
  expect(editor.getState().canRedo).toBe(false);
});

it("a drag that changes nothing is no step back", () => {
  const editor = new DrawingEditor(emptyDrawing(10, 10));
  editor.beginStroke("draw walls");
  editor.change("draw walls", (drawing) => paint(drawing, [drawing.start], "wall"));
  editor.endStroke();
  expect(editor.getState()).toMatchObject({ canUndo: false, revision: 0 });
});
