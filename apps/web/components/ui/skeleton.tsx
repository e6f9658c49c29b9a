import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

/** A grey stand-in of the size of what is on its way. Screen readers hear the busy region around it instead. */
export function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return (
    <div
      data-slot="skeleton"
      aria-hidden="true"
      className={cn("animate-status-pulse rounded-small bg-active", className)}
      {...props}
    />
  );
}
