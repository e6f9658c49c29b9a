"use client";

import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { Link2, Pause, Play, Radio, RotateCcw, SkipForward } from "lucide-react";
import { useCommands } from "@/components/shell/commands";
import { usePageKeys } from "@/components/shell/page-keys";
import { openShare } from "@/features/share/share-button";
import { successText } from "./caption";
import { canRun } from "./choice";
import type { InferenceSettings } from "./settings";
import { neighbourPreset, speedPresets } from "./speed";

type WatchKeys = {
  actions: {
    readonly play: () => void;
    readonly stop: () => void;
    readonly reset: () => void;
    readonly back: () => void;
    readonly forward: () => void;
    readonly live: () => void;
    readonly next: () => void;
    readonly show: (step: number) => void;
    readonly speed: (stepsPerSecond: number) => void;
  };
  playback: EpisodePlayback;
  moving: boolean;
  runnable: boolean;
  stepsPerSecond: number;
  settings: InferenceSettings;
  changeSettings: (change: Partial<InferenceSettings>) => void;
  models: readonly Model[];
  /** Lets go of what is chosen on the board and in the window. */
  escape: () => void;
};

const heatOrder = ["visits", "value", "off"] as const;
const fogOrder = ["off", "unseen", "window"] as const;

/** The keyboard map of the page and what it offers in the command palette. */
export function useWatchKeys(page: WatchKeys): void {
  const { actions, playback, moving, runnable, settings, changeSettings, stepsPerSecond } = page;
  const { events } = playback;
  const toEvent = (direction: 1 | -1, kinds?: readonly ["worse"]) => {
    const at = playback.shownStep;
    const event = direction === 1 ? events.next(at, kinds) : events.previous(at, kinds);
    if (event !== undefined) actions.show(event.step);
  };
  const heat = () => changeSettings({ heat: after(heatOrder, settings.heat) });
  const fog = () => changeSettings({ fog: after(fogOrder, settings.fog) });
  const flag = (name: "arrows" | "trail" | "shortestPath" | "worseSteps") => () =>
    changeSettings({ [name]: !settings[name] });
  const playOrStop = () => (moving ? actions.stop() : runnable && actions.play());

  usePageKeys([
    { keys: [" "], group: "Playback", does: "Play or stop", run: playOrStop },
    { keys: ["arrowright"], group: "Playback", does: "Single step", run: () => runnable && actions.forward() },
    { keys: ["arrowleft"], group: "Playback", does: "One step back; the stream goes on", run: actions.back },
    { keys: ["]", "shift+arrowright"], group: "Playback", does: "Next event", run: () => toEvent(1) },
    { keys: ["[", "shift+arrowleft"], group: "Playback", does: "Previous event", run: () => toEvent(-1) },
    {
      keys: ["."],
      group: "Playback",
      does: "Next choice worse than the shortest path",
      run: () => toEvent(1, ["worse"]),
    },
    { keys: [","], group: "Playback", does: "Previous worse choice", run: () => toEvent(-1, ["worse"]) },
    { keys: ["home"], group: "Playback", does: "First step", run: () => actions.show(0) },
    { keys: ["l", "end"], group: "Playback", does: "Newest step, live again", run: actions.live },
    {
      keys: ["arrowup"],
      group: "Playback",
      does: "Faster",
      run: () => actions.speed(neighbourPreset(stepsPerSecond, 1)),
    },
    {
      keys: ["arrowdown"],
      group: "Playback",
      does: "Slower",
      run: () => actions.speed(neighbourPreset(stepsPerSecond, -1)),
    },
    {
      keys: speedPresets.map((_, at) => String(at + 1)),
      group: "Playback",
      does: "Speed 1, 4, 16, 64, as fast as possible",
      run: (key) => actions.speed(speedPresets[Number(key) - 1]?.stepsPerSecond ?? stepsPerSecond),
    },
    { keys: ["r"], group: "Playback", does: "Reset to the start", run: actions.reset },
    { keys: ["n"], group: "Playback", does: "Next maze", run: actions.next },
    { keys: ["v"], group: "View", does: "Visits, values or no heat", run: heat },
    { keys: ["p"], group: "View", does: "Policy arrows", run: flag("arrows") },
    { keys: ["t"], group: "View", does: "Trail", run: flag("trail") },
    { keys: ["o"], group: "View", does: "Shortest path from here", run: flag("shortestPath") },
    { keys: ["w"], group: "View", does: "Marks where it chose worse", run: flag("worseSteps") },
    { keys: ["f"], group: "View", does: "Hide the rest of the maze", run: fog },
    { keys: ["escape"], group: "View", does: "Let go of the cell, take changes back", run: page.escape },
    { keys: ["enter"], group: "View", does: "With the maze focused: choose the cell under its cursor" },
    { keys: ["s"], group: "Share", does: "Link, picture or animation", run: openShare },
  ]);

  useCommands(() => [
    moving
      ? { id: "stop", group: "Playback", title: "Stop", icon: Pause, key: " ", run: actions.stop }
      : { id: "play", group: "Playback", title: "Play", icon: Play, key: " ", disabled: !runnable, run: actions.play },
    { id: "reset", group: "Playback", title: "Reset to the start", icon: RotateCcw, key: "r", run: actions.reset },
    { id: "live", group: "Jump to", title: "Newest step", icon: Radio, key: "l", run: actions.live },
    { id: "first", group: "Jump to", title: "First step", key: "home", run: () => actions.show(0) },
    {
      id: "next-event",
      group: "Jump to",
      title: "Next event",
      words: ["bump", "loop", "goal"],
      key: "]",
      run: () => toEvent(1),
    },
    {
      id: "previous-event",
      group: "Jump to",
      title: "Previous event",
      words: ["bump", "loop", "goal"],
      key: "[",
      run: () => toEvent(-1),
    },
    {
      id: "next-worse",
      group: "Jump to",
      title: "Next worse choice",
      words: ["mistake", "regret"],
      key: ".",
      run: () => toEvent(1, ["worse"]),
    },
    ...speedPresets.map((preset, at) => ({
      id: `speed-${preset.value}`,
      group: "Speed" as const,
      title: preset.name,
      key: String(at + 1),
      current: preset.stepsPerSecond === stepsPerSecond,
      run: () => actions.speed(preset.stepsPerSecond),
    })),
    {
      id: "model",
      group: "Model",
      title: "Model",
      choices: () =>
        page.models.map((model) => ({
          id: `model-${model.modelId}`,
          group: "Model" as const,
          title: model.title || model.modelId,
          note: successText(model) || model.modelId,
          words: [model.modelId],
          current: model.modelId === settings.modelId,
          disabled: !canRun(model),
          run: () => changeSettings({ modelId: model.modelId }),
        })),
    },
    { id: "next-maze", group: "Maze", title: "Next maze", icon: SkipForward, key: "n", run: actions.next },
    { id: "heat", group: "View", title: "Visits, values or no heat", key: "v", run: heat },
    { id: "policy", group: "View", title: "Policy arrows", key: "p", current: settings.arrows, run: flag("arrows") },
    { id: "trail", group: "View", title: "Trail", key: "t", current: settings.trail, run: flag("trail") },
    {
      id: "shortest",
      group: "View",
      title: "Shortest path from here",
      key: "o",
      current: settings.shortestPath,
      run: flag("shortestPath"),
    },
    {
      id: "worse",
      group: "View",
      title: "Marks where it chose worse",
      key: "w",
      current: settings.worseSteps,
      run: flag("worseSteps"),
    },
    { id: "fog", group: "View", title: "Hide the rest of the maze", words: ["fog", "window"], key: "f", run: fog },
    { id: "share", group: "Share", title: "Share this moment", icon: Link2, key: "s", run: openShare },
  ]);
}

function after<Value>(order: readonly Value[], value: Value): Value {
  return order[(order.indexOf(value) + 1) % order.length] ?? value;
}
