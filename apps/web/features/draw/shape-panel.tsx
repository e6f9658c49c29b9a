import { FlipHorizontal2, FlipVertical2, Grid2x2X, PaintBucket, RotateCw, SquareDashed } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Slider } from "@/components/ui/slider";
import { type Drawing, resize } from "./drawing";
import type { DrawingEditor } from "./drawing-editor";
import { LARGEST, SMALLEST } from "./drawing-size";

type ShapePanelProps = {
  editor: DrawingEditor;
  drawing: Drawing;
  actions: {
    clear: () => void;
    fill: () => void;
    invert: () => void;
    rotate: () => void;
    mirror: () => void;
    flip: () => void;
  };
  /** What else stands here. */
  children?: ReactNode;
};

/** Size of the grid, and what is done to all of it at once. */
export function ShapePanel({ editor, drawing, actions, children }: ShapePanelProps) {
  const dragging = useRef(false);
  // While the slider is held, the size is counted from the drawing as it was: what a smaller size cut off comes back with a larger one.
  const change = (rows: number, cols: number) => {
    if (!dragging.current) editor.beginStroke("change the size");
    dragging.current = true;
    const { strokeFrom } = editor;
    editor.change("change the size", () => resize(strokeFrom, rows, cols));
  };
  const commit = () => {
    dragging.current = false;
    editor.endStroke();
  };
  return (
    <div className="space-y-4">
      <Size label="Rows" value={drawing.rows} onChange={(rows) => change(rows, drawing.cols)} onCommit={commit} />
      <Size label="Columns" value={drawing.cols} onChange={(cols) => change(drawing.rows, cols)} onCommit={commit} />
      <div className="grid grid-cols-3 gap-2">
        <Button onClick={actions.clear}>
          <SquareDashed aria-hidden="true" /> Clear
        </Button>
        <Button onClick={actions.fill}>
          <PaintBucket aria-hidden="true" /> Fill
        </Button>
        <Button onClick={actions.invert}>
          <Grid2x2X aria-hidden="true" /> Invert
        </Button>
        <Button onClick={actions.rotate}>
          <RotateCw aria-hidden="true" /> Turn
        </Button>
        <Button onClick={actions.mirror}>
          <FlipHorizontal2 aria-hidden="true" /> Mirror
        </Button>
        <Button onClick={actions.flip}>
          <FlipVertical2 aria-hidden="true" /> Flip
        </Button>
      </div>
      {children}
      <p className="text-meta text-text-3">
        Drag to draw; the right button or Shift does the opposite. Start and goal can be dragged at any time. On a
        magnified board two fingers move it.
      </p>
    </div>
  );
}

function Size({
  label,
  value,
  onChange,
  onCommit,
}: {
  label: string;
  value: number;
  onChange: (value: number) => void;
  onCommit: () => void;
}) {
  return (
    <div>
      <div className="flex justify-between text-sub">
        <span className="text-text-2">{label}</span>
        <span className="figure text-text">{value}</span>
      </div>
      <Slider
        aria-label={label}
        valueText={`${value} ${label.toLowerCase()}`}
        min={SMALLEST}
        max={LARGEST}
        value={value}
        onValueChange={onChange}
        onValueCommit={onCommit}
        onBlur={onCommit}
      />
    </div>
  );
}
