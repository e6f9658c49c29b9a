import { ContractVersion } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";

/** The contract that this page was built with: the highest one that the generated code knows. */
export const pageContract: number = Math.max(
  ...Object.values(ContractVersion).filter((value): value is ContractVersion => typeof value === "number"),
);

/** What a version added, as it is missed when a server is older. */
const additions: Readonly<Record<number, string>> = {
  2: "races and questions about changed inputs",
  4: "the history of switches, rolling back, the leaderboard, and the list of past episodes and their proofs",
};

/** How the server's contract and the page's differ. */
export type ContractDifference =
  | { readonly kind: "same" }
  /** The page was built before the server: a reload may bring the one that belongs to it. */
  | { readonly kind: "server-newer" }
  /** `missing` is what this server cannot do yet, in words; empty when nothing of it has a name. */
  | { readonly kind: "server-older"; readonly missing: readonly string[] };

/** Compares the server's contract version (0 from a server that does not count yet) with the page's. */
export function contractDifference(server: number, page: number = pageContract): ContractDifference {
  if (server === page) return { kind: "same" };
  if (server > page) return { kind: "server-newer" };
  const missing = Array.from({ length: page - server }, (_, at) => additions[server + at + 1]).filter(
    (words) => words !== undefined,
  );
  return { kind: "server-older", missing };
}
