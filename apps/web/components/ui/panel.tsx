import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

/** A bordered surface; the unit that the pages are laid out from. */
export function Panel({ className, ...props }: ComponentProps<"section">) {
  return (
    <section
      data-slot="panel"
      className={cn("flex min-h-0 min-w-0 flex-col overflow-hidden rounded-panel border bg-panel", className)}
      {...props}
    />
  );
}

export function PanelHead({ className, ...props }: ComponentProps<"div">) {
  return (
    <div
      data-slot="panel-head"
      className={cn("flex min-h-10 shrink-0 items-center justify-between gap-3 border-b px-3", className)}
      {...props}
    />
  );
}

export function PanelTitle({ className, ...props }: ComponentProps<"h2">) {
  return <h2 data-slot="panel-title" className={cn("truncate font-semibold text-body", className)} {...props} />;
}

export function PanelBody({ className, ...props }: ComponentProps<"div">) {
  return <div data-slot="panel-body" className={cn("min-h-0 flex-1 p-3", className)} {...props} />;
}
