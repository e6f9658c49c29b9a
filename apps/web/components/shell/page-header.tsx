"use client";

import { Keyboard, Search } from "lucide-react";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { ConnectionStatus } from "./connection-status";
import { ModeSwitch } from "./mode-switch";
import { modeAt } from "./modes";
import { openOverlay } from "./overlay";
import { ThemeToggle } from "./theme-toggle";

type PageHeaderProps = {
  /** Name of the page. Where the address is that of a mode, the modes stand in its place. */
  title: string;
  /** What the page works on, beside its title. */
  children?: ReactNode;
  /** Actions of this page, before those of every page. */
  actions?: ReactNode;
  /** On a phone the children take the place of the title. */
  replaceTitle?: boolean;
};

/** The header of a page: where one is at the left, how the backend is at the right. */
export function PageHeader({ title, children, actions, replaceTitle = false }: PageHeaderProps) {
  const mode = modeAt(usePathname() ?? "");
  return (
    <header className="flex h-12 shrink-0 items-center justify-between gap-3 border-b bg-panel px-2 max-md:h-14 max-md:gap-1.5">
      <div className="flex min-w-0 flex-1 items-center gap-3 max-md:gap-1">
        {mode === undefined ? null : <ModeSwitch current={mode} />}
        <h1
          className={cn(
            "px-2 text-body text-text-2",
            mode !== undefined && "sr-only",
            replaceTitle && "max-md:sr-only",
            !children && "font-semibold text-text",
          )}
        >
          {mode?.label ?? title}
        </h1>
        {children}
      </div>
      <div className="flex min-w-0 shrink-0 items-center gap-2">
        <ConnectionStatus />
        {actions}
        <Button
          aria-keyshortcuts="Control+K Meta+K"
          className="px-2 text-text-3 max-md:hidden"
          onClick={() => openOverlay("palette")}
        >
          <Search />
          <span className="max-xl:sr-only">Commands</span>
          <Kbd aria-hidden="true" className="text-text-3 max-lg:hidden">
            Ctrl K
          </Kbd>
        </Button>
        <Tooltip text="Keyboard" shortcut="?" side="bottom">
          <Button
            variant="ghost"
            size="icon"
            aria-label="Keyboard shortcuts"
            className="max-lg:hidden"
            onClick={() => openOverlay("help")}
          >
            <Keyboard />
          </Button>
        </Tooltip>
        <ThemeToggle className="max-md:hidden" />
      </div>
    </header>
  );
}
