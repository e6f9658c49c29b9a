import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type ListMazesResponse, ListMazesResponseSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { ListModelsResponseSchema } from "@rlmaze/api/rlmaze/model/v1/model_list_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";

/** What the server knew when it rendered the page, as protobuf JSON; left out when the Go server did not answer. */
export interface FirstAnswers {
  readonly models?: JsonValue;
  readonly showcase?: JsonValue;
}

const lenient = { ignoreUnknownFields: true };

/** Models of the first answers; undefined when they did not come. */
export function firstModels({ models }: FirstAnswers): Model[] | undefined {
  return models === undefined ? undefined : fromJson(ListModelsResponseSchema, models, lenient).models;
}

/** First page of the showcase; undefined when it did not come. */
export function firstShowcase({ showcase }: FirstAnswers): ListMazesResponse | undefined {
  return showcase === undefined ? undefined : fromJson(ListMazesResponseSchema, showcase, lenient);
}
