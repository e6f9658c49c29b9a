"use client";

import { ChevronDown } from "lucide-react";
import { type ComponentProps, createContext, useCallback, useContext, useMemo, useState } from "react";
import { cn } from "@/lib/class-names";
import type * as Open from "./select-open";
import { selectTrigger } from "./select-trigger";

/**
 * A select is a button until somebody reaches for it. The list, its placing and its keys are a tenth of a page's JavaScript; they are
 * loaded when a pointer or the focus comes near, and take over with the first click.
 */
interface Lazy {
  /** The working select, once it was asked for. */
  readonly real: typeof Open | undefined;
  readonly disabled: boolean;
  /** It is open, or about to be. */
  readonly opening: boolean;
  readonly open: () => void;
}

const Context = createContext<Lazy | null>(null);

function useLazy(): Lazy {
  const lazy = useContext(Context);
  if (lazy === null) throw new Error("this part of a select needs a Select around it");
  return lazy;
}

const load = () => import("./select-open");
const preload = () => void load();

export function Select({ children, ...props }: Omit<ComponentProps<typeof Open.Select>, "open" | "onOpenChange">) {
  const [real, setReal] = useState<typeof Open>();
  const [isOpen, setOpen] = useState(false);
  const open = useCallback(() => {
    setOpen(true);
    load().then(
      (module) => setReal(() => module),
      // The network is away: the button stays a button, and the next click tries again.
      () => setOpen(false),
    );
  }, []);
  const disabled = props.disabled === true;
  const lazy = useMemo(() => ({ real, disabled, opening: isOpen, open }), [real, disabled, isOpen, open]);
  const inside = <Context.Provider value={lazy}>{children}</Context.Provider>;
  if (real === undefined) return inside;
  return (
    <real.Select {...props} open={isOpen} onOpenChange={setOpen}>
      {inside}
    </real.Select>
  );
}

export function SelectTrigger({ className, children, ...props }: ComponentProps<typeof Open.SelectTrigger>) {
  const { real, disabled, opening, open } = useLazy();
  if (real !== undefined) {
    return (
      <real.SelectTrigger className={className} {...props}>
        {children}
      </real.SelectTrigger>
    );
  }
  return (
    <button
      type="button"
      role="combobox"
      aria-expanded={false}
      aria-haspopup="listbox"
      aria-busy={opening}
      data-slot="select-trigger"
      data-state="closed"
      disabled={disabled}
      className={cn(selectTrigger, className)}
      {...props}
      onPointerEnter={preload}
      onFocus={preload}
      onClick={open}
      onKeyDown={(event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        open();
      }}
    >
      {children}
      <ChevronDown className="size-4 shrink-0 text-text-3" aria-hidden="true" />
    </button>
  );
}

/** What is chosen, in words: always given by whoever uses it, because a select that was never opened does not know its list. */
export function SelectValue({ children }: { children: ComponentProps<"span">["children"] }) {
  const { real } = useLazy();
  return real === undefined ? <span>{children}</span> : <real.SelectValue>{children}</real.SelectValue>;
}

export function SelectContent(props: Omit<ComponentProps<typeof Open.SelectContent>, "isOpen">) {
  const { real, opening } = useLazy();
  return real === undefined ? null : <real.SelectContent {...props} isOpen={opening} />;
}

export function SelectGroup(props: ComponentProps<typeof Open.SelectGroup>) {
  const { real } = useLazy();
  return real === undefined ? null : <real.SelectGroup {...props} />;
}

/** One choice; `detail` is a second line that stays out of the trigger. */
export function SelectItem(props: ComponentProps<typeof Open.SelectItem>) {
  const { real } = useLazy();
  return real === undefined ? null : <real.SelectItem {...props} />;
}

export function SelectLabel(props: ComponentProps<typeof Open.SelectLabel>) {
  const { real } = useLazy();
  return real === undefined ? null : <real.SelectLabel {...props} />;
}
