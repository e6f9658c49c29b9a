import { decodeMoment, holdsMoment, type Moment } from "@/lib/moment-link";
import { parseRaceSettings, type RaceSettings } from "./race-settings";

/** What the address of this page asks for; nothing when it is the plain page. */
export interface OpenedLink {
  readonly moment?: Moment;
  /** One sentence about what is wrong with it. */
  readonly problem?: string;
}

/** Reads the address. */
export function openedLink(search: string): OpenedLink {
  const params = new URLSearchParams(search);
  if (!holdsMoment(params)) return {};
  const { moment, problem } = decodeMoment(params);
  if (moment === undefined) return { problem };
  if (moment.mode !== "race") {
    return { problem: "This link is about another view than the race. Copy the whole link again." };
  }
  return { moment };
}

/** What this browser kept, with what the link asks for in its place. */
export function settingsWith(kept: string | null, { moment }: OpenedLink): RaceSettings {
  const settings = parseRaceSettings(kept);
  if (moment === undefined) return settings;
  return {
    ...settings,
    lanes: moment.lanes,
    seed: String(moment.seed),
    ...("mazeId" in moment.maze ? { mazeId: moment.maze.mazeId } : {}),
  };
}
