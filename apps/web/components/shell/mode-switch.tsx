"use client";

import { ChevronDown } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useRef, useState } from "react";
import { leavePage } from "@/lib/address";
import { cn } from "@/lib/class-names";
import { type Mode, modes } from "./modes";

const ModeMenu = dynamic(() => import("./mode-menu").then((module) => module.ModeMenu), { ssr: false });

/** The modes beside one another; on a phone the name of the current one, which opens the others. */
export function ModeSwitch({ current }: { current: Mode }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <nav aria-label="Modes" className="flex h-8 items-stretch rounded-control border bg-bg p-0.5 max-md:hidden">
        {modes.map((mode) => (
          <Link
            key={mode.href}
            href={mode.href}
            prefetch={false}
            onNavigate={leavePage}
            aria-current={mode === current ? "page" : undefined}
            title={mode.line}
            className={cn(
              "flex items-center whitespace-nowrap rounded-small px-2.5 text-body transition-colors",
              mode === current ? "bg-active font-medium text-text" : "text-text-3 hover:text-text",
            )}
          >
            {mode.label}
          </Link>
        ))}
      </nav>
      <button
        ref={button}
        type="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`${current.label}, menu`}
        onClick={() => setOpen((before) => !before)}
        className="flex h-11 shrink-0 items-center gap-1 rounded-control px-2 font-semibold text-title text-text md:hidden"
      >
        {current.label}
        <ChevronDown className="size-4 text-text-3" aria-hidden="true" />
      </button>
      {open ? <ModeMenu anchor={button} current={current} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
