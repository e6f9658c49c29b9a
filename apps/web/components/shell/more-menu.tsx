"use client";

import { Command as CommandIcon } from "lucide-react";
import Link from "next/link";
import type { RefObject } from "react";
import { Popover, PopoverAnchor, PopoverContent } from "@/components/ui/popover-open";
import { leavePage } from "@/lib/address";
import { cn } from "@/lib/class-names";
import { openOverlay } from "./overlay";
import { placeLines } from "./place-lines";
import { places } from "./places";

type MoreMenuProps = {
  anchor: RefObject<HTMLButtonElement | null>;
  pathname: string;
  onClose: () => void;
};

const row = "flex min-h-11 w-full items-center gap-3 rounded-control px-3 py-1.5 text-left text-body";

/** What the bar at the bottom of a phone has no room for. */
export function MoreMenu({ anchor, pathname, onClose }: MoreMenuProps) {
  return (
    <Popover open onOpenChange={(open) => (open ? undefined : onClose())}>
      <PopoverAnchor virtualRef={anchor as RefObject<HTMLButtonElement>} />
      <PopoverContent
        align="end"
        side="top"
        aria-label="More pages"
        className="w-72 p-1.5"
        onInteractOutside={(event) => {
          if (event.target instanceof Node && anchor.current?.contains(event.target)) event.preventDefault();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          anchor.current?.focus();
        }}
      >
        <nav aria-label="More pages">
          {places
            .filter(({ more }) => more)
            .map(({ href, label, icon: Icon }) => {
              const current = pathname.startsWith(href);
              return (
                <Link
                  key={href}
                  href={href}
                  prefetch={false}
                  aria-current={current ? "page" : undefined}
                  onNavigate={leavePage}
                  onClick={onClose}
                  className={cn(row, current && "bg-active")}
                >
                  <Icon className={cn("size-4 shrink-0", current ? "text-accent" : "text-text-3")} aria-hidden="true" />
                  <span>
                    <span className="block font-medium">{label}</span>
                    <span className="block text-sub text-text-3">{placeLines[href]}</span>
                  </span>
                </Link>
              );
            })}
        </nav>
        <hr className="my-1.5" />
        <button
          type="button"
          onClick={() => {
            onClose();
            openOverlay("palette");
          }}
          className={row}
        >
          <CommandIcon className="size-4 shrink-0 text-text-3" aria-hidden="true" />
          All commands
        </button>
      </PopoverContent>
    </Popover>
  );
}
