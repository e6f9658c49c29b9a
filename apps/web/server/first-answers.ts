import "server-only";
import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { ListMazesResponseSchema, MazeService } from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { ListModelsResponseSchema } from "@rlmaze/api/rlmaze/model/v1/model_list_pb";
import { ModelService } from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import type { FirstAnswers } from "@/lib/first-answers";
import { goClient } from "./go-server";

/** The page must appear also when the Go server is slow or away; the browser asks again then. */
const FIRST_ANSWER_TIMEOUT_MS = 700;

async function answer<Schema extends DescMessage>(
  schema: Schema,
  call: Promise<MessageShape<Schema>>,
): Promise<JsonValue | undefined> {
  try {
    return toJson(schema, await call);
  } catch {
    return undefined;
  }
}

/** What a page that runs policies asks first: models, and the mazes of the showcase. What did not come in time is left out. */
export async function firstAnswers(): Promise<FirstAnswers> {
  const options = { timeoutMs: FIRST_ANSWER_TIMEOUT_MS };
  const [models, showcase] = await Promise.all([
    answer(ListModelsResponseSchema, goClient(ModelService).listModels({}, options)),
    answer(ListMazesResponseSchema, goClient(MazeService).listMazes({ setId: "showcase" }, options)),
  ]);
  return { ...(models === undefined ? {} : { models }), ...(showcase === undefined ? {} : { showcase }) };
}
