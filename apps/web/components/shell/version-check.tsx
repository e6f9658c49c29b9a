"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import { contractDifference, pageContract } from "@/lib/contract-version";
import { statusQuery } from "@/lib/queries";

const VersionNotice = dynamic(() => import("./version-notice").then((module) => module.VersionNotice), { ssr: false });

const KEY = "rlmaze.version-seen";

function seenBefore(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Compares the contract of the server that answers with the page's own, and tells once per tab when they differ. */
export function VersionCheck() {
  const { data: status } = useQuery(statusQuery);
  const [, setSeen] = useState("");
  if (status === undefined) return null;
  const difference = contractDifference(status.contractVersion);
  const pair = `${status.contractVersion} ${pageContract}`;
  if (difference.kind === "same" || typeof window === "undefined" || seenBefore() === pair) return null;
  return (
    <VersionNotice
      difference={difference}
      onReload={() => location.reload()}
      onGoOn={() => {
        try {
          sessionStorage.setItem(KEY, pair);
        } catch {
          // Without storage it comes again with the next page.
        }
        setSeen(pair);
      }}
    />
  );
}
