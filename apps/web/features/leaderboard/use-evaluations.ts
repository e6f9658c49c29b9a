"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { toast } from "sonner";
import type { BoardRow } from "./board-rows";
import { evaluatePolicy, leaderboardQuery } from "./queries";

/** How far evaluations are, 0–1, by the key of their row. Who is not in it is not being evaluated. */
export type EvaluationShares = Readonly<Record<string, number>>;

/** Evaluates rows of a set, one behind the other: two at once would only share the server's cores. Leaving the set ends what is under way. */
export function useEvaluations(setId: string): {
  readonly shares: EvaluationShares;
  readonly evaluate: (rows: readonly BoardRow[]) => void;
} {
  const queryClient = useQueryClient();
  const [shares, setShares] = useState<EvaluationShares>({});
  const left = useRef(new AbortController());
  const queue = useRef(Promise.resolve());
  // biome-ignore lint/correctness/useExhaustiveDependencies: each set has evaluations of its own.
  useEffect(() => {
    const controller = new AbortController();
    left.current = controller;
    queue.current = Promise.resolve();
    setShares({});
    return () => controller.abort();
  }, [setId]);
  const evaluate = useCallback(
    (rows: readonly BoardRow[]) => {
      const { signal } = left.current;
      const tell = (key: string, share: number | undefined) => {
        if (signal.aborted) return;
        setShares(({ [key]: _, ...others }) => (share === undefined ? others : { ...others, [key]: share }));
      };
      for (const row of rows) {
        tell(row.key, 0);
        queue.current = queue.current.then(async () => {
          if (signal.aborted) return;
          try {
            await evaluatePolicy(row.policy, setId, ({ done, total }) => tell(row.key, done / total), signal);
            await queryClient.invalidateQueries({ queryKey: leaderboardQuery(setId).queryKey });
          } catch (reason) {
            if (signal.aborted) return;
            const description = reason instanceof Error ? reason.message : String(reason);
            toast.error(`${row.name} was not evaluated`, { description });
          }
          tell(row.key, undefined);
        });
      }
    },
    [queryClient, setId],
  );
  return { shares, evaluate };
}
