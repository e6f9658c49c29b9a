"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode, RefObject } from "react";
import { Button } from "@/components/ui/button";
import { Popover, PopoverAnchor, PopoverContent } from "@/components/ui/popover-open";
import { cn } from "@/lib/class-names";
import { milliseconds } from "@/lib/format";
import { statusQuery } from "@/lib/queries";
import type { ServerConnection } from "@/lib/server-connection";

type ConnectionDetailsProps = {
  anchor: RefObject<HTMLButtonElement | null>;
  connection: ServerConnection;
  onClose: () => void;
};

/** Why the connection is as the header says, and the few facts one asks for first. */
export function ConnectionDetails({ anchor, connection, onClose }: ConnectionDetailsProps) {
  const { data: status } = useQuery(statusQuery);
  return (
    <Popover open onOpenChange={(open) => (open ? undefined : onClose())}>
      <PopoverAnchor virtualRef={anchor as RefObject<HTMLButtonElement>} />
      <PopoverContent
        align="end"
        aria-label="Backend"
        className="space-y-3"
        onInteractOutside={(event) => {
          // The pill itself closes by its own click.
          if (event.target instanceof Node && anchor.current?.contains(event.target)) event.preventDefault();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          anchor.current?.focus();
        }}
      >
        <p className="text-body">{connection.detail}</p>
        {status && connection.state === "connected" ? (
          <dl className="space-y-1 text-sub">
            {status.stores.map((store) => (
              <Fact key={store.name} term={store.name === "postgresql" ? "PostgreSQL" : "MongoDB"}>
                <span className={cn(store.up ? "text-ok" : "text-danger")}>
                  {store.up ? `up, ${milliseconds(store.latencyMs)}` : "down"}
                </span>
              </Fact>
            ))}
            <Fact term="One step, p95">{status.stepLatency ? milliseconds(status.stepLatency.p95Ms) : "–"}</Fact>
            <Fact term="Live streams">{status.liveStreams}</Fact>
          </dl>
        ) : null}
        <Button asChild size="sm" className="w-full">
          <Link href="/status" prefetch={false} onClick={onClose}>
            Open status
          </Link>
        </Button>
      </PopoverContent>
    </Popover>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4">
      <dt className="text-text-2">{term}</dt>
      <dd className="figure">{children}</dd>
    </div>
  );
}
