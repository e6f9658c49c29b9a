"use client";

import { useQuery } from "@tanstack/react-query";
import { useServerConnection } from "@/components/shell/connection-provider";
import { statusQuery } from "@/lib/queries";
import { StatusPageView } from "./status-page-view";

/** How the Go server is; the question is asked every few seconds by the header anyway. */
export function StatusPage() {
  const status = useQuery(statusQuery);
  const { connection, retryNow } = useServerConnection();
  return (
    <StatusPageView
      status={status.data}
      readAt={status.dataUpdatedAt}
      error={status.isError ? status.error : null}
      connection={connection}
      onRetry={retryNow}
    />
  );
}
