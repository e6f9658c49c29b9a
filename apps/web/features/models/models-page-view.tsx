import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Algorithm, type Model, ModelState, type SuccessRate } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { Boxes, CircleCheck, CirclePlay, TriangleAlert, Unplug } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import {
  Dialog,
  DialogClose,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogTitle,
} from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { cn } from "@/lib/class-names";
import { algorithmName, bytes, count, dateMinute, decimal, percent, shortCount } from "@/lib/format";

export type ModelsPageViewProps = {
  /** Undefined while nothing was read yet. */
  models: readonly Model[] | undefined;
  error: Error | null;
  /** What is shown was read earlier: the last try failed, or the server has been away since. */
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** The model whose activation is under way. */
  activating: string | undefined;
  onActivate: (modelId: string, reason: string) => void;
  onRetry: () => void;
};

/** Longest reason that the contract takes. */
const LONGEST_REASON = 500;

/** Every registered model, broken ones with the reason. */
export function ModelsPageView({ models, error, stale, readAt, activating, onActivate, onRetry }: ModelsPageViewProps) {
  const [wanted, setWanted] = useState<Model>();
  const active = models?.find((model) => model.active);
  return (
    <>
      <PageHeader title="Models" />
      <main className="scroll-thin min-h-0 flex-1 overflow-y-auto p-2">
        <div className="mx-auto max-w-6xl space-y-2">
          {stale ? (
            <StateLine
              kind="stale"
              framed
              title={`Read at ${new Date(readAt).toLocaleTimeString()}`}
              action={
                <Button size="sm" onClick={onRetry}>
                  Read again
                </Button>
              }
            >
              {error === null ? "The server has been away since." : error.message}
            </StateLine>
          ) : null}
          {models === undefined ? (
            error === null ? (
              <ModelsSkeleton />
            ) : (
              <Panel className="min-h-80">
                <Notice
                  icon={<Unplug />}
                  tone="danger"
                  title="The models cannot be read"
                  actions={<Button onClick={onRetry}>Try again</Button>}
                >
                  {error.message}
                </Notice>
              </Panel>
            )
          ) : models.length === 0 ? (
            <Panel className="min-h-80">
              <Notice icon={<Boxes />} title="No models yet">
                The server registers what it finds in <code className="figure">ml/models</code> when it starts. Train
                some with <code className="figure">make train-models</code>.
              </Notice>
            </Panel>
          ) : (
            <>
              {active === undefined ? (
                <p role="alert" className="flex items-center gap-2 rounded-panel border bg-raised px-3 py-2 text-sub">
                  <TriangleAlert className="size-4 text-warn" aria-hidden="true" />
                  No model is active: episodes run only with a model chosen on the inference page.
                </p>
              ) : null}
              <ul aria-label="Models" className="space-y-2">
                {models.map((model) => (
                  <li key={model.modelId}>
                    <ModelCard
                      model={model}
                      busy={activating !== undefined}
                      pending={activating === model.modelId}
                      onChoose={() => setWanted(model)}
                    />
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </main>
      <ActivationDialog
        key={wanted?.modelId ?? ""}
        model={wanted}
        active={active}
        onClose={() => setWanted(undefined)}
        onConfirm={(reason) => {
          if (wanted !== undefined) onActivate(wanted.modelId, reason);
          setWanted(undefined);
        }}
      />
    </>
  );
}

function ModelCard({
  model,
  busy,
  pending,
  onChoose,
}: {
  model: Model;
  busy: boolean;
  pending: boolean;
  onChoose: () => void;
}) {
  const broken = model.state === ModelState.BROKEN;
  return (
    <Panel aria-label={model.modelId} className={cn("gap-3 p-3", model.active && "border-accent")}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="figure font-medium text-title">{model.modelId}</h2>
        {model.active ? (
          <Badge tone="accent">
            <CirclePlay aria-hidden="true" />
            active
          </Badge>
        ) : null}
        {broken ? (
          <Badge tone="danger">
            <TriangleAlert aria-hidden="true" />
            broken
          </Badge>
        ) : (
          <Badge tone="ok">
            <CircleCheck aria-hidden="true" />
            ready
          </Badge>
        )}
        {model.algorithm === Algorithm.UNSPECIFIED ? null : <Badge>{algorithmName(model.algorithm)}</Badge>}
        {model.observation === "" ? null : <Badge className="figure">{model.observation}</Badge>}
        <div className="ml-auto">
          {model.active || broken ? null : (
            <Button size="sm" disabled={busy} onClick={onChoose}>
              {pending ? "Switching…" : "Make active"}
            </Button>
          )}
        </div>
      </div>
      {broken ? (
        <p className="text-body text-danger">{model.stateReason}</p>
      ) : (
        <p className="text-body text-text-2">
          {model.title}. {model.description}
        </p>
      )}
      {model.success.length > 0 ? <MeasuredSuccess success={model.success} /> : null}
      {broken ? null : (
        <dl className="flex flex-wrap gap-x-6 gap-y-1 text-sub">
          <Fact term="Trained">{model.trainedAt ? dateMinute(timestampDate(model.trainedAt)) : "–"}</Fact>
          <Fact term="Experience">{shortCount(model.timesteps)} steps</Fact>
          <Fact term="Seed">{model.seed.toString()}</Fact>
          <Fact term="File">
            {bytes(model.sizeBytes)}, opset {model.opset}
          </Fact>
          <Fact term="SHA-256">
            <span title={model.sha256}>{model.sha256.slice(0, 12)}</span>
          </Fact>
          {model.config === "" ? null : <Fact term="Config">{model.config}</Fact>}
        </dl>
      )}
    </Panel>
  );
}

/** The set that counts as a figure, the others as a table. The server puts the held-out set first. */
function MeasuredSuccess({ success }: { success: readonly SuccessRate[] }) {
  const [first, ...others] = success;
  if (first === undefined) return null;
  return (
    <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
      <div className="min-w-52 rounded-control border bg-raised px-3 py-2 max-md:w-full">
        <div className="flex items-baseline justify-between gap-4 text-sub">
          <span className="figure text-text-2">{first.setId}</span>
          <span className="figure text-text-3">
            {count(first.successes)} / {count(first.episodes)}
          </span>
        </div>
        <div className="figure font-medium text-key">{percent(first.rate)}</div>
        <div className="figure text-meta text-text-3">95 % interval {interval(first)}</div>
        <div className="figure text-meta text-text-3">
          SPL {decimal(first.spl, 3)} · {decimal(first.meanSteps, 1)} steps
        </div>
      </div>
      {others.length === 0 ? null : (
        <table className="max-w-2xl flex-1 text-sub max-md:w-full max-md:flex-none">
          <caption className="sr-only">Success on the other sets</caption>
          <thead className="text-left text-meta text-text-3">
            <tr>
              <th scope="col" className="py-0.5 pr-3 font-normal">
                Set
              </th>
              <th scope="col" className="py-0.5 pr-3 text-right font-normal">
                Success
              </th>
              <th scope="col" className="py-0.5 pr-3 text-right font-normal max-md:hidden">
                95 % interval
              </th>
              <th scope="col" className="py-0.5 pr-3 text-right font-normal">
                SPL
              </th>
              <th scope="col" className="py-0.5 text-right font-normal">
                Steps
              </th>
            </tr>
          </thead>
          <tbody className="figure">
            {others.map((rate) => (
              <tr key={rate.setId} className="text-text-2">
                <td className="py-0.5 pr-3">{rate.setId}</td>
                <td className="py-0.5 pr-3 text-right">
                  <span className="text-text">{count(rate.successes)}</span> / {count(rate.episodes)}
                </td>
                <td className="py-0.5 pr-3 text-right max-md:hidden">{interval(rate)}</td>
                <td className="py-0.5 pr-3 text-right">{decimal(rate.spl, 3)}</td>
                <td className="py-0.5 text-right">{decimal(rate.meanSteps, 1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function interval(rate: SuccessRate): string {
  return `${decimal(rate.intervalLow * 100, 1)}–${percent(rate.intervalHigh)}`;
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 gap-2">
      <dt className="text-text-3">{term}</dt>
      <dd className="figure min-w-0 break-all text-text-2">{children}</dd>
    </div>
  );
}

type ActivationDialogProps = {
  model: Model | undefined;
  active: Model | undefined;
  onClose: () => void;
  onConfirm: (reason: string) => void;
};

/** Asks before the active model changes, and for a reason that the history keeps. */
function ActivationDialog({ model, active, onClose, onConfirm }: ActivationDialogProps) {
  const [reason, setReason] = useState("");
  const id = useId();
  return (
    <Dialog open={model !== undefined} onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent>
        <DialogTitle>Make {model?.modelId} active?</DialogTitle>
        <DialogDescription>
          {active ? `It takes the place of ${active.modelId}. ` : ""}The server loads it and checks its hash and parity
          vectors first; if that fails nothing changes. Running episodes keep their model.
        </DialogDescription>
        <form
          className="mt-3 space-y-1"
          onSubmit={(event) => {
            event.preventDefault();
            onConfirm(reason.trim());
          }}
        >
          <Label htmlFor={id}>Reason, kept in the history (may be empty)</Label>
          <Input
            id={id}
            value={reason}
            maxLength={LONGEST_REASON}
            className="font-sans"
            onChange={(event) => setReason(event.target.value)}
          />
          <DialogFooter>
            <DialogClose asChild>
              <Button variant="ghost">Cancel</Button>
            </DialogClose>
            <Button type="submit" variant="primary">
              Make active
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}

function ModelsSkeleton() {
  return (
    <div aria-busy="true" className="space-y-2">
      {["first", "second", "third"].map((place) => (
        <Panel key={place} className="gap-3 p-3">
          <Skeleton className="h-6 w-64" />
          <Skeleton className="h-4 w-96 max-w-full" />
          <Skeleton className="h-20 w-full" />
        </Panel>
      ))}
      <span className="sr-only">The models are loading.</span>
    </div>
  );
}
