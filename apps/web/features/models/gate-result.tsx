import { type GateCheck, GateOutcome } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { CircleCheck, CircleMinus, CircleX } from "lucide-react";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";
import { counts, interval } from "./success-words";

const looks = {
  [GateOutcome.UNSPECIFIED]: { icon: CircleMinus, tone: "text-text-3", word: "not checked" },
  [GateOutcome.PASSED]: { icon: CircleCheck, tone: "text-ok", word: "passed" },
  [GateOutcome.FAILED]: { icon: CircleX, tone: "text-danger", word: "failed" },
  [GateOutcome.NOT_COMPARABLE]: { icon: CircleMinus, tone: "text-text-3", word: "not comparable" },
} as const;

/** Every check of the gate with its numbers. */
export function GateResult({ checks }: { checks: readonly GateCheck[] }) {
  return (
    <ul aria-label="Checks before the switch" className="space-y-2 text-sub">
      {checks.map((check) => {
        const { icon: Icon, tone, word } = looks[check.outcome];
        const name = check.evidence.case === "parity" || !check.overridable ? "Parity" : "Success";
        return (
          <li key={name} className="flex gap-2 rounded-control border bg-raised px-3 py-2">
            <Icon className={cn("mt-0.5 size-4 shrink-0", tone)} aria-hidden="true" />
            <div className="min-w-0 flex-1">
              <p className="text-text">
                <b className="font-medium">{name}</b> {word}: <span className="text-text-2">{check.message}.</span>
              </p>
              <Numbers check={check} />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Numbers({ check: { evidence } }: { check: GateCheck }) {
  if (evidence.case === "parity") {
    const { vectors, largestDeviation, allowedDeviation } = evidence.value;
    return (
      <p className="figure text-meta text-text-3">
        {count(vectors)} vectors, largest deviation {deviation(largestDeviation)}, allowed {deviation(allowedDeviation)}
      </p>
    );
  }
  if (evidence.case !== "success") return null;
  const rows = [evidence.value.candidate, evidence.value.active].filter((row) => row !== undefined);
  return (
    <table className="mt-1 w-full text-meta">
      <caption className="sr-only">Success on {evidence.value.setId}</caption>
      <thead className="text-left text-text-3">
        <tr>
          <th scope="col" className="pr-3 font-normal">
            On {evidence.value.setId}
          </th>
          <th scope="col" className="pr-3 text-right font-normal">
            Success
          </th>
          <th scope="col" className="text-right font-normal">
            95 % interval
          </th>
        </tr>
      </thead>
      <tbody className="figure text-text-2">
        {rows.map((row) => (
          <tr key={row.modelId}>
            <td className="break-all pr-3">{row.modelId}</td>
            <td className="pr-3 text-right">{counts(row)}</td>
            <td className="text-right">{interval(row)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** "2.4e-7"; what could not be measured is no number. */
export function deviation(value: number): string {
  if (value >= 1e300) return "no number";
  return value === 0 ? "0" : value.toExponential(1);
}
