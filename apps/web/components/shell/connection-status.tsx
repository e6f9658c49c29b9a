"use client";

import { RotateCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { connectionWord, type ServerConnection } from "@/lib/server-connection";
import { useServerConnection } from "./connection-provider";

const ConnectionDetails = dynamic(() => import("./connection-details").then((module) => module.ConnectionDetails), {
  ssr: false,
});

const dotColour = { connected: "text-ok", reconnecting: "text-warn animate-status-pulse", disconnected: "text-danger" };

/** The words and the dot, without behaviour. */
export function ConnectionWords({ state }: { state: ServerConnection["state"] }) {
  return (
    <>
      {/* A phone has room for the state only; a reader hears both everywhere. */}
      <span className="max-md:sr-only">Python + Go Backend </span>
      <span data-slot="connection-dot" className={cn("inline-block text-[10px]", dotColour[state])}>
        ●
      </span>{" "}
      {connectionWord(state)}
    </>
  );
}

/** The header's connection status; more about the server opens on a click. */
export function ConnectionStatus() {
  const { connection, retryNow } = useServerConnection();
  const [open, setOpen] = useState(false);
  const pill = useRef<HTMLButtonElement>(null);
  return (
    <div className="flex min-w-0 items-center gap-2">
      {connection.state === "connected" || connection.first ? null : (
        <Button size="sm" className="max-md:hidden" onClick={retryNow}>
          <RotateCw />
          Retry now
        </Button>
      )}
      <button
        ref={pill}
        type="button"
        data-testid="connection-status"
        data-state-word={connection.state}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen((before) => !before)}
        className="flex h-8 min-w-0 items-center justify-center whitespace-nowrap rounded-full border bg-raised px-3 text-sub text-text transition-colors md:min-w-60 hover:border-line-strong max-md:h-11 max-md:px-2.5"
      >
        <span className="truncate">
          <ConnectionWords state={connection.state} />
        </span>
      </button>
      {open ? <ConnectionDetails anchor={pill} connection={connection} onClose={() => setOpen(false)} /> : null}
      <span role="status" className="sr-only">
        {`Backend ${connectionWord(connection.state).replace("...", "")}`}
      </span>
    </div>
  );
}
