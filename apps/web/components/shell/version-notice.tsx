"use client";

import { CircleArrowDown, CircleArrowUp } from "lucide-react";
import { Button } from "@/components/ui/button";
import type { ContractDifference } from "@/lib/contract-version";

type VersionNoticeProps = {
  difference: Exclude<ContractDifference, { kind: "same" }>;
  onGoOn: () => void;
  onReload: () => void;
};

/** Server and page were built from different contracts: says which is older, what to do, and lets one go on. */
export function VersionNotice({ difference, onGoOn, onReload }: VersionNoticeProps) {
  const newer = difference.kind === "server-newer";
  const Icon = newer ? CircleArrowUp : CircleArrowDown;
  return (
    // It lies over the page, so that nothing moves when it comes.
    <section
      role="status"
      aria-label="Version"
      data-testid="version-notice"
      className="fixed top-14 left-1/2 z-40 flex w-[560px] max-w-[calc(100vw-16px)] -translate-x-1/2 animate-appear-down gap-3 rounded-panel border border-line-strong bg-raised p-3 shadow-overlay max-md:top-16 max-md:flex-col"
    >
      <div className="flex min-w-0 flex-1 gap-3">
        <Icon className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden="true" />
        <div>
          <p className="font-medium text-body">
            {newer ? "The server is newer than this page" : "The server is older than this page"}
          </p>
          <p className="text-sub text-text-2">
            {newer
              ? "Reload to get the page that belongs to it. What is open here goes on working."
              : `${olderSentence(difference)} Start the server again from the same version as the page.`}
          </p>
        </div>
      </div>
      <div className="flex shrink-0 items-center gap-2 max-md:justify-end">
        <Button size="sm" onClick={onGoOn}>
          Go on
        </Button>
        {newer ? (
          <Button size="sm" variant="primary" onClick={onReload}>
            Reload
          </Button>
        ) : null}
      </div>
    </section>
  );
}

function olderSentence(difference: ContractDifference): string {
  if (difference.kind !== "server-older" || difference.missing.length === 0) return "Some calls are unknown to it.";
  return `It does not know ${difference.missing.join(", ")} yet; the rest works.`;
}
