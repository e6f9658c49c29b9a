import "server-only";
import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import { errorBody, errorResponse } from "./unary";

/**
 * Answers a request with a server stream: one line of protobuf JSON a message. An error before the first message has its HTTP status, as with a
 * unary call; one behind it is a last line `{"error": …}` with the same body. Whoever stops reading ends the call.
 */
export async function streamed<Schema extends DescMessage>(
  schema: Schema,
  request: Request,
  open: (signal: AbortSignal) => Promise<AsyncIterable<MessageShape<Schema>>>,
): Promise<Response> {
  const left = new AbortController();
  const leave = () => left.abort();
  request.signal.addEventListener("abort", leave, { once: true });
  let messages: AsyncIterator<MessageShape<Schema>>;
  let first: IteratorResult<MessageShape<Schema>> | undefined;
  try {
    messages = (await open(left.signal))[Symbol.asyncIterator]();
    first = await messages.next();
  } catch (reason) {
    request.signal.removeEventListener("abort", leave);
    return errorResponse(reason);
  }
  const encoder = new TextEncoder();
  const line = (value: unknown) => encoder.encode(`${JSON.stringify(value)}\n`);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = first ?? (await messages.next());
        first = undefined;
        if (next.done !== true) {
          controller.enqueue(line(toJson(schema, next.value, { alwaysEmitImplicit: true })));
          return;
        }
      } catch (reason) {
        controller.enqueue(line({ error: errorBody(reason).body }));
      }
      request.signal.removeEventListener("abort", leave);
      controller.close();
    },
    cancel: leave,
  });
  return new Response(body, {
    // Compression would hold lines back until there are enough of them.
    headers: { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store, no-transform" },
  });
}
