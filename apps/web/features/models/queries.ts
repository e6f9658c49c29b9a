import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import {
  type ActiveModelChanged,
  ActiveModelChangedSchema,
  type SwitchRefused,
  SwitchRefusedSchema,
} from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import {
  type ListActivationsResponse,
  ListActivationsResponseSchema,
  RollBackActiveModelResponseSchema,
  SetActiveModelResponseSchema,
} from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { BffError, getMessage, postMessage } from "@/lib/bff";

/** Entries of one page of the history. */
const HISTORY_PAGE_SIZE = 20;

export const historyQuery = infiniteQueryOptions<
  ListActivationsResponse,
  Error,
  InfiniteData<ListActivationsResponse, string>,
  string[],
  string
>({
  queryKey: ["activations"],
  queryFn: ({ pageParam, signal }) => {
    const parameters = new URLSearchParams({ pageSize: String(HISTORY_PAGE_SIZE), pageToken: pageParam });
    return getMessage(ListActivationsResponseSchema, `/api/models/activations?${parameters}`, signal);
  },
  initialPageParam: "",
  getNextPageParam: (page) => page.nextPageToken || undefined,
});

/** The activation that was in force at a time; null when no model was active yet. */
export const activeAtQuery = (at: Date) =>
  queryOptions({
    queryKey: ["activations", "at", at.toISOString()],
    queryFn: async ({ signal }) => {
      const parameters = new URLSearchParams({ pageSize: "1", at: at.toISOString() });
      const page = await getMessage(ListActivationsResponseSchema, `/api/models/activations?${parameters}`, signal);
      return page.activations[0] ?? null;
    },
  });

/** What is asked for: a model to become active, or the activation in force to be undone. */
export type Change = { readonly kind: "set"; readonly modelId: string } | { readonly kind: "roll-back" };

/** What a change is sent with. */
export interface ChangeWords {
  readonly reason: string;
  readonly actor: string;
  readonly overrideReason: string;
}

/** Makes the change, if the activation in force is the expected one (undefined: whichever it is). Throws BffError. */
export async function makeChange(change: Change, words: ChangeWords, expected: bigint | undefined) {
  const { reason, actor, overrideReason } = words;
  const expectedActivationId = String(expected ?? 0n);
  return change.kind === "set"
    ? postMessage(SetActiveModelResponseSchema, "/api/models/active", {
        modelId: change.modelId,
        reason,
        actor,
        overrideReason,
        expectedActivationId,
      })
    : postMessage(RollBackActiveModelResponseSchema, "/api/models/active/roll-back", {
        reason,
        actor,
        expectedActivationId,
      });
}

function detailOf<Schema extends DescMessage>(
  schema: Schema,
  error: unknown,
  name: string,
): MessageShape<Schema> | undefined {
  if (!(error instanceof BffError) || error.body[name] === undefined) return undefined;
  return fromJson(schema, error.body[name] as JsonValue, { ignoreUnknownFields: true });
}

/** What the gate found, where it refused. */
export function refusalOf(error: unknown): SwitchRefused | undefined {
  return detailOf(SwitchRefusedSchema, error, "refused");
}

/** What is active instead, where somebody else had switched meanwhile. */
export function changedOf(error: unknown): ActiveModelChanged | undefined {
  return detailOf(ActiveModelChangedSchema, error, "changed");
}
