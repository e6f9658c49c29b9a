import { cn } from "@/lib/class-names";

type ProgressBarProps = {
  /** What progresses, for readers. */
  label: string;
  /** 0–1; undefined: something goes on, and nobody knows how far it is. */
  share: number | undefined;
  className?: string;
};

/** How far something is. */
export function ProgressBar({ label, share, className }: ProgressBarProps) {
  const known = share === undefined ? undefined : Math.min(1, Math.max(0, share));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(known === undefined ? {} : { "aria-valuenow": Math.round(known * 100) })}
      className={cn("h-1.5 overflow-hidden rounded-full bg-active", className)}
    >
      <div
        className={cn(
          "h-full rounded-full bg-accent transition-[width]",
          known === undefined && "animate-status-pulse",
        )}
        style={{ width: known === undefined ? "100%" : `${known * 100}%` }}
      />
    </div>
  );
}
