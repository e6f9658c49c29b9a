import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";

/** A broken field, as the BFF reports it. */
export interface FieldViolation {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

/** An answer of the BFF that is not 2xx, or none at all (`code` is then "unreachable"). */
export class BffError extends Error {
  readonly code: string;
  readonly violations: readonly FieldViolation[];
  /** The whole answer: a refusal may bring a message that says more. */
  readonly body: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, violations: readonly FieldViolation[] = [], body = {}) {
    super(message);
    this.name = "BffError";
    this.code = code;
    this.violations = violations;
    this.body = body;
  }

  /** Whether the same call may succeed later without any change. */
  get retryable(): boolean {
    return ["unreachable", "unavailable", "deadline_exceeded", "internal", "unknown"].includes(this.code);
  }
}

/** Asks a BFF route. Throws {@link BffError} for an answer that is not 2xx. */
export async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: "no-store" });
  } catch (reason) {
    if (init.signal?.aborted) throw reason;
    throw new BffError("unreachable", "The page's own server cannot be reached.");
  }
  if (!response.ok) {
    throw errorOf(await response.json().catch(() => null), `The page's server answered ${response.status}.`);
  }
  return response;
}

/** The error that the BFF wrote; `otherwise` is said when it wrote none. */
export function errorOf(written: unknown, otherwise: string): BffError {
  const body = written as Record<string, unknown> | null;
  return new BffError(
    typeof body?.code === "string" ? body.code : "unknown",
    typeof body?.message === "string" ? body.message : otherwise,
    Array.isArray(body?.violations) ? (body.violations as FieldViolation[]) : [],
    body ?? {},
  );
}

async function answer(path: string, init: RequestInit): Promise<JsonValue> {
  const response = await ask(path, init);
  return (await response.json().catch(() => null)) as JsonValue;
}

/** A POST of JSON. */
export const posted = (body: JsonValue): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** Reads a message from a BFF route. Throws {@link BffError}. */
export async function getMessage<Schema extends DescMessage>(
  schema: Schema,
  path: string,
  signal?: AbortSignal,
): Promise<MessageShape<Schema>> {
  return fromJson(schema, await answer(path, signal ? { signal } : {}), { ignoreUnknownFields: true });
}

/** Posts JSON to a BFF route and reads the message it answers with. Throws {@link BffError}. */
export async function postMessage<Schema extends DescMessage>(
  schema: Schema,
  path: string,
  body: JsonValue,
): Promise<MessageShape<Schema>> {
  return fromJson(schema, await answer(path, posted(body)), { ignoreUnknownFields: true });
}
