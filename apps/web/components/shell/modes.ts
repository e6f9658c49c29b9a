import { Columns2, Diff, Eye, type LucideIcon, PencilRuler } from "lucide-react";

/** One way to use the inference page; each is a route with code of its own. */
export interface Mode {
  readonly href: "/" | "/race" | "/difference" | "/draw";
  readonly label: string;
  /** What one does there, in one line. */
  readonly line: string;
  readonly icon: LucideIcon;
}

/** The four modes in the order of the header. */
export const modes: readonly Mode[] = [
  { href: "/", label: "Watch", line: "One agent, step by step", icon: Eye },
  { href: "/race", label: "Race", line: "Up to four on one maze", icon: Columns2 },
  { href: "/difference", label: "Differences", line: "Where two models choose differently", icon: Diff },
  { href: "/draw", label: "Draw", line: "A maze of your own", icon: PencilRuler },
];

/** The mode that an address shows; undefined on the other pages. */
export function modeAt(pathname: string): Mode | undefined {
  return modes.find(({ href }) => (href === "/" ? pathname === "/" : pathname.startsWith(href)));
}
