"use client";

import { Slot } from "radix-ui";
import { type ComponentProps, createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import type * as Open from "./popover-open";

/** A popover is its trigger until somebody presses it; what places it is loaded when a pointer or the focus comes near. See `select.tsx`. */
interface Lazy {
  readonly real: typeof Open | undefined;
  readonly open: () => void;
}

const Context = createContext<Lazy | null>(null);

function useLazy(): Lazy {
  const lazy = useContext(Context);
  if (lazy === null) throw new Error("this part of a popover needs a Popover around it");
  return lazy;
}

const load = () => import("./popover-open");
const preload = () => void load();

export function Popover({ children }: { children: ReactNode }) {
  const [real, setReal] = useState<typeof Open>();
  const [isOpen, setOpen] = useState(false);
  const open = useCallback(() => {
    load().then(
      (module) => {
        setReal(() => module);
        setOpen(true);
      },
      // The network is away: the next press tries again.
      () => {},
    );
  }, []);
  const lazy = useMemo(() => ({ real, open }), [real, open]);
  const inside = <Context.Provider value={lazy}>{children}</Context.Provider>;
  if (real === undefined) return inside;
  return (
    <real.Popover open={isOpen} onOpenChange={setOpen}>
      {inside}
    </real.Popover>
  );
}

export function PopoverTrigger({ asChild = false, ...props }: ComponentProps<typeof Open.PopoverTrigger>) {
  const { real, open } = useLazy();
  if (real !== undefined) return <real.PopoverTrigger asChild={asChild} {...props} />;
  const Trigger = asChild ? Slot.Root : "button";
  return (
    <Trigger
      type="button"
      aria-haspopup="dialog"
      aria-expanded={false}
      {...props}
      onPointerEnter={(event) => {
        props.onPointerEnter?.(event);
        preload();
      }}
      onFocus={(event) => {
        props.onFocus?.(event);
        preload();
      }}
      onClick={(event) => {
        props.onClick?.(event);
        open();
      }}
    />
  );
}

export function PopoverContent(props: ComponentProps<typeof Open.PopoverContent>) {
  const { real } = useLazy();
  return real === undefined ? null : <real.PopoverContent {...props} />;
}
