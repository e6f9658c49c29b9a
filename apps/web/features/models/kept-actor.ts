import type { KeptChoices } from "@/lib/use-kept";

/** Who switches from this browser, so that nobody types a name twice. */
export interface KeptActor {
  readonly actor: string;
}

export const keptActor: KeptChoices<KeptActor> = {
  key: "rlmaze.actor",
  parse: (text) => ({ actor: text ?? "" }),
  write: ({ actor }) => actor,
};
