import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Activation } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { dateMinute } from "@/lib/format";

export type ActiveAtFormProps = {
  /** What was asked for; undefined before anything was. */
  at: Date | undefined;
  /** What was in force then: null when no model was active yet, undefined while it is read. */
  found: Activation | null | undefined;
  error: Error | null;
  onAsk: (at: Date) => void;
};

/** Asks which model was active at a time. */
export function ActiveAtForm({ at, found, error, onAsk }: ActiveAtFormProps) {
  const [text, setText] = useState("");
  const id = useId();
  const time = new Date(text);
  const isTime = !Number.isNaN(time.getTime());
  return (
    <form
      aria-label="Active at"
      className="space-y-1.5 border-b p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (isTime) onAsk(time);
      }}
    >
      <Label htmlFor={id}>What was active at (your local time)</Label>
      <div className="flex gap-2">
        <Input id={id} type="datetime-local" step={1} value={text} onChange={(event) => setText(event.target.value)} />
        <Button type="submit" disabled={!isTime} className="max-md:h-11">
          Look up
        </Button>
      </div>
      <p role="status" className="text-sub text-text-2">
        {at === undefined ? null : <Answer at={at} found={found} error={error} />}
      </p>
    </form>
  );
}

function Answer({ at, found, error }: Omit<ActiveAtFormProps, "onAsk" | "at"> & { at: Date }) {
  if (found === undefined) {
    return error === null ? "Looking…" : <span className="text-danger">{error.message}</span>;
  }
  if (found === null) return `No model was active yet at ${dateMinute(at)}.`;
  return (
    <>
      <b className="figure font-medium text-text">{found.modelId}</b> was active at {dateMinute(at)}
      {found.activatedAt === undefined ? "" : `, since ${dateMinute(timestampDate(found.activatedAt))}`}.
    </>
  );
}
