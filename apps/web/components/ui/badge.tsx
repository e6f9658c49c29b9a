import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

const badgeVariants = cva(
  "inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded-full border px-2 text-meta font-medium [&_svg]:size-3",
  {
    variants: {
      tone: {
        plain: "border-line bg-raised text-text-2",
        accent: "border-transparent bg-accent-soft text-accent",
        ok: "border-ok/35 text-ok",
        warn: "border-warn/40 text-warn",
        danger: "border-danger/40 text-danger",
      },
    },
    defaultVariants: { tone: "plain" },
  },
);

export function Badge({ className, tone, ...props }: ComponentProps<"span"> & VariantProps<typeof badgeVariants>) {
  return <span data-slot="badge" className={cn(badgeVariants({ tone }), className)} {...props} />;
}
