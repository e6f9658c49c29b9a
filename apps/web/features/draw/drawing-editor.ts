import { type Drawing, sameDrawing } from "./drawing";
import { type DrawingFacts, drawingFacts } from "./drawing-facts";

/** What panels show of the editor; replaced on every change. */
export interface EditorState {
  readonly drawing: Drawing;
  readonly facts: DrawingFacts;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** What undo and redo would take back or do again: "draw walls". Empty when there is nothing. */
  readonly undoes: string;
  readonly redoes: string;
  /** Grows with every change of the drawing. */
  readonly revision: number;
}

interface Entry {
  readonly drawing: Drawing;
  /** The edit that led away from this drawing. */
  readonly edit: string;
}

/** Steps back that are kept; a drawing of 50 × 50 takes 2.5 kB. */
const KEPT_STEPS = 300;

/**
 * The drawing with its past and its future, outside of React: a drag may change it many times a second. All changes between
 * `beginStroke` and `endStroke` are one step back.
 */
export class DrawingEditor {
  readonly #listeners = new Set<() => void>();
  #past: Entry[] = [];
  #future: Entry[] = [];
  #stroke: { readonly from: Drawing; readonly edit: string } | undefined;
  #state: EditorState;

  constructor(drawing: Drawing) {
    this.#state = {
      drawing,
      facts: drawingFacts(drawing),
      canUndo: false,
      canRedo: false,
      undoes: "",
      redoes: "",
      revision: 0,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): EditorState => this.#state;

  get drawing(): Drawing {
    return this.#state.drawing;
  }

  /** Begins a drag: what follows is one step back, under this name. */
  beginStroke(edit: string): void {
    this.endStroke();
    this.#stroke = { from: this.drawing, edit };
  }

  endStroke(): void {
    const stroke = this.#stroke;
    this.#stroke = undefined;
    if (stroke === undefined || sameDrawing(stroke.from, this.drawing)) return;
    this.#remember(stroke.from, stroke.edit);
    this.#publish(this.drawing);
  }

  /** Gives a drag up: the drawing is what it was before. */
  cancelStroke(): void {
    const stroke = this.#stroke;
    this.#stroke = undefined;
    if (stroke !== undefined && !sameDrawing(stroke.from, this.drawing)) this.#publish(stroke.from);
  }

  /** The drawing at the beginning of the drag; the current one while there is none. */
  get strokeFrom(): Drawing {
    return this.#stroke?.from ?? this.drawing;
  }

  /** Changes the drawing; `edit` says what was done, in the words of "Undo …". */
  change(edit: string, next: (drawing: Drawing) => Drawing): void {
    const before = this.drawing;
    const after = next(before);
    if (after === before || sameDrawing(after, before)) return;
    if (this.#stroke === undefined) this.#remember(before, edit);
    this.#publish(after);
  }

  undo(): void {
    this.endStroke();
    const entry = this.#past.pop();
    if (entry === undefined) return;
    this.#future.push({ drawing: this.drawing, edit: entry.edit });
    this.#publish(entry.drawing);
  }

  redo(): void {
    this.endStroke();
    const entry = this.#future.pop();
    if (entry === undefined) return;
    this.#past.push({ drawing: this.drawing, edit: entry.edit });
    this.#publish(entry.drawing);
  }

  #remember(drawing: Drawing, edit: string): void {
    this.#past.push({ drawing, edit });
    if (this.#past.length > KEPT_STEPS) this.#past.shift();
    this.#future = [];
  }

  #publish(drawing: Drawing): void {
    const changed = drawing !== this.#state.drawing;
    this.#state = {
      drawing,
      facts: changed ? drawingFacts(drawing) : this.#state.facts,
      canUndo: this.#past.length > 0,
      canRedo: this.#future.length > 0,
      undoes: this.#past.at(-1)?.edit ?? "",
      redoes: this.#future.at(-1)?.edit ?? "",
      revision: this.#state.revision + (changed ? 1 : 0),
    };
    for (const listener of this.#listeners) listener();
  }
}
