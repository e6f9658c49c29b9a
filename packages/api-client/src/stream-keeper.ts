import { Code, ConnectError } from "@connectrpc/connect";
import { backoffDelay } from "./backoff";
import type { ConnectionState, DisconnectReason, StreamTransportName } from "./connection-state";
import { describeError, type ErrorDescription } from "./describe-error";
import type { MessageStream } from "./message-stream";
import { pageWays, type StreamWays } from "./stream-ways";
import { onWake } from "./wake";

/** Which way the stream takes. `auto` tries Connect and goes over to WebSocket by itself where Connect streams don't get through. */
export type TransportChoice = "auto" | StreamTransportName;

/** Limits of a run in milliseconds. */
export interface StreamTiming {
  /** 250: first wait after a lost connection; it doubles with each attempt. */
  readonly backoffFirstMs: number;
  /** 2500: longest wait. */
  readonly backoffMaxMs: number;
  /** 2000: how long a stream may take to its first message before the other way is tried beside it. */
  readonly firstMessageMs: number;
  /** 12000: silence after which a stream counts as dead; the server sends a heartbeat every 5 s. */
  readonly silenceMs: number;
}

const TIMING: StreamTiming = { backoffFirstMs: 250, backoffMaxMs: 2500, firstMessageMs: 2000, silenceMs: 12_000 };

/** What is kept open, as its owner knows it. */
export interface KeptCall<Request, Response> {
  /** The request that goes on at the next step. */
  request(): Request;
  /** Takes a message; returns true when it was the last one. May throw a ConnectError when it does not fit: the stream is lost then. */
  take(response: Response): boolean;
  /** A stream that was limited by `maxSteps` has brought all of its steps. */
  isBudgetSpent(): boolean;
  /** The server refused: returns true when the request was changed so that asking again may help. */
  amend(error: ErrorDescription): boolean;
  onConnection(state: ConnectionState): void;
}

/** How a stream is kept. */
export interface KeptStreamOptions<Request, Response> {
  readonly call: KeptCall<Request, Response>;
  /** The ways there are, in the order in which they are tried; at least one. */
  readonly ways: ReadonlyMap<StreamTransportName, MessageStream<Request, Response>>;
  /** Names the server in what the page remembers of its ways. */
  readonly server: string;
  readonly timing?: Partial<StreamTiming> | undefined;
  readonly memory?: StreamWays | undefined;
  /** See `RunOptions.giveBackWhenHidden`. */
  readonly giveBackWhenHidden?: boolean | undefined;
}

/** How one stream ended. `silent`: it had brought messages and then nothing more, while the connection stood. */
type StreamEnd =
  | { readonly kind: "finished" | "step_budget" }
  | { readonly kind: "refused"; readonly error: ErrorDescription }
  | { readonly kind: "lost"; readonly error: ErrorDescription; readonly heard: boolean; readonly silent: boolean };

/**
 * Keeps a stream open over whatever happens to its connection: a lost one is opened again after a wait, a silent one is given up, one that
 * brings no first message gets the other way beside it, and after a sleep or a network change it is replaced at once. It knows nothing of what the
 * messages mean.
 */
export class StreamKeeper<Request, Response> {
  readonly #call: KeptCall<Request, Response>;
  readonly #ways: ReadonlyMap<StreamTransportName, MessageStream<Request, Response>>;
  readonly #server: string;
  readonly #timing: StreamTiming;
  readonly #memory: StreamWays;
  readonly #givesBack: boolean;
  #connection: ConnectionState = { kind: "disconnected", reason: { kind: "idle" } };
  /** Ends the loop that keeps a stream open; undefined while none is wanted. */
  #open: AbortController | undefined;
  /** Ends the wait between two attempts. */
  #endWait: (() => void) | undefined;
  #attempt = 0;
  /** The way that is tried first. */
  #preferred: StreamTransportName;
  /** True once the preferred way brought a message: from then on a loss means a lost server rather than a blocked way. */
  #proven = false;
  /** The way fell silent in mid-stream: something on it may hold messages back, so the other way is tried first, once. */
  #suspected = false;
  #stopWatching: (() => void) | undefined;

  constructor(options: KeptStreamOptions<Request, Response>) {
    this.#call = options.call;
    this.#ways = options.ways;
    this.#server = options.server;
    this.#timing = { ...TIMING, ...options.timing };
    this.#memory = options.memory ?? pageWays;
    this.#givesBack = options.giveBackWhenHidden ?? false;
    const remembered = this.#memory.preferred(this.#server);
    const first = remembered && this.#ways.has(remembered) ? remembered : this.#ways.keys().next().value;
    if (!first) throw new TypeError("a run over WebSocket needs webSocketUrl");
    this.#preferred = first;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether a stream is open, or will be when the tab is shown. */
  get isWanted(): boolean {
    const state = this.#connection;
    return this.isOpen || (state.kind === "disconnected" && state.reason.kind === "hidden");
  }

  /** Whether nothing can open a stream again. */
  get isOver(): boolean {
    const state = this.#connection;
    return state.kind === "disconnected" && (state.reason.kind === "finished" || state.reason.kind === "stopped");
  }

  /** Opens a stream and keeps it. Does nothing while one is open, or when all is over. */
  open(): void {
    if (this.#open || this.isOver) return;
    this.#keep({ quiet: false });
  }

  /** Replaces an open stream by one for the request as it is now. The connection stands, or it is being mended, as before: not a word about it. */
  replace(): void {
    if (this.#open) this.#keep({ quiet: true });
  }

  /** Closes the stream. */
  close(reason: DisconnectReason): void {
    this.#open?.abort();
    this.#open = undefined;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    if (reason.kind === "hidden") this.#stopWatching = onShown(() => this.open());
    this.#setConnection({ kind: "disconnected", reason });
  }

  /** Ends the wait of `reconnecting` now. */
  retryNow(): void {
    this.#endWait?.();
  }

  #setConnection(state: ConnectionState): void {
    this.#connection = state;
    this.#call.onConnection(state);
  }

  #keep(mode: { readonly quiet: boolean }): void {
    if (this.#givesBack && globalThis.document?.visibilityState === "hidden") {
      this.close({ kind: "hidden" });
      return;
    }
    this.#open?.abort();
    const open = new AbortController();
    this.#open = open;
    this.#attempt = 0;
    this.#watchPage();
    if (!mode.quiet) this.#setConnection({ kind: "connecting", transport: this.#preferred });
    if (!open.signal.aborted) void this.#loop(open.signal);
  }

  #watchPage(): void {
    this.#stopWatching?.();
    // A stream that slept or changed its network would be noticed as silent only later, if it is dead.
    const stopWake = onWake(() => this.replace());
    const stopHidden = this.#givesBack ? onHidden(() => this.close({ kind: "hidden" })) : undefined;
    this.#stopWatching = () => {
      stopWake();
      stopHidden?.();
    };
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      const end = await this.#round(signal);
      if (signal.aborted || !end) return;
      if (end.kind !== "lost") {
        this.close(end.kind === "refused" ? { kind: "failed", error: end.error } : { kind: end.kind });
        return;
      }
      this.#suspected = end.silent;
      this.#attempt += 1;
      const { backoffFirstMs: firstMs, backoffMaxMs: maxMs } = this.#timing;
      const delay = backoffDelay(this.#attempt, { firstMs, maxMs });
      this.#setConnection({
        kind: "reconnecting",
        attempt: this.#attempt,
        retryAt: Date.now() + delay,
        error: end.error,
      });
      if (signal.aborted) return;
      await this.#wait(delay, signal);
      if (signal.aborted) return;
    }
  }

  /** One attempt over the ways that there are. Undefined when aborted. */
  #round(signal: AbortSignal): Promise<StreamEnd | undefined> {
    let order = [this.#preferred, ...[...this.#ways.keys()].filter((name) => name !== this.#preferred)];
    if (this.#suspected) order = order.reverse();
    // A way that worked a moment ago was most likely lost with its server.
    else if (this.#proven) order = order.slice(0, 1);
    this.#suspected = false;
    // From the next round on all ways are tried: a way that worked before may be blocked now.
    this.#proven = false;
    return this.#compete(order, signal);
  }

  /**
   * Opens the first way, and the next one when it fails or has brought nothing for a while. The one that brings the first message stays, the
   * others are closed. None is closed earlier: a request that waits for one of the browser's connections gets it in the end, and browsers make a WebSocket
   * wait longer for each that was closed before it was open.
   */
  #compete(order: readonly StreamTransportName[], outer: AbortSignal): Promise<StreamEnd | undefined> {
    return new Promise((resolve) => {
      const open = new Map<StreamTransportName, AbortController>();
      let started = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const closeAllBut = (name?: StreamTransportName): void => {
        clearTimeout(timer);
        for (const [other, stream] of open) if (other !== name) stream.abort();
      };
      const finish = (end: StreamEnd | undefined): void => {
        outer.removeEventListener("abort", onAbort);
        closeAllBut();
        resolve(end);
      };
      const onAbort = (): void => finish(undefined);
      const startNext = (): void => {
        clearTimeout(timer);
        const name = order[started++];
        const way = name && this.#ways.get(name);
        if (!way) return;
        const now = this.#connection;
        if (now.kind === "connecting" && now.transport !== name) {
          this.#setConnection({ kind: "connecting", transport: name });
          // Whoever was told may have closed it.
          if (outer.aborted) return;
        }
        const own = new AbortController();
        open.set(name, own);
        void this.#stream(name, way, own.signal, () => closeAllBut(name)).then((end) => {
          if (own.signal.aborted) return;
          open.delete(name);
          if (end.kind !== "lost" || end.heard) finish(end);
          else if (started < order.length) startNext();
          else if (open.size === 0) finish(end);
        });
        if (started < order.length) timer = setTimeout(startNext, this.#timing.firstMessageMs);
      };
      outer.addEventListener("abort", onAbort);
      startNext();
    });
  }

  /** Runs one stream to its end; tells when its first message is there. */
  #stream(
    name: StreamTransportName,
    way: MessageStream<Request, Response>,
    outer: AbortSignal,
    onHeard: () => void,
  ): Promise<StreamEnd> {
    const inner = new AbortController();
    const request = this.#call.request();
    const { silenceMs } = this.#timing;
    let heard = false;

    return new Promise<StreamEnd>((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const settle = (end: StreamEnd): void => {
        clearTimeout(timer);
        outer.removeEventListener("abort", onOuterAbort);
        inner.abort();
        resolve(end);
      };
      const lose = (reason: unknown, silent = false): void => settle(this.#judge(reason, heard, silent));
      const onOuterAbort = (): void =>
        settle({ kind: "lost", error: describeError(new ConnectError("closed", Code.Canceled)), heard, silent: false });
      const watch = (): void => {
        clearTimeout(timer);
        timer = setTimeout(
          () => lose(new ConnectError(`silent for ${silenceMs} ms`, Code.DeadlineExceeded), heard),
          silenceMs,
        );
      };
      outer.addEventListener("abort", onOuterAbort);
      watch();

      const consume = async (): Promise<void> => {
        for await (const response of way(request, inner.signal)) {
          if (inner.signal.aborted) return;
          if (!heard) {
            heard = true;
            onHeard();
            this.#greet(name);
            if (inner.signal.aborted) return;
          }
          watch();
          // The owner may pause or stop from inside of its call.
          const isLast = this.#call.take(response);
          if (inner.signal.aborted) return;
          if (isLast) return settle({ kind: "finished" });
        }
        if (inner.signal.aborted) return;
        if (this.#call.isBudgetSpent()) return settle({ kind: "step_budget" });
        lose(new ConnectError("the stream ended before the episode did", Code.Unavailable));
      };
      consume().catch((reason: unknown) => {
        if (!inner.signal.aborted) lose(reason);
      });
    });
  }

  /** The first message of a stream is there. */
  #greet(name: StreamTransportName): void {
    this.#attempt = 0;
    if (name !== this.#preferred) this.#memory.remember(this.#server, name);
    this.#preferred = name;
    this.#proven = true;
    const now = this.#connection;
    if (now.kind !== "connected" || now.transport !== name) this.#setConnection({ kind: "connected", transport: name });
  }

  #judge(reason: unknown, heard: boolean, silent: boolean): StreamEnd {
    const error = describeError(reason);
    if (error.retryable) return { kind: "lost", error, heard, silent };
    // A request that was changed is asked again over the same way.
    if (this.#call.amend(error)) return { kind: "lost", error, heard: true, silent: false };
    return { kind: "refused", error };
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#endWait = undefined;
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener("abort", done);
      this.#endWait = done;
    });
  }
}

function onHidden(listener: () => void): () => void {
  return onVisibility("hidden", listener);
}

function onShown(listener: () => void): () => void {
  return onVisibility("visible", listener);
}

function onVisibility(state: DocumentVisibilityState, listener: () => void): () => void {
  const page = globalThis.document;
  const look = (): void => {
    if (page.visibilityState === state) listener();
  };
  page?.addEventListener("visibilitychange", look);
  return () => page?.removeEventListener("visibilitychange", look);
}
