"use client";

import { Command as CommandIcon, Moon, Sun } from "lucide-react";
import Link from "next/link";
import { useTheme } from "next-themes";
import type { ReactNode, RefObject } from "react";
import { Popover, PopoverAnchor, PopoverContent } from "@/components/ui/popover-open";
import { leavePage } from "@/lib/address";
import { cn } from "@/lib/class-names";
import { type Mode, modes } from "./modes";
import { openOverlay } from "./overlay";

type ModeMenuProps = {
  anchor: RefObject<HTMLButtonElement | null>;
  current: Mode;
  onClose: () => void;
};

const row = "flex min-h-11 w-full items-center gap-3 rounded-control px-3 py-1.5 text-left text-body";

/** What the name of the mode opens on a phone: the other modes, and what has no room in the header there. */
export function ModeMenu({ anchor, current, onClose }: ModeMenuProps) {
  const { resolvedTheme, setTheme } = useTheme();
  return (
    <Popover open onOpenChange={(open) => (open ? undefined : onClose())}>
      <PopoverAnchor virtualRef={anchor as RefObject<HTMLButtonElement>} />
      <PopoverContent
        align="start"
        aria-label="Modes and more"
        className="w-72 p-1.5"
        onInteractOutside={(event) => {
          if (event.target instanceof Node && anchor.current?.contains(event.target)) event.preventDefault();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          anchor.current?.focus();
        }}
      >
        <nav aria-label="Modes">
          {modes.map((mode) => {
            const Icon = mode.icon;
            const isCurrent = mode === current;
            return (
              <Link
                key={mode.href}
                href={mode.href}
                prefetch={false}
                aria-current={isCurrent ? "page" : undefined}
                onNavigate={leavePage}
                onClick={onClose}
                className={cn(row, isCurrent && "bg-active")}
              >
                <Icon className={cn("size-4 shrink-0", isCurrent ? "text-accent" : "text-text-3")} aria-hidden="true" />
                <span>
                  <span className="block font-medium">{mode.label}</span>
                  <span className="block text-sub text-text-3">{mode.line}</span>
                </span>
              </Link>
            );
          })}
        </nav>
        <hr className="my-1.5" />
        <Row
          icon={<CommandIcon />}
          onClick={() => {
            onClose();
            openOverlay("palette");
          }}
        >
          All commands
        </Row>
        <Row
          icon={resolvedTheme === "light" ? <Moon /> : <Sun />}
          onClick={() => setTheme(resolvedTheme === "light" ? "dark" : "light")}
        >
          {resolvedTheme === "light" ? "Dark theme" : "Light theme"}
        </Row>
      </PopoverContent>
    </Popover>
  );
}

function Row({ icon, onClick, children }: { icon: ReactNode; onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className={cn(row, "[&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-text-3")}>
      {icon}
      {children}
    </button>
  );
}
