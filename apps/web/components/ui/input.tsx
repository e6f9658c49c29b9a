import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return (
    <input
      data-slot="input"
      className={cn(
        "figure h-8 w-full min-w-0 rounded-small border bg-raised px-2.5 text-sub text-text placeholder:text-text-3 hover:border-line-strong disabled:opacity-45 aria-invalid:border-danger max-md:h-11 max-md:text-[16px]",
        className,
      )}
      {...props}
    />
  );
}
