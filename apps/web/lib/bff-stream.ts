import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { ask, BffError, errorOf, posted } from "./bff";

/** Posts JSON to a BFF route that answers with a stream, and reads its messages as they come. Throws {@link BffError}, also in the middle. */
export async function* postStream<Schema extends DescMessage>(
  schema: Schema,
  path: string,
  body: JsonValue,
  signal: AbortSignal,
): AsyncGenerator<MessageShape<Schema>> {
  const response = await ask(path, { ...posted(body), signal });
  for await (const line of linesOf(response, signal)) {
    const written = JSON.parse(line) as Record<string, JsonValue>;
    if (written.error !== undefined) throw errorOf(written.error, "The page's server failed.");
    yield fromJson(schema, written, { ignoreUnknownFields: true });
  }
}

async function* linesOf(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      text += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      yield* lines;
      if (done) return;
    }
  } catch (reason) {
    if (signal.aborted || reason instanceof BffError) throw reason;
    throw new BffError("unreachable", "The page's own server went away in the middle of its answer.");
  } finally {
    // Whoever stops in the middle wants no more of it; after the end there is nothing left to cancel.
    reader.cancel().catch(() => {});
  }
}
