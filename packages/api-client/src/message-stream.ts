import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endStreamFromJson } from "@connectrpc/connect/protocol-connect";

/** One stream: ends when the server ended it well, throws a ConnectError when not, and on an aborted signal at once. */
export type MessageStream<Request, Response> = (request: Request, signal: AbortSignal) => AsyncIterable<Response>;

/** The part of a WebSocket that is used, so that a test can bring its own. */
export type WebSocketFactory = (url: string) => WebSocket;

/** What is asked for over a WebSocket. */
export interface WebSocketCall<Request extends DescMessage, Response extends DescMessage> {
  readonly url: string;
  /** Key of the first frame: `runEpisode`, `runRace`. */
  readonly call: string;
  readonly request: Request;
  readonly response: Response;
  readonly open?: WebSocketFactory | undefined;
}

/**
 * Streams over a WebSocket: the first frame is `{"<call>": request}`, each frame after it one response as protobuf JSON, the last one
 * `{}` or `{"error": …}` as in Connect's end of stream.
 */
export function messagesOverWebSocket<Request extends DescMessage, Response extends DescMessage>(
  call: WebSocketCall<Request, Response>,
): MessageStream<MessageShape<Request>, MessageShape<Response>> {
  return (request, signal) => {
    const first = JSON.stringify({ [call.call]: toJson(call.request, request) });
    const open = call.open ?? ((address: string) => new WebSocket(address));
    return frames(open, call.url, first, call.response, signal);
  };
}

async function* frames<Response extends DescMessage>(
  open: WebSocketFactory,
  url: string,
  first: string,
  schema: Response,
  signal: AbortSignal,
): AsyncGenerator<MessageShape<Response>, void, undefined> {
  signal.throwIfAborted();
  const arrived: MessageShape<Response>[] = [];
  let end: { readonly error: ConnectError | undefined } | undefined;
  let wake: () => void = () => {};
  const finish = (error: ConnectError | undefined): void => {
    end ??= { error };
    wake();
  };

  const socket = open(url);
  const onAbort = (): void => finish(new ConnectError("the stream was closed", Code.Canceled));
  signal.addEventListener("abort", onAbort);
  socket.onopen = () => socket.send(first);
  socket.onclose = (event) => finish(new ConnectError(event.reason || "the connection was closed", Code.Unavailable));
  socket.onmessage = (event: MessageEvent<unknown>) => {
    // What arrives behind the end frame belongs to nobody.
    if (end) return;
    try {
      const frame = parseFrame(event.data, schema);
      if (frame.response) {
        arrived.push(frame.response);
        wake();
      } else {
        finish(frame.error);
      }
    } catch (reason) {
      finish(new ConnectError("a frame could not be read", Code.Internal, undefined, undefined, reason));
    }
  };
  try {
    for (;;) {
      // By index: a burst of a thousand frames is not shifted a thousand times.
      for (let at = 0; at < arrived.length; at++) yield arrived[at] as MessageShape<Response>;
      arrived.length = 0;
      if (end) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
  if (end.error) throw end.error;
}

function parseFrame<Response extends DescMessage>(
  text: unknown,
  schema: Response,
): { readonly response?: MessageShape<Response>; readonly error?: ConnectError | undefined } {
  if (typeof text !== "string") throw new TypeError("a frame is not text");
  const json = JSON.parse(text) as JsonValue;
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new TypeError("a frame is no object");
  const keys = Object.keys(json);
  if (keys.length === 0 || "error" in json) return { error: endStreamFromJson(text).error };
  // A newer server may say more than this page knows.
  return { response: fromJson(schema, json, { ignoreUnknownFields: true }) };
}
