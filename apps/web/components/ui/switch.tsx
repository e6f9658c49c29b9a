import { Switch as SwitchPrimitive } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

export function Switch({ className, ...props }: ComponentProps<typeof SwitchPrimitive.Root>) {
  return (
    <SwitchPrimitive.Root
      data-slot="switch"
      className={cn(
        "relative inline-flex h-4 w-7 shrink-0 items-center rounded-full border border-line-strong bg-active transition-colors after:absolute after:-inset-3.5 data-[state=checked]:border-accent data-[state=checked]:bg-accent disabled:opacity-45",
        className,
      )}
      {...props}
    >
      <SwitchPrimitive.Thumb className="block size-3 translate-x-px rounded-full bg-text transition-transform data-[state=checked]:translate-x-[13px] data-[state=checked]:bg-accent-ink" />
    </SwitchPrimitive.Root>
  );
}
