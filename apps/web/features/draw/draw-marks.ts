/** Where a cell lies, in CSS pixels. */
export interface CellBox {
  /** Centre. */
  readonly x: number;
  readonly y: number;
  /** Side. */
  readonly size: number;
}

/** What the layer above the board shows. */
export interface DrawingMarks {
  /** Open cells that no way leads to from the start. */
  readonly unreachable: readonly CellBox[];
  /** Walls whose opening would make a way. */
  readonly missing: readonly CellBox[];
  /** Cells that the server found fault with. */
  readonly faulty: readonly CellBox[];
}

/** Colours of the marks, any CSS colour. */
export interface MarkColors {
  readonly unreachable: string;
  readonly missing: string;
  readonly faulty: string;
}

/** Hatches what cannot be reached, and outlines the walls that stand in the way. The context is in CSS pixels and was cleared. */
export function drawMarks(context: CanvasRenderingContext2D, marks: DrawingMarks, colors: MarkColors): void {
  context.lineCap = "butt";
  context.strokeStyle = colors.unreachable;
  for (const { x, y, size } of marks.unreachable) {
    const left = x - size / 2;
    const top = y - size / 2;
    // Lines lie on one lattice over the whole board, so that they run on from cell to cell.
    const gap = Math.max(4, size / 4);
    context.lineWidth = Math.max(1, size / 26);
    context.save();
    context.beginPath();
    context.rect(left, top, size, size);
    context.clip();
    context.beginPath();
    for (let at = Math.floor((left + top) / gap) * gap; at <= left + top + 2 * size; at += gap) {
      context.moveTo(at - top, top);
      context.lineTo(at - top - size, top + size);
    }
    context.stroke();
    context.restore();
  }
  context.strokeStyle = colors.missing;
  for (const { x, y, size } of marks.missing) {
    context.lineWidth = Math.max(1.5, size / 16);
    context.setLineDash([Math.max(2, size / 8), Math.max(2, size / 10)]);
    const inset = context.lineWidth;
    context.strokeRect(x - size / 2 + inset, y - size / 2 + inset, size - 2 * inset, size - 2 * inset);
  }
  context.setLineDash([]);
  context.strokeStyle = colors.faulty;
  for (const { x, y, size } of marks.faulty) {
    context.lineWidth = Math.max(2, size / 12);
    context.strokeRect(x - size / 2 + 1, y - size / 2 + 1, size - 2, size - 2);
  }
}
