import { durationMs } from "@bufbuild/protobuf/wkt";
import type { TrainingBusy } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { Hourglass } from "lucide-react";
import Link from "next/link";
import { count, duration, percent } from "@/lib/format";
import { about, deviceName, learnedShare, milliseconds } from "./training-words";

type BusyNoticeProps = {
  busy: TrainingBusy | undefined;
  /** What the server said. */
  message: string;
  /** When it said so, and now; milliseconds since the epoch. */
  saidAt: number;
  now: number;
};

/** Why a run was not accepted: what runs, since when, and when to try again. */
export function BusyNotice({ busy, message, saidAt, now }: BusyNoticeProps) {
  const retryMs = busy?.retryAfter === undefined ? undefined : durationMs(busy.retryAfter) - (now - saidAt);
  return (
    <div role="alert" className="space-y-2 rounded-control border border-warn/40 p-3 text-sub">
      <p className="flex items-center gap-2 font-medium text-text">
        <Hourglass className="size-4 shrink-0 text-warn" aria-hidden="true" />
        There is no room for another run now
      </p>
      {busy === undefined ? <p className="text-text-2">{message}</p> : null}
      {busy?.running.map((training) => {
        const since = milliseconds(training.startedAt);
        return (
          <p key={training.runId} className="text-text-2">
            <Link
              href={`/training/${training.runId}`}
              prefetch={false}
              className="text-text underline underline-offset-2 hover:text-accent"
            >
              {training.title || training.name}
            </Link>{" "}
            runs on {deviceName(training.device)}
            {since === undefined ? "" : ` since ${new Date(since).toLocaleTimeString()} (${duration(now - since)})`};{" "}
            <span className="figure">{percent(learnedShare(training), 0)}</span> are learned.
          </p>
        );
      })}
      {busy === undefined ? null : (
        <p className="text-text-2">
          {busy.queueLimit === 0
            ? "No run may wait for it here."
            : `${count(busy.queued)} of ${count(busy.queueLimit)} places to wait are taken.`}
        </p>
      )}
      {retryMs === undefined ? null : (
        <p className="text-text-2">{retryMs > 0 ? `Try again in ${about(retryMs)}.` : "It may work now: try again."}</p>
      )}
    </div>
  );
}
