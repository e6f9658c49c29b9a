"use client";

import { Ellipsis } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { Tooltip } from "@/components/ui/tooltip";
import { arriveAtPage, leavePage } from "@/lib/address";
import { cn } from "@/lib/class-names";
import { modeAt } from "./modes";
import type { MoreMenu } from "./more-menu";
import { places } from "./places";

/** The rail at the left; on a phone the bar at the bottom. */
export function Navigation() {
  const pathname = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new address is an arrival.
  useEffect(arriveAtPage, [pathname]);
  return (
    <nav
      aria-label="Pages"
      className="flex shrink-0 border-line bg-panel max-md:order-last max-md:mt-auto max-md:h-[calc(56px+env(safe-area-inset-bottom))] max-md:border-t max-md:pb-[env(safe-area-inset-bottom)] md:w-14 md:flex-col md:items-center md:gap-2 md:border-r md:py-2"
    >
      <Link
        href="/"
        prefetch={false}
        aria-label="RL Maze"
        className="mb-2 grid size-9 place-items-center max-md:hidden"
      >
        <Mark />
      </Link>
      {places.map(({ href, label, icon: Icon, more }) => {
        const current = href === "/" ? modeAt(pathname) !== undefined : pathname.startsWith(href);
        return (
          <Tooltip key={href} text={label} side="right">
            <Link
              href={href}
              prefetch={false}
              onNavigate={leavePage}
              aria-current={current ? "page" : undefined}
              className={cn(
                "flex items-center justify-center rounded-control transition-colors max-md:h-full max-md:flex-1 max-md:flex-col max-md:gap-0.5 max-md:rounded-none md:size-10",
                more && "max-md:hidden",
                current ? "text-accent md:bg-active" : "text-text-3 hover:text-text md:hover:bg-raised",
              )}
            >
              <Icon className="size-5" aria-hidden="true" />
              <span className="text-sub md:sr-only">{label}</span>
            </Link>
          </Tooltip>
        );
      })}
      <More pathname={pathname} />
    </nav>
  );
}

/** On a phone: the pages that the bar has no room for. */
function More({ pathname }: { pathname: string }) {
  const [open, setOpen] = useState(false);
  const [Menu, setMenu] = useState<typeof MoreMenu>();
  const button = useRef<HTMLButtonElement>(null);
  const toggle = () => {
    setOpen(!open);
    // Loaded by the press; while the network is away the next press tries again.
    if (Menu === undefined)
      import("./more-menu").then(
        (module) => setMenu(() => module.MoreMenu),
        () => setOpen(false),
      );
  };
  const current = places.find(({ href, more }) => more && pathname.startsWith(href));
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={toggle}
        className={cn(
          "flex h-full flex-1 flex-col items-center justify-center gap-0.5 md:hidden",
          current === undefined ? "text-text-3" : "text-accent",
        )}
      >
        <Ellipsis className="size-5" aria-hidden="true" />
        <span className="text-sub">{current?.label ?? "More"}</span>
      </button>
      {open && Menu !== undefined ? <Menu anchor={button} pathname={pathname} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" className="size-9" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <path
        d="M8 24V8h16v16M8 24h10M13 13.5v5.5h6v-5.5"
        fill="none"
        stroke="var(--accent-ink)"
        strokeWidth="2.4"
        strokeLinecap="square"
      />
      <circle cx="24" cy="24" r="3" fill="var(--accent-ink)" />
    </svg>
  );
}
