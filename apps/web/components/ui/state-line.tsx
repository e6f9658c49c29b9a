import { History, Hourglass, Info, type LucideIcon, TriangleAlert, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/class-names";

/** What is not as it should be. */
export type StateKind =
  /** What is shown was read before the connection that stands now. */
  | "stale"
  /** Cut, and tried again by itself. */
  | "reconnecting"
  /** Does not answer. */
  | "away"
  /** Going down in order. */
  | "draining"
  /** Refused, or broken. */
  | "problem"
  /** Works, and one should know something. */
  | "note";

const looks: Readonly<Record<StateKind, { icon: LucideIcon; tone: string }>> = {
  stale: { icon: History, tone: "text-warn" },
  reconnecting: { icon: Unplug, tone: "text-warn" },
  away: { icon: Unplug, tone: "text-danger" },
  draining: { icon: Hourglass, tone: "text-warn" },
  problem: { icon: TriangleAlert, tone: "text-danger" },
  note: { icon: Info, tone: "text-accent" },
};

type StateLineProps = {
  kind: StateKind;
  /** The few words that say it. */
  title: string;
  /** What is held and what comes next. */
  children?: ReactNode;
  action?: ReactNode;
  /** A box of its own, above the panels of a page; without it the line stands in the head of a panel. */
  framed?: boolean;
  className?: string;
};

/** One line about a state that is not the usual one; the same look in every place. */
export function StateLine({ kind, title, children, action, framed = false, className }: StateLineProps) {
  const { icon: Icon, tone } = looks[kind];
  return (
    <div
      role={kind === "note" ? "status" : "alert"}
      data-slot="state-line"
      data-kind={kind}
      className={cn(
        "flex min-w-0 flex-1 animate-appear items-center gap-2 text-sub",
        framed && "min-h-11 rounded-panel border bg-panel px-3 py-1.5",
        className,
      )}
    >
      <Icon className={cn("size-4 shrink-0", tone)} aria-hidden="true" />
      <p className={cn("min-w-0 flex-1 text-text-2", !framed && "md:line-clamp-2 md:leading-4")}>
        <b className="font-medium text-text">{title}.</b> {children}
      </p>
      {action}
    </div>
  );
}
