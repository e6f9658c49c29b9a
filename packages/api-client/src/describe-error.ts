import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { type FieldPath, ViolationsSchema } from "@rlmaze/api/buf/validate/validate_pb";

/** An error in words for people. */
export interface ErrorDescription {
  /** Connect code in its wire spelling: `not_found`, `invalid_argument`, … */
  readonly code: string;
  /** What went wrong, a few words, sentence case, no full stop. */
  readonly title: string;
  /** The request field that broke a rule, as the contract spells it (`maze.maze_id`); empty when no field is to blame. */
  readonly field: string;
  /** What to do about it, or the server's own sentence. */
  readonly hint: string;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;
}

interface Words {
  readonly title: string;
  /** Said when the server gave no sentence of its own, or when its sentence is not meant for people. */
  readonly hint: string;
  /** Whether the server's sentence is for people. */
  readonly speaks: boolean;
  readonly retryable: boolean;
}

const UNREACHABLE: Words = {
  title: "Server can't be reached",
  hint: "Is it running, and may this page reach its address? It is tried again by itself.",
  speaks: false,
  retryable: true,
};

const WORDS: Readonly<Record<Code, Words>> = {
  [Code.Canceled]: {
    title: "Cancelled",
    hint: "The call was ended before its answer.",
    speaks: false,
    retryable: true,
  },
  [Code.Unknown]: { title: "Connection lost", hint: "It is tried again by itself.", speaks: false, retryable: true },
  [Code.InvalidArgument]: {
    title: "Invalid request",
    hint: "Correct the value and try again.",
    speaks: true,
    retryable: false,
  },
  [Code.DeadlineExceeded]: {
    title: "Server took too long",
    hint: "It is tried again by itself.",
    speaks: false,
    retryable: true,
  },
  [Code.NotFound]: {
    title: "Not found",
    hint: "Choose another one; it may have been removed.",
    speaks: true,
    retryable: false,
  },
  [Code.AlreadyExists]: { title: "Already exists", hint: "Start a new episode.", speaks: true, retryable: false },
  [Code.PermissionDenied]: {
    title: "Not allowed",
    hint: "This server does not allow it to this page.",
    speaks: true,
    retryable: false,
  },
  [Code.ResourceExhausted]: {
    title: "Server is busy",
    hint: "Too many episodes run at once. It is tried again by itself.",
    speaks: true,
    retryable: true,
  },
  [Code.FailedPrecondition]: {
    title: "Not possible now",
    hint: "Something else must be done first.",
    speaks: true,
    retryable: false,
  },
  [Code.Aborted]: { title: "Interrupted", hint: "It is tried again by itself.", speaks: false, retryable: true },
  [Code.OutOfRange]: {
    title: "Out of range",
    hint: "Correct the value and try again.",
    speaks: true,
    retryable: false,
  },
  [Code.Unimplemented]: {
    title: "Not offered by this server",
    hint: "Page and server may be of different versions, or the address belongs to another program.",
    speaks: false,
    retryable: false,
  },
  [Code.Internal]: { title: "Server error", hint: "The server's log says more.", speaks: false, retryable: true },
  [Code.Unavailable]: UNREACHABLE,
  [Code.DataLoss]: {
    title: "Connection lost",
    hint: "An answer arrived incomplete. It is tried again by itself.",
    speaks: false,
    retryable: true,
  },
  [Code.Unauthenticated]: {
    title: "Sign-in needed",
    hint: "This server asks for credentials.",
    speaks: true,
    retryable: false,
  },
};

/** Describes any thrown value. A rule of the contract that was broken names its field and gives the rule as the hint. */
export function describeError(reason: unknown): ErrorDescription {
  const error = ConnectError.from(reason);
  // Browsers report a refused connection, a blocked origin and a broken name all as a TypeError without a code.
  const words = error.code === Code.Unknown && error.cause instanceof TypeError ? UNREACHABLE : WORDS[error.code];
  const violation = error.findDetails(ViolationsSchema)[0]?.violations[0];
  const spoken = words.speaks ? violation?.message || error.rawMessage : "";
  return {
    code: codeToString(error.code),
    title: words.title,
    field: fieldName(violation?.field),
    hint: spoken ? sentence(spoken) : words.hint,
    retryable: words.retryable,
  };
}

function fieldName(path: FieldPath | undefined): string {
  let name = "";
  for (const element of path?.elements ?? []) {
    name += (name && ".") + element.fieldName;
    if (element.subscript.case !== undefined) name += `[${String(element.subscript.value)}]`;
  }
  return name;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
