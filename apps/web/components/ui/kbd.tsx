import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

/** A key of the keyboard. */
export function Kbd({ className, ...props }: ComponentProps<"kbd">) {
  return (
    <kbd
      data-slot="kbd"
      className={cn("figure min-w-6 rounded border bg-raised px-1.5 text-center text-sub text-text-2", className)}
      {...props}
    />
  );
}
