"use client";

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ServerState } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { statusQuery } from "@/lib/queries";
import { type ServerConnection, serverConnection } from "@/lib/server-connection";

/** The stream of the page that is open, if it has one. */
export interface StreamConnection {
  readonly state: ConnectionState;
  readonly retryNow: () => void;
}

interface ConnectionContext {
  readonly connection: ServerConnection;
  readonly retryNow: () => void;
  /** Since when the server that answers now has answered, milliseconds since the epoch; 0 while it never was away. What was read before is stale. */
  readonly answeringSince: number;
  readonly report: (stream: StreamConnection | undefined) => void;
}

const Context = createContext<ConnectionContext | null>(null);

function subscribeOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Knows whether the server can be reached, for every page. */
export function ConnectionProvider({ children }: { children: ReactNode }) {
  const [stream, setStream] = useState<StreamConnection>();
  const status = useQuery(statusQuery);
  const online = useSyncExternalStore(
    subscribeOnline,
    () => navigator.onLine,
    () => true,
  );
  const { refetch } = status;
  const ok = status.isSuccess ? true : status.isError ? false : undefined;
  const failures = useFailuresInARow(status.errorUpdateCount, ok);
  const draining = ok === true && status.data?.state === ServerState.DRAINING;
  const connection = useMemo(
    () => serverConnection(stream?.state, { ok, failures, online, draining }),
    [stream, ok, failures, online, draining],
  );
  const startedAt = status.data?.startedAt;
  const answeringSince = useAnsweringSince(ok, startedAt === undefined ? undefined : timestampMs(startedAt));
  const retryNow = useCallback(() => {
    stream?.retryNow();
    void refetch();
  }, [stream, refetch]);
  const value = useMemo(
    () => ({ connection, retryNow, answeringSince, report: setStream }),
    [connection, retryNow, answeringSince],
  );
  return <Context value={value}>{children}</Context>;
}

/** Failed questions since the last answer, from the count of all failed ones. */
function useFailuresInARow(failed: number, ok: boolean | undefined): number {
  const [failedBefore, setFailedBefore] = useState(0);
  if (ok === true && failedBefore !== failed) setFailedBefore(failed);
  return failed - failedBefore;
}

/**
 * Notices when the server is back, or is another process than before, and reads again whatever was read from the one before.
 * @returns when that was, milliseconds since the epoch; 0 while it never was.
 */
function useAnsweringSince(ok: boolean | undefined, startedAt: number | undefined): number {
  const queryClient = useQueryClient();
  const [known, setKnown] = useState({ ok, startedAt, since: 0 });
  const back = ok === true && known.ok === false;
  const replaced =
    ok === true && startedAt !== undefined && known.startedAt !== undefined && startedAt !== known.startedAt;
  // A question that is asked again without ever having had an answer is undecided again: nothing new is known by it.
  if (ok !== undefined && (known.ok !== ok || (ok && known.startedAt !== startedAt))) {
    setKnown({
      ok,
      startedAt: ok ? startedAt : known.startedAt,
      since: back || replaced ? Date.now() : known.since,
    });
  }
  const { since } = known;
  useEffect(() => {
    if (since === 0) return;
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== statusQuery.queryKey[0] });
  }, [since, queryClient]);
  return since;
}

/** The connection as the header shows it. */
export function useServerConnection(): Omit<ConnectionContext, "report"> {
  const context = useContext(Context);
  if (context === null) throw new Error("useServerConnection needs a ConnectionProvider above it");
  return context;
}

/** Tells the header about the stream of this page while the page is open. */
export function useReportStream(stream: StreamConnection): void {
  const context = useContext(Context);
  const report = context?.report;
  useEffect(() => report?.(stream), [report, stream]);
  useEffect(() => () => report?.(undefined), [report]);
}
