import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { ErrorDescription } from "@rlmaze/api-client/describe-error";
import type { Loop } from "@rlmaze/episode-playback/loops";
import type { ViewerMode } from "@rlmaze/episode-playback/viewer-clock";
import { Hourglass, Link2, Repeat, RotateCw, TriangleAlert, Unplug, X } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";

/** What became of the link that the page was opened by. */
export type LinkNote = {
  readonly kind: "opened" | "problem";
  readonly text: string;
  readonly onClose: () => void;
};

type BoardLineProps = {
  /** What one looks at, in one line. */
  caption: string;
  link: LinkNote | undefined;
  /** Cycle that the agent is in. */
  loop: Loop | undefined;
  /** Nothing that it sees changes from round to round, and it decides by nothing else. */
  forever: boolean;
  mode: ViewerMode;
  /** Milliseconds for which a running stream has brought nothing although it should have; undefined when all is well. */
  staleMs: number | undefined;
  connection: ConnectionState;
  error: ErrorDescription | undefined;
  liveStep: number;
  shownStep: number;
  running: boolean;
  onRetry: () => void;
  onPlay: () => void;
};

/**
 * The line above the board says the one thing that matters most now: why there is no stream; that what one sees is old; what a link
 * opened; the cycle that the agent walks; that one looks back; else what one looks at. All in the same place, so that the maze does not move.
 */
export function BoardLine(props: BoardLineProps) {
  const { caption, connection, error, liveStep, shownStep, link, loop } = props;
  if (connection.kind === "reconnecting") {
    return (
      <Line
        role="alert"
        icon={<Unplug />}
        tone="text-warn"
        action={
          <Button size="sm" className="md:hidden" onClick={props.onRetry}>
            <RotateCw />
            Retry now
          </Button>
        }
      >
        <b className="font-medium">{connection.error.title}.</b>{" "}
        {liveStep === 0 ? "It starts" : `Held at step ${liveStep}; it goes on`} by itself when the server is back
        (attempt {connection.attempt}).
      </Line>
    );
  }
  if (error !== undefined) {
    return (
      <Line
        role="alert"
        icon={<TriangleAlert />}
        tone="text-danger"
        action={
          <Button size="sm" onClick={props.onPlay}>
            Try again
          </Button>
        }
      >
        <b className="font-medium">{error.title}.</b> {error.hint}
        {error.field === "" ? null : <span className="figure text-text-3"> ({error.field})</span>}
      </Line>
    );
  }
  if (props.staleMs !== undefined) {
    return (
      <Line icon={<Hourglass />} tone="text-warn">
        <b className="font-medium">Nothing for {Math.round(props.staleMs / 1000)} s.</b> You see step {count(liveStep)},
        which may be old; the page asks anew by itself.
      </Line>
    );
  }
  if (link !== undefined) {
    return (
      <Line
        {...(link.kind === "problem" ? { role: "alert" as const } : {})}
        icon={link.kind === "problem" ? <TriangleAlert /> : <Link2 />}
        tone={link.kind === "problem" ? "text-warn" : "text-accent"}
        action={
          <Button size="icon" variant="ghost" aria-label="Dismiss" onClick={link.onClose}>
            <X />
          </Button>
        }
      >
        {link.text}
      </Line>
    );
  }
  if (loop !== undefined) {
    return (
      <Line icon={<Repeat />} tone="text-warn">
        <b className="font-medium">{loopText(loop)}</b>{" "}
        <span className="text-text-2">
          {`${count(loop.rounds)} rounds so far`}
          {props.forever ? "; it sees the same each time, so it can never leave." : "."}
        </span>
      </Line>
    );
  }
  if (props.mode !== "live" && props.running) {
    return (
      <p className="text-sub text-text-2 line-clamp-3 md:line-clamp-2 md:leading-4">
        {props.mode === "replay" ? "Playing from memory" : "Looking at"} step{" "}
        <span className="figure">{count(shownStep)}</span>. The episode goes on meanwhile: it is at step{" "}
        <span className="figure">{count(liveStep)}</span>.
      </p>
    );
  }
  return (
    <p className="text-sub text-text-3 line-clamp-3 md:line-clamp-2 md:leading-4" title={caption}>
      {caption}
    </p>
  );
}

/** The name of a cycle. */
export function loopText({ period, cells, since }: Pick<Loop, "period" | "cells" | "since">): string {
  if (period === 1) return `Runs into the same wall since step ${count(since)}.`;
  const different = new Set(cells).size;
  return `Repeats ${count(different)} ${different === 1 ? "cell" : "cells"} since step ${count(since)}.`;
}

type LineProps = { icon: ReactNode; tone: string; action?: ReactNode; role?: "alert"; children: ReactNode };

function Line({ icon, tone, action, role, children }: LineProps) {
  return (
    <div {...(role ? { role } : {})} className="flex min-w-0 flex-1 animate-appear items-center gap-2 text-sub">
      <span className={cn("shrink-0 [&_svg]:size-4", tone)} aria-hidden="true">
        {icon}
      </span>
      <p className="min-w-0 flex-1 text-text line-clamp-3 md:line-clamp-2 md:leading-4">{children}</p>
      {action}
    </div>
  );
}
