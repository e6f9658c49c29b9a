import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Activation, ActiveModelChanged, SwitchRefused } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { Algorithm, type Model, ModelState, type SuccessRate } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { Boxes, CircleCheck, CirclePlay, TriangleAlert, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { cn } from "@/lib/class-names";
import { algorithmName, bytes, count, dateMinute, decimal, percent, shortCount } from "@/lib/format";
import { earlierModel } from "./history-panel";
import type { Change, ChangeWords } from "./queries";
import { interval } from "./success-words";
import { SwitchDialog } from "./switch-dialog";

export type ModelsPageViewProps = {
  /** Undefined while nothing was read yet. */
  models: readonly Model[] | undefined;
  error: Error | null;
  /** What is shown was read earlier: the last try failed, or the server has been away since. */
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** The history as far as it was read, the newest first; undefined before that. */
  activations: readonly Activation[] | undefined;
  /** The panel that shows it. */
  history: ReactNode;
  /** What is asked for in the dialog; undefined while that is closed. */
  change: Change | undefined;
  /** Who switched last from this browser. */
  actor: string;
  /** The change is under way. */
  pending: boolean;
  /** Why the last try of the change failed. */
  refusal: Error | null;
  refused: SwitchRefused | undefined;
  changed: ActiveModelChanged | undefined;
  onChange: (change: Change | undefined) => void;
  onConfirm: (words: ChangeWords) => void;
  onRetry: () => void;
};

/** Every registered model, broken ones with the reason. */
export function ModelsPageView(props: ModelsPageViewProps) {
  const { models, error, stale, readAt, activations, change, onChange, onRetry } = props;
  const inForce = activations?.[0]?.modelId;
  const active =
    models?.find((model) => model.modelId === inForce && model.active) ?? models?.find((model) => model.active);
  const wantedId =
    change?.kind === "roll-back" && activations !== undefined
      ? earlierModel(activations)
      : change?.kind === "set"
        ? change.modelId
        : undefined;
  const activating = props.pending ? wantedId : undefined;
  return (
    <>
      <PageHeader title="Models" />
      <main className="scroll-thin relative min-h-0 flex-1 overflow-y-auto p-2">
        <div className="mx-auto max-w-7xl space-y-2">
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
            <div className="grid items-start gap-2 xl:grid-cols-[minmax(0,1fr)_340px]">
              <div className="min-w-0 space-y-2">
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
                        onChoose={() => onChange({ kind: "set", modelId: model.modelId })}
                      />
                    </li>
                  ))}
                </ul>
              </div>
              {props.history}
            </div>
          )}
        </div>
      </main>
      <SwitchDialog
        key={`${change?.kind} ${change?.kind === "set" ? change.modelId : ""}`}
        change={change}
        model={models?.find((model) => model.modelId === wantedId)}
        active={active}
        actor={props.actor}
        pending={props.pending}
        error={props.refusal}
        refused={props.refused}
        changed={props.changed}
        onClose={() => onChange(undefined)}
        onConfirm={props.onConfirm}
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

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 gap-2">
      <dt className="text-text-3">{term}</dt>
      <dd className="figure min-w-0 break-all text-text-2">{children}</dd>
    </div>
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
