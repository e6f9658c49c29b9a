import { PackageOpen, ServerOff, Unplug } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { StateLine } from "@/components/ui/state-line";
import { percent } from "@/lib/format";
import type { TrainerService } from "./trainer-service";

type TrainerNoticeProps = {
  trainer: TrainerService;
  /** What went wrong when the form was asked for; undefined when nothing did. */
  error: Error | null;
  onRetry: () => void;
};

/** What stands in the place of the form while there is no trainer to make it from. */
export function TrainerNotice({ trainer, error, onRetry }: TrainerNoticeProps) {
  switch (trainer.state) {
    case "preparing":
      return (
        <Notice icon={<PackageOpen />} title="The trainer is being installed">
          <p>{sentence(trainer.message) || "Its packages are on their way."}</p>
          <Progress value={trainer.progress} />
          <p className="mt-2 text-sub text-text-3">
            The form appears by itself when it is ready. Mazes and models of this product work meanwhile.
          </p>
        </Notice>
      );
    case "not-configured":
      return (
        <Notice icon={<ServerOff />} title="This server has no trainer">
          {sentence(trainer.message) ||
            "Runs of before can be looked at. To train, start the server with TRAINER_URL set."}
        </Notice>
      );
    case "away":
      return (
        <Notice
          icon={<Unplug />}
          tone="danger"
          title="The trainer is away"
          actions={<Button onClick={onRetry}>Try again</Button>}
        >
          {sentence(trainer.message) ||
            "It does not answer. Runs of before can be looked at; new ones wait until it is back."}
        </Notice>
      );
    default:
      return (
        <Notice
          icon={<Unplug />}
          tone="danger"
          title="The form cannot be read"
          actions={<Button onClick={onRetry}>Try again</Button>}
        >
          {error?.message ?? "The server did not say what can be trained."}
        </Notice>
      );
  }
}

/** One line above a form that was read before, when the trainer is not there now. Nothing while it is. */
export function TrainerLine({ trainer }: { trainer: TrainerService }) {
  if (trainer.state === "preparing") {
    return (
      <StateLine kind="stale" framed className="flex-none" title="The trainer is being prepared">
        {sentence(trainer.message)}
        {trainer.progress === undefined ? "" : ` ${percent(trainer.progress, 0)} done.`}
      </StateLine>
    );
  }
  if (trainer.state === "away") {
    return (
      <StateLine kind="away" framed className="flex-none" title="The trainer is away">
        {sentence(trainer.message) || "A run can be started when it is back."}
      </StateLine>
    );
  }
  return null;
}

/** The server's words as a sentence. */
function sentence(text: string): string {
  if (text === "") return "";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

function Progress({ value }: { value: number | undefined }) {
  return (
    <div
      role="progressbar"
      aria-label="Installation of the trainer"
      aria-valuemin={0}
      aria-valuemax={100}
      {...(value === undefined ? {} : { "aria-valuenow": Math.round(value * 100) })}
      className="mt-3 h-1.5 w-full overflow-hidden rounded-full bg-active"
    >
      <div
        className={
          value === undefined
            ? "h-full w-1/3 animate-status-pulse rounded-full bg-accent"
            : "h-full origin-left bg-accent transition-transform duration-300"
        }
        {...(value === undefined ? {} : { style: { transform: `scaleX(${value})` } })}
      />
    </div>
  );
}
