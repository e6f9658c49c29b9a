"use client";

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { GetStatusResponseSchema } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { ThemeProvider } from "next-themes";
import { type ReactNode, useState } from "react";
import { BffError } from "@/lib/bff";
import { statusQuery } from "@/lib/queries";
import { ConnectionProvider } from "./connection-provider";
import { Overlays } from "./overlays";
import { VersionCheck } from "./version-check";

/** Tries again what may succeed without a change, twice; the rest is an answer. */
function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof BffError && error.retryable;
}

function newQueryClient(firstStatus: JsonValue | undefined): QueryClient {
  const client = new QueryClient({
    defaultOptions: { queries: { retry, retryDelay: (attempt) => 500 * 2 ** attempt, refetchOnWindowFocus: false } },
  });
  if (firstStatus !== undefined) {
    client.setQueryData(
      statusQuery.queryKey,
      fromJson(GetStatusResponseSchema, firstStatus, { ignoreUnknownFields: true }),
    );
  }
  return client;
}

type ProvidersProps = {
  /** Nonce of the Content Security Policy, for the script that sets the theme before the first paint. */
  nonce?: string;
  /** GetStatus as the server saw it while rendering, as protobuf JSON. */
  firstStatus?: JsonValue;
  children: ReactNode;
};

/** Everything that all pages share. */
export function Providers({ nonce, firstStatus, children }: ProvidersProps) {
  const [queryClient] = useState(() => newQueryClient(firstStatus));
  return (
    <ThemeProvider
      attribute="class"
      defaultTheme="dark"
      enableSystem
      disableTransitionOnChange
      {...(nonce === undefined ? {} : { nonce })}
    >
      <QueryClientProvider client={queryClient}>
        <ConnectionProvider>
          {children}
          <VersionCheck />
          <Overlays />
        </ConnectionProvider>
      </QueryClientProvider>
    </ThemeProvider>
  );
}
