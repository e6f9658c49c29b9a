"use client";

import { Slot } from "radix-ui";
import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

type Side = "top" | "right" | "bottom" | "left";

type TooltipProps = {
  text: ReactNode;
  shortcut?: string;
  side?: Side;
  children: ReactNode;
};

/** How long a pointer rests on a control before its words come; right after another tooltip they come at once. */
const DELAY_MS = 400;
/** How long they stay without a pointer on the control or on themselves. */
const GRACE_MS = 120;
const GAP = 6;
const MARGIN = 8;

let lastHiddenAt = 0;

/** Shows words, and the key that does the same, beside a control that has an accessible name of its own. */
export function Tooltip({ text, shortcut, side = "top", children }: TooltipProps) {
  const id = useId();
  const [anchor, setAnchor] = useState<Element>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const later = (ms: number, next: Element | undefined) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setAnchor(next), ms);
  };
  const hide = () => {
    clearTimeout(timer.current);
    if (anchor === undefined) return;
    lastHiddenAt = Date.now();
    setAnchor(undefined);
  };
  useEffect(() => {
    if (anchor === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") setAnchor(undefined);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [anchor]);

  return (
    <>
      <Slot.Root
        {...(anchor === undefined ? {} : { "aria-describedby": id })}
        onPointerEnter={(event) => {
          if (event.pointerType === "touch") return;
          later(Date.now() - lastHiddenAt < 300 ? 0 : DELAY_MS, event.currentTarget);
        }}
        onPointerLeave={() => {
          if (anchor !== undefined) lastHiddenAt = Date.now();
          later(anchor === undefined ? 0 : GRACE_MS, undefined);
        }}
        onPointerDown={hide}
        onFocus={(event) => {
          // A click gives the focus too, and needs no explanation any more.
          if (event.currentTarget.matches(":focus-visible")) setAnchor(event.currentTarget);
        }}
        onBlur={hide}
      >
        {children}
      </Slot.Root>
      {anchor === undefined
        ? null
        : createPortal(
            <Bubble
              id={id}
              anchor={anchor}
              side={side}
              onStay={() => clearTimeout(timer.current)}
              onLeave={() => later(GRACE_MS, undefined)}
            >
              {text}
              {shortcut === undefined ? null : (
                <kbd className="figure rounded border px-1 text-meta text-text-3">{shortcut}</kbd>
              )}
            </Bubble>,
            document.body,
          )}
    </>
  );
}

type BubbleProps = {
  id: string;
  anchor: Element;
  side: Side;
  onStay: () => void;
  onLeave: () => void;
  children: ReactNode;
};

function Bubble({ id, anchor, side, onStay, onLeave, children }: BubbleProps) {
  const bubble = useRef<HTMLDivElement>(null);
  // Written before the browser paints; state would paint it once in the wrong place.
  useLayoutEffect(() => {
    const { current: box } = bubble;
    if (box === null) return;
    const { left, top } = placeBeside(anchor.getBoundingClientRect(), box.getBoundingClientRect(), side, {
      width: window.innerWidth,
      height: window.innerHeight,
    });
    box.style.left = `${left}px`;
    box.style.top = `${top}px`;
  });
  return (
    <div
      ref={bubble}
      id={id}
      role="tooltip"
      data-slot="tooltip"
      onPointerEnter={onStay}
      onPointerLeave={onLeave}
      className="fixed z-50 flex w-max max-w-64 animate-fade-in items-center gap-2 rounded-small border border-line-strong bg-raised px-2 py-1 text-sub text-text shadow-overlay"
    >
      {children}
    </div>
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const opposite: Readonly<Record<Side, Side>> = { top: "bottom", bottom: "top", left: "right", right: "left" };

/** Where a box goes beside an anchor: on the wanted side, on the other one where there is more room, and always inside the window. */
export function placeBeside(
  anchor: Pick<DOMRect, "left" | "top" | "right" | "bottom">,
  box: Size,
  side: Side,
  view: Size,
): { left: number; top: number } {
  const room: Record<Side, number> = {
    top: anchor.top - box.height,
    bottom: view.height - anchor.bottom - box.height,
    left: anchor.left - box.width,
    right: view.width - anchor.right - box.width,
  };
  const at = room[side] < GAP + MARGIN && room[opposite[side]] > room[side] ? opposite[side] : side;
  const middle = {
    left: (anchor.left + anchor.right - box.width) / 2,
    top: (anchor.top + anchor.bottom - box.height) / 2,
  };
  const wanted = {
    top: { ...middle, top: anchor.top - GAP - box.height },
    bottom: { ...middle, top: anchor.bottom + GAP },
    left: { ...middle, left: anchor.left - GAP - box.width },
    right: { ...middle, left: anchor.right + GAP },
  }[at];
  const inside = (value: number, length: number, all: number) =>
    Math.max(MARGIN, Math.min(value, all - MARGIN - length));
  return {
    left: inside(wanted.left, box.width, view.width),
    top: inside(wanted.top, box.height, view.height),
  };
}
