import type { PictureOptions } from "@rlmaze/maze-canvas/picture";
import { baselineSlugs, type Moment, type MomentLane } from "@/lib/moment-link";

/** A picture but for its theme and size. Without a caption it names those who act and the maze as the link does. */
export type SharedPicture = Omit<PictureOptions, "theme" | "size" | "scale" | "caption"> &
  Partial<Pick<PictureOptions, "caption">>;

/** What is shared: a moment, and how it looks. */
export interface ShareSubject {
  readonly moment: Moment;
  /** What a picture shows; the dialog adds the theme and reads the playback when the picture is made. Left out: a link only. */
  readonly picture?: SharedPicture | undefined;
  /** Steps that an animation can show; 0 for none. */
  readonly steps: number;
}

/** Who acts in a lane, as links name it, with the temperature if it draws. */
export function laneName({ policy, sampling }: MomentLane): string {
  const who = "modelId" in policy ? policy.modelId : (baselineSlugs.get(policy.baseline) ?? "baseline");
  return sampling === "greedy" ? who : `${who} T=${sampling.temperature}`;
}

/** The maze of a moment in a word: its id, or `drawn-10x10`. */
export function mazeName({ maze }: Moment): string {
  return "mazeId" in maze ? maze.mazeId : `drawn-${maze.rows.length}x${maze.rows[0]?.length ?? 0}`;
}

/** Everyone who acts in a moment, in one line. */
export function lanesName({ lanes }: Moment): string {
  return lanes.map(laneName).join(" · ");
}

/** What a moment shows, in one line for people: "ppo-memory-1 in heldout-0007, seed 7, step 42". */
export function momentLine(moment: Moment): string {
  const who = moment.lanes.map(laneName).join(moment.mode === "difference" ? " against " : ", ");
  const maze = mazeName(moment);
  return who === "" ? `The maze ${maze}` : `${who} in ${maze}, seed ${moment.seed}, step ${moment.step}`;
}

/** Longest name of a file without its ending; most file systems take 255 bytes. */
const LONGEST_NAME = 120;

/**
 * Name of a file that says what it shows: `heldout-0007_ppo-memory-1_seed-7_step-42.png`. An animation is named by its last step. Nothing in it
 * needs quoting in a shell.
 */
export function fileName(moment: Moment, ending: "png" | "gif", lastStep = moment.step): string {
  const parts = [
    mazeName(moment),
    ...(moment.mode === "watch" || moment.mode === "draw" ? [] : [moment.mode]),
    ...moment.lanes.map(laneName),
    ...(moment.lanes.length === 0
      ? []
      : [`seed-${moment.seed}`, ending === "gif" ? `steps-0-${lastStep}` : `step-${moment.step}`]),
  ];
  const name = parts.map((part) => part.replace(/[^A-Za-z0-9.-]+/g, "-")).join("_");
  return `${name.slice(0, LONGEST_NAME).replace(/[-_.]+$/, "")}.${ending}`;
}
