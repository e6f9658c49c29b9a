import type { RunState } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { RunState as State } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { CircleCheck, CircleDashed, CircleDot, CircleX, type LucideIcon, Square } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { stateWords } from "./run-words";

const icons: Readonly<Record<RunState, LucideIcon>> = {
  [State.UNSPECIFIED]: CircleDashed,
  [State.SCHEDULED]: CircleDashed,
  [State.RUNNING]: CircleDot,
  [State.FINISHED]: CircleCheck,
  [State.FAILED]: CircleX,
  [State.KILLED]: Square,
};

/** State of a run: a word and a shape beside the colour. */
export function RunStateBadge({ state }: { state: RunState }) {
  const { word, tone } = stateWords[state];
  const Icon = icons[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden="true" />
      {word}
    </Badge>
  );
}
