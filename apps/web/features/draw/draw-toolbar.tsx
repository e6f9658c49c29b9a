import { BrickWall, Circle, Diamond, Eraser, Redo2, Undo2 } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { type DrawTool, drawTools } from "./draw-tool";
import type { EditorState } from "./drawing-editor";

const signs: Readonly<Record<DrawTool, ReactNode>> = {
  wall: <BrickWall aria-hidden="true" />,
  path: <Eraser aria-hidden="true" />,
  start: <Circle className="text-maze-start" aria-hidden="true" />,
  goal: <Diamond className="fill-maze-goal text-maze-goal" aria-hidden="true" />,
};

type DrawToolbarProps = {
  tool: DrawTool;
  onTool: (tool: DrawTool) => void;
  state: Pick<EditorState, "canUndo" | "canRedo" | "undoes" | "redoes">;
  undo: () => void;
  redo: () => void;
};

/** What a press on the board does, and the way back. */
export function DrawToolbar({ tool, onTool, state, undo, redo }: DrawToolbarProps) {
  return (
    <div className="flex min-w-0 items-center gap-2 max-md:w-full max-md:justify-between max-md:gap-1">
      <fieldset className="flex h-8 items-stretch rounded-control border bg-bg p-0.5 max-md:h-12">
        <legend className="sr-only">Tool</legend>
        {drawTools.map(({ tool: candidate, label, key, does }) => (
          <Tooltip key={candidate} text={`${label}: ${does}`} shortcut={key.toUpperCase()} side="bottom">
            <button
              type="button"
              aria-pressed={candidate === tool}
              onClick={() => onTool(candidate)}
              className={cn(
                "flex items-center gap-1.5 rounded-small px-2.5 text-sub transition-colors max-md:h-11 max-md:min-w-14 max-md:flex-col max-md:justify-center max-md:gap-0 max-md:px-1 [&_svg]:size-4",
                candidate === tool ? "bg-active font-medium text-text" : "text-text-3 hover:text-text",
              )}
            >
              {signs[candidate]}
              {label}
            </button>
          </Tooltip>
        ))}
      </fieldset>
      <div className="flex items-center">
        <Tooltip text={state.canUndo ? `Undo: ${state.undoes}` : "Nothing to undo"} shortcut="Ctrl Z" side="bottom">
          <Button
            variant="ghost"
            size="icon"
            aria-label="Undo"
            aria-disabled={!state.canUndo}
            className={cn(!state.canUndo && "opacity-45")}
            onClick={undo}
          >
            <Undo2 />
          </Button>
        </Tooltip>
        <Tooltip
          text={state.canRedo ? `Redo: ${state.redoes}` : "Nothing to redo"}
          shortcut="Ctrl Shift Z"
          side="bottom"
        >
          <Button
            variant="ghost"
            size="icon"
            aria-label="Redo"
            aria-disabled={!state.canRedo}
            className={cn(!state.canRedo && "opacity-45")}
            onClick={redo}
          >
            <Redo2 />
          </Button>
        </Tooltip>
      </div>
    </div>
  );
}
