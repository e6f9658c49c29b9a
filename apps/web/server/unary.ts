import "server-only";
import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ViolationsSchema } from "@rlmaze/api/buf/validate/validate_pb";
import { ActiveModelChangedSchema, SwitchRefusedSchema } from "@rlmaze/api/rlmaze/model/v1/activation_pb";
import { TrainingBusySchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";

/** Largest request body that a route reads; a drawn 100 × 100 maze is 11 kB. */
const MAX_BODY_BYTES = 64 * 1024;

/** One broken rule of one field, as protovalidate found it. */
export interface FieldViolation {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

/** Body of every answer that is not 2xx. */
export interface ErrorBody {
  /** Connect code in its wire spelling. */
  readonly code: string;
  readonly message: string;
  readonly violations: readonly FieldViolation[];
  /** What holds the devices, as a TrainingBusy; only where a training was refused for lack of room. */
  readonly busy?: JsonValue;
  /** What the gate found, as a SwitchRefused; only where a model was not made active. */
  readonly refused?: JsonValue;
  /** What is active instead, as an ActiveModelChanged; only where somebody else had switched. */
  readonly changed?: JsonValue;
}

/** What a route wants of its errors. */
export interface ErrorOptions {
  /** The server's own words are kept when something behind it is away: they say what, and hold no address. */
  readonly saysWhatIsAway?: boolean;
}

// As the Connect protocol maps them: https://connectrpc.com/docs/protocol#error-codes
const httpStatus: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

// What goes out instead of the text of an error of ours: that text may hold the address of the Go server or a path.
const fixedText: Partial<Record<Code, string>> = {
  [Code.Unavailable]: "The Go server cannot be reached, or one of its stores is away. Try again in a moment.",
  [Code.DeadlineExceeded]: "The Go server did not answer in time. Try again in a moment.",
  [Code.Unimplemented]: "The Go server does not offer this call; its version differs from the page's.",
  [Code.Unauthenticated]: "The page's server and the Go server do not share a token. Set SERVER_TOKEN on both.",
};
const INTERNAL_TEXT = "Something went wrong on the server. Its log has the details.";

/** "not_found" of `Code.NotFound`. */
function wireSpelling(code: Code): string {
  return Code[code].replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? "" : "_") + letter.toLowerCase());
}

function fieldPath(elements: readonly { fieldName: string }[]): string {
  return elements.map((element) => element.fieldName).join(".");
}

/** What a caller may read of an error. Below 500 the server's own sentence is kept, for it names the field and the rule. */
export function errorBody(
  reason: unknown,
  { saysWhatIsAway = false }: ErrorOptions = {},
): { readonly status: number; readonly body: ErrorBody } {
  const error = ConnectError.from(reason);
  const status = httpStatus[error.code];
  // What the server answered has no cause; a connection that failed here has one.
  const isSpoken = saysWhatIsAway && error.code === Code.Unavailable && error.cause === undefined;
  const ours = (status >= 500 && !isSpoken) || error.code === Code.Unauthenticated;
  const [busy] = error.findDetails(TrainingBusySchema);
  const [refused] = error.findDetails(SwitchRefusedSchema);
  const [changed] = error.findDetails(ActiveModelChangedSchema);
  const body: ErrorBody = {
    code: wireSpelling(error.code),
    message: ours ? (fixedText[error.code] ?? INTERNAL_TEXT) : error.rawMessage,
    violations: ours
      ? []
      : error
          .findDetails(ViolationsSchema)
          .flatMap((details) => details.violations)
          .map((violation) => ({
            field: fieldPath(violation.field?.elements ?? []),
            rule: violation.ruleId,
            message: violation.message,
          })),
    ...(busy === undefined ? {} : { busy: toJson(TrainingBusySchema, busy) }),
    ...(refused === undefined ? {} : { refused: toJson(SwitchRefusedSchema, refused) }),
    ...(changed === undefined ? {} : { changed: toJson(ActiveModelChangedSchema, changed) }),
  };
  return { status, body };
}

/** The answer for an error of a call. */
export function errorResponse(reason: unknown, options: ErrorOptions = {}): Response {
  const { status, body } = errorBody(reason, options);
  return Response.json(body, { status, headers: { "Cache-Control": "no-store" } });
}

/**
 * Answers a request with one unary call: the reply as protobuf JSON with its zero values and with 64-bit numbers as strings, or the
 * error with its HTTP status. Nothing is cached.
 */
export async function unary<Schema extends DescMessage>(
  schema: Schema,
  call: () => Promise<MessageShape<Schema>>,
  options: ErrorOptions = {},
): Promise<Response> {
  try {
    const reply = await call();
    return Response.json(toJson(schema, reply, { alwaysEmitImplicit: true }), {
      headers: { "Cache-Control": "no-store" },
    });
  } catch (reason) {
    return errorResponse(reason, options);
  }
}

/** Reads a request body as a message. Throws `invalid_argument` for what is too large, no JSON, or of another shape. */
export async function readMessage<Schema extends DescMessage>(
  schema: Schema,
  request: Request,
): Promise<MessageShape<Schema>> {
  const text = await readText(request);
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConnectError("the body must be JSON", Code.InvalidArgument);
  }
  return messageOf(schema, json);
}

/** Makes a message of query parameters: each one is the JSON name of a scalar field, or of a list of them, and then stands there once for each. */
export function queryMessage<Schema extends DescMessage>(
  schema: Schema,
  parameters: URLSearchParams,
  fixed: MessageInitShape<Schema> & object,
): MessageShape<Schema> {
  const json: Record<string, JsonValue> = {};
  for (const [name, value] of parameters) {
    if (value === "") continue;
    const isList = schema.fields.some((field) => field.jsonName === name && field.fieldKind === "list");
    if (isList) json[name] = parameters.getAll(name).filter((entry) => entry !== "");
    else json[name] = value;
  }
  return create(schema, { ...messageOf(schema, json), ...fixed } as MessageInitShape<Schema>);
}

function messageOf<Schema extends DescMessage>(schema: Schema, json: JsonValue): MessageShape<Schema> {
  try {
    return fromJson(schema, json);
  } catch (reason) {
    const detail = reason instanceof Error ? reason.message : "of another shape";
    throw new ConnectError(`the request cannot be read: ${detail}`, Code.InvalidArgument);
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = new ConnectError(`the body must be at most ${MAX_BODY_BYTES} bytes`, Code.InvalidArgument);
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLarge;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
