"use client";

import { FlipHorizontal2, FlipVertical2, Play, Redo2, RotateCw, Route, Share2, Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import { useCommands } from "@/components/shell/commands";
import { usePageKeys } from "@/components/shell/page-keys";
import { type DrawTool, drawTools } from "./draw-tool";

/** What keys and commands can do on the drawing page. */
export interface DrawCommands {
  readonly tool: DrawTool;
  readonly setTool: (tool: DrawTool) => void;
  readonly running: boolean;
  readonly toggleRun: () => void;
  readonly toggleWay: () => void;
  readonly share: () => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly clear: () => void;
  readonly fill: () => void;
  readonly invert: () => void;
  readonly rotate: () => void;
  readonly mirror: () => void;
  readonly flip: () => void;
}

/** The keyboard map and the commands of the drawing page. */
export function useDrawCommands(commands: DrawCommands): void {
  const { undo, redo } = commands;
  useUndoKeys(undo, redo);
  usePageKeys([
    ...drawTools.map(({ tool, label, key }) => ({
      keys: [key],
      does: `Tool: ${label}`,
      group: "Tools",
      run: () => commands.setTool(tool),
    })),
    { keys: ["z"], does: "Undo (also Ctrl Z)", group: "Tools", run: undo },
    { keys: ["y"], does: "Redo (also Ctrl Shift Z)", group: "Tools", run: redo },
    { keys: ["arrowup", "arrowdown", "arrowleft", "arrowright"], does: "Move the cursor", group: "On the board" },
    {
      keys: ["shift+arrowup", "shift+arrowdown", "shift+arrowleft", "shift+arrowright"],
      does: "Draw along the way",
      group: "On the board",
    },
    { keys: [" "], does: "Wall or path", group: "On the board" },
    { keys: ["s"], does: "Put the start at the cursor", group: "On the board" },
    { keys: ["g"], does: "Put the goal at the cursor", group: "On the board" },
    { keys: ["home", "end"], does: "To the ends of the row", group: "On the board" },
    { keys: ["r"], does: "Run or hold", run: commands.toggleRun },
    { keys: ["h"], does: "Show or hide the shortest path", run: commands.toggleWay },
    { keys: ["l"], does: "Share", run: commands.share },
  ]);
  useCommands(() => [
    {
      id: "draw-run",
      group: "Playback",
      title: commands.running ? "Hold the run" : "Run in this maze",
      icon: Play,
      key: "r",
      run: commands.toggleRun,
    },
    { id: "draw-undo", group: "Maze", title: "Undo", icon: Undo2, key: "z", run: undo },
    { id: "draw-redo", group: "Maze", title: "Redo", icon: Redo2, key: "y", run: redo },
    { id: "draw-clear", group: "Maze", title: "Clear: every cell path", run: commands.clear },
    { id: "draw-fill", group: "Maze", title: "Fill: every cell wall", run: commands.fill },
    { id: "draw-invert", group: "Maze", title: "Invert walls and path", run: commands.invert },
    { id: "draw-rotate", group: "Maze", title: "Turn by a quarter", icon: RotateCw, run: commands.rotate },
    { id: "draw-mirror", group: "Maze", title: "Mirror left to right", icon: FlipHorizontal2, run: commands.mirror },
    { id: "draw-flip", group: "Maze", title: "Mirror top to bottom", icon: FlipVertical2, run: commands.flip },
    {
      id: "draw-way",
      group: "View",
      title: "Show or hide the shortest path",
      icon: Route,
      key: "h",
      run: commands.toggleWay,
    },
    { id: "draw-share", group: "Share", title: "Share this drawing", icon: Share2, key: "l", run: commands.share },
  ]);
}

/** Undo and redo under the keys that every editor has them under. Text fields keep their own. */
function useUndoKeys(undo: () => void, redo: () => void): void {
  const latest = useRef({ undo, redo });
  useEffect(() => {
    latest.current = { undo, redo };
  });
  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input:not([type=range]), textarea, [role=dialog]"))
        return;
      const key = event.key.toLowerCase();
      const action =
        key === "y" || (key === "z" && event.shiftKey)
          ? latest.current.redo
          : key === "z"
            ? latest.current.undo
            : undefined;
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
