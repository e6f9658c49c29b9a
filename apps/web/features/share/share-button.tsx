"use client";

import { Share2 } from "lucide-react";
import dynamic from "next/dynamic";
import { type ComponentProps, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import type { ShareSubject } from "./share-subject";

// Pictures and animations are made by code that few visitors need.
const ShareDialog = dynamic(() => import("./share-dialog").then((module) => module.ShareDialog), { ssr: false });

type ShareButtonProps = {
  /** Read when the dialog opens: what is shown then is what is shared. Undefined while there is nothing to share. */
  subject: () => ShareSubject | undefined;
  /** Called before, to hold a picture that moves. */
  onOpen?: () => void;
  /** Only its sign, where there is little room. */
  compact?: boolean;
  disabled?: boolean;
  className?: string;
} & Pick<ComponentProps<typeof Button>, "variant" | "size">;

/** Opens the dialog that makes a link, a picture or an animation of what is shown. */
export function ShareButton({ subject, onOpen, compact = false, disabled, className, ...look }: ShareButtonProps) {
  const [shared, setShared] = useState<ShareSubject>();
  const open = () => {
    onOpen?.();
    setShared(subject());
  };
  useEffect(() => {
    openers.add(open);
    return () => {
      openers.delete(open);
    };
  });
  const button = (
    <Button
      {...look}
      {...(compact ? { size: look.size ?? "icon", "aria-label": "Share" } : {})}
      className={cn(className)}
      aria-haspopup="dialog"
      aria-expanded={shared !== undefined}
      disabled={disabled}
      onClick={open}
    >
      <Share2 aria-hidden="true" />
      {compact ? null : "Share"}
    </Button>
  );
  return (
    <>
      <Tooltip text="Link, picture or animation of this moment">{button}</Tooltip>
      {shared === undefined ? null : <ShareDialog subject={shared} onClose={() => setShared(undefined)} />}
    </>
  );
}

const openers = new Set<() => void>();

/** Opens the dialog of the share button that is on the page, for keys and commands. */
export function openShare(): void {
  for (const open of [...openers].slice(0, 1)) open();
}
