import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Activation } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { CirclePlay, History, Undo2, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { count, dateMinute } from "@/lib/format";
import { deviation } from "./gate-result";
import { counts } from "./success-words";

export type HistoryPanelProps = {
  /** The newest first; undefined while nothing was read yet. */
  activations: readonly Activation[] | undefined;
  error: Error | null;
  /** There are older ones. */
  hasMore: boolean;
  readingMore: boolean;
  /** A switch is under way. */
  busy: boolean;
  /** The form that asks for a time. */
  lookup: ReactNode;
  onMore: () => void;
  onRetry: () => void;
  onRollBack: () => void;
};

/** Which model was active when, by whom and why; the newest can be undone. */
export function HistoryPanel(props: HistoryPanelProps) {
  return (
    <Panel aria-label="History of the active model">
      <PanelHead>
        <PanelTitle>History</PanelTitle>
      </PanelHead>
      {props.lookup}
      <Entries {...props} />
    </Panel>
  );
}

function Entries({ activations, error, hasMore, readingMore, busy, onMore, onRetry, onRollBack }: HistoryPanelProps) {
  if (activations === undefined) {
    return error === null ? (
      <div aria-busy="true" className="space-y-3 p-3">
        <Skeleton className="h-12 w-full" />
        <Skeleton className="h-12 w-full" />
        <span className="sr-only">The history is loading.</span>
      </div>
    ) : (
      <Notice
        icon={<Unplug />}
        tone="danger"
        title="The history cannot be read"
        className="h-auto"
        actions={<Button onClick={onRetry}>Try again</Button>}
      >
        {error.message}
      </Notice>
    );
  }
  if (activations.length === 0) {
    return (
      <Notice icon={<History />} title="No model was active yet" className="h-auto">
        The first one that is made active begins the history.
      </Notice>
    );
  }
  const [newest] = activations;
  const canRollBack = earlierModel(activations) !== undefined;
  return (
    <>
      <ol aria-label="Activations" className="divide-y">
        {activations.map((activation) => (
          <li key={String(activation.activationId)} className="space-y-1 px-3 py-2.5">
            <Entry activation={activation} inForce={activation === newest} />
            {activation === newest && canRollBack ? (
              <Button size="sm" disabled={busy} onClick={onRollBack}>
                <Undo2 aria-hidden="true" />
                Roll back
              </Button>
            ) : null}
          </li>
        ))}
      </ol>
      {hasMore ? (
        <div className="border-t p-2 text-center">
          <Button size="sm" variant="ghost" disabled={readingMore} onClick={onMore}>
            {readingMore ? "Reading…" : "Show earlier ones"}
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** Where a roll-back of the newest activation goes. */
export function earlierModel(activations: readonly Activation[]): string | undefined {
  return activations.find(({ modelId }) => modelId !== activations[0]?.modelId)?.modelId;
}

function Entry({ activation, inForce }: { activation: Activation; inForce: boolean }) {
  const { activatedAt, parity, success } = activation;
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <span className="figure break-all font-medium text-body">{activation.modelId}</span>
        {inForce ? (
          <Badge tone="accent">
            <CirclePlay aria-hidden="true" />
            in force
          </Badge>
        ) : null}
        {activation.undoneActivationId === 0n ? null : (
          <Badge>
            <Undo2 aria-hidden="true" />
            roll-back
          </Badge>
        )}
        {activation.overrideReason === "" ? null : <Badge tone="warn">gate passed over</Badge>}
      </div>
      <p className="figure text-meta text-text-3">
        {activatedAt === undefined ? "–" : dateMinute(timestampDate(activatedAt))}
        {activation.actor === "" ? "" : `, by ${activation.actor}`}
        {activation.previousModelId === "" ? "" : `, after ${activation.previousModelId}`}
      </p>
      {activation.reason === "" ? null : <p className="break-words text-sub text-text-2">{activation.reason}</p>}
      {activation.overrideReason === "" ? null : (
        <p className="break-words text-sub text-warn">In spite of the gate: {activation.overrideReason}</p>
      )}
      {success?.candidate && success.active ? (
        <p className="figure text-meta text-text-3">
          {success.setId}: {counts(success.candidate)} against {counts(success.active)}
        </p>
      ) : null}
      {parity === undefined ? null : (
        <p className="figure text-meta text-text-3">
          parity: {count(parity.vectors)} vectors, deviation {deviation(parity.largestDeviation)}
        </p>
      )}
    </>
  );
}
