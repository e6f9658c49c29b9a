import type { ActiveModelChanged, SwitchRefused } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { type ReactNode, useId, useState } from "react";
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
import { StateLine } from "@/components/ui/state-line";
import { algorithmName, decimal } from "@/lib/format";
import { GateResult } from "./gate-result";
import type { Change, ChangeWords } from "./queries";
import { counts, interval } from "./success-words";

/** Longest reason, and name, that the contract takes. */
const LONGEST_REASON = 500;
const LONGEST_ACTOR = 100;

export type SwitchDialogProps = {
  /** What is asked for; undefined while the dialog is closed. */
  change: Change | undefined;
  /** The model that would become active. */
  model: Model | undefined;
  /** The model that is active. */
  active: Model | undefined;
  /** Who switched last from this browser. */
  actor: string;
  pending: boolean;
  /** Why the last try failed; null before it and after a success. */
  error: Error | null;
  /** What the gate found, where it was the gate. */
  refused: SwitchRefused | undefined;
  /** What is active instead, where somebody else had switched. */
  changed: ActiveModelChanged | undefined;
  onClose: () => void;
  onConfirm: (words: ChangeWords) => void;
};

/** Shows what would change, asks for who and why, and tells what the gate says. */
export function SwitchDialog(props: SwitchDialogProps) {
  const { change, model, onClose } = props;
  return (
    <Dialog open={change !== undefined} onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent className="w-[520px]">
        <DialogTitle>
          {change?.kind === "roll-back" ? `Roll back to ${model?.modelId}?` : `Make ${model?.modelId} active?`}
        </DialogTitle>
        {model === undefined ? null : <SwitchForm {...props} model={model} />}
      </DialogContent>
    </Dialog>
  );
}

function SwitchForm({
  change,
  model,
  active,
  actor: lastActor,
  pending,
  error,
  refused,
  changed,
  onConfirm,
}: SwitchDialogProps & { model: Model }) {
  const [reason, setReason] = useState("");
  const [overrideReason, setOverrideReason] = useState("");
  const [actor, setActor] = useState(lastActor);
  const id = useId();
  const overriding = refused?.overridable === true;
  return (
    <>
      <DialogDescription>
        {active ? `It takes the place of ${active.modelId}. ` : ""}The server loads it and checks its hash and parity
        vectors first; if that fails nothing changes. New episodes use it within two seconds, on every server; running
        ones keep their model.
      </DialogDescription>
      {active === undefined ? null : <WhatChanges from={active} to={model} />}
      <form
        className="mt-3 space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm({
            reason: reason.trim(),
            actor: actor.trim(),
            overrideReason: overriding ? overrideReason.trim() : "",
          });
        }}
      >
        <Field id={`${id}-reason`} label="Reason, kept in the history (may be empty)">
          <Input
            id={`${id}-reason`}
            value={reason}
            maxLength={LONGEST_REASON}
            className="font-sans"
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
        <Field id={`${id}-actor`} label="Your name, kept in the history (may be empty)">
          <Input
            id={`${id}-actor`}
            value={actor}
            maxLength={LONGEST_ACTOR}
            autoComplete="name"
            className="font-sans"
            onChange={(event) => setActor(event.target.value)}
          />
        </Field>
        {error === null ? null : (
          <Refusal error={error} refused={refused} changed={changed} rollingBack={change?.kind === "roll-back"} />
        )}
        {overriding ? (
          <Field id={`${id}-override`} label="Why it is wanted all the same, kept in the history">
            <Input
              id={`${id}-override`}
              value={overrideReason}
              maxLength={LONGEST_REASON}
              className="font-sans"
              onChange={(event) => setOverrideReason(event.target.value)}
            />
          </Field>
        ) : null}
        <DialogFooter>
          <DialogClose asChild>
            <Button variant="ghost">Cancel</Button>
          </DialogClose>
          <Button
            type="submit"
            variant={overriding ? "danger" : "primary"}
            disabled={
              pending ||
              (overriding && overrideReason.trim() === "") ||
              (refused !== undefined && !overriding && changed === undefined)
            }
          >
            {pending
              ? "Switching…"
              : overriding
                ? "Switch all the same"
                : change?.kind === "roll-back"
                  ? "Roll back"
                  : "Make active"}
          </Button>
        </DialogFooter>
      </form>
    </>
  );
}

function Field({ id, label, children }: { id: string; label: string; children: ReactNode }) {
  return (
    <div className="space-y-1">
      <Label htmlFor={id}>{label}</Label>
      {children}
    </div>
  );
}

function Refusal({
  error,
  refused,
  changed,
  rollingBack,
}: {
  error: Error;
  refused: SwitchRefused | undefined;
  changed: ActiveModelChanged | undefined;
  rollingBack: boolean;
}) {
  if (changed !== undefined) {
    const { activation } = changed;
    const who = activation?.actor ? ` by ${activation.actor}` : "";
    return (
      <StateLine kind="problem" title="Somebody else switched meanwhile">
        {activation === undefined ? "No model is active now." : `${activation.modelId} was made active${who}.`} What is
        shown above is what is so now; confirm again if you still want it.
      </StateLine>
    );
  }
  if (refused === undefined) {
    return (
      <StateLine kind="problem" title={rollingBack ? "It was not rolled back" : "It was not made active"}>
        {error.message}
      </StateLine>
    );
  }
  return (
    <>
      <StateLine kind="problem" title="The gate refused it">
        {refused.overridable
          ? "Nothing was changed. Say why it is wanted all the same, or leave it."
          : "Nothing was changed. A model that does not repeat its export can never be active: export it again."}
      </StateLine>
      <GateResult checks={refused.checks} />
    </>
  );
}

/** Both models side by side, in what matters for the choice. */
function WhatChanges({ from, to }: { from: Model; to: Model }) {
  const [wasMeasured, isMeasured] = [from.success[0], to.success[0]];
  const rows = [
    { term: "Algorithm", was: algorithmName(from.algorithm), is: algorithmName(to.algorithm) },
    { term: "Observation", was: from.observation, is: to.observation },
    {
      term: `Success on ${isMeasured?.setId ?? wasMeasured?.setId ?? "unseen mazes"}`,
      was: wasMeasured ? counts(wasMeasured) : "–",
      is: isMeasured ? counts(isMeasured) : "–",
    },
    {
      term: "95 % interval",
      was: wasMeasured ? interval(wasMeasured) : "–",
      is: isMeasured ? interval(isMeasured) : "–",
    },
    {
      term: "SPL",
      was: wasMeasured ? decimal(wasMeasured.spl, 3) : "–",
      is: isMeasured ? decimal(isMeasured.spl, 3) : "–",
    },
  ];
  return (
    <table className="mt-3 w-full text-sub">
      <caption className="sr-only">What changes</caption>
      <thead className="text-left text-meta text-text-3">
        <tr>
          <th scope="col" className="py-0.5 pr-3 font-normal">
            <span className="sr-only">Property</span>
          </th>
          <th scope="col" className="py-0.5 pr-3 font-normal">
            Now: <span className="figure break-all text-text-2">{from.modelId}</span>
          </th>
          <th scope="col" className="py-0.5 font-normal">
            Then: <span className="figure break-all text-text">{to.modelId}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ term, was, is }) => (
          <tr key={term} className="border-t">
            <th scope="row" className="py-1 pr-3 text-left font-normal text-text-3">
              {term}
            </th>
            <td className="figure py-1 pr-3 text-text-2">{was}</td>
            <td className="figure py-1 text-text">{is}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
