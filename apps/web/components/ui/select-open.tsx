import { Check, ChevronDown, ChevronUp } from "lucide-react";
import { Select as SelectPrimitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/class-names";
import { selectTrigger } from "./select-trigger";

/** The working select. The page loads it with the first click on one; see `select.tsx`. */
export const Select = SelectPrimitive.Root;
export const SelectGroup = SelectPrimitive.Group;
export const SelectValue = SelectPrimitive.Value;

export function SelectTrigger({ className, children, ...props }: ComponentProps<typeof SelectPrimitive.Trigger>) {
  return (
    <SelectPrimitive.Trigger data-slot="select-trigger" className={cn(selectTrigger, className)} {...props}>
      {children}
      <SelectPrimitive.Icon asChild>
        <ChevronDown className="size-4 shrink-0 text-text-3" />
      </SelectPrimitive.Icon>
    </SelectPrimitive.Trigger>
  );
}

type SelectContentProps = ComponentProps<typeof SelectPrimitive.Content> & { isOpen?: boolean };

export function SelectContent({ className, children, isOpen = true, ...props }: SelectContentProps) {
  return (
    <SelectPrimitive.Portal>
      {/* While it is open the rest of the page is hidden from readers, so it is a modal dialog and says so. */}
      <div
        className="fixed top-0 left-0 z-50 size-px"
        {...(isOpen ? { role: "dialog", "aria-modal": true, "aria-label": "Choices" } : {})}
      >
        <SelectPrimitive.Content
          data-slot="select-content"
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className={cn(
            "z-50 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) max-w-[min(440px,calc(100vw-16px))] animate-appear overflow-hidden rounded-control border border-line-strong bg-raised shadow-overlay",
            className,
          )}
          {...props}
        >
          <SelectPrimitive.ScrollUpButton className="flex h-6 items-center justify-center text-text-3">
            <ChevronUp className="size-4" />
          </SelectPrimitive.ScrollUpButton>
          <SelectPrimitive.Viewport className="p-1">{children}</SelectPrimitive.Viewport>
          <SelectPrimitive.ScrollDownButton className="flex h-6 items-center justify-center text-text-3">
            <ChevronDown className="size-4" />
          </SelectPrimitive.ScrollDownButton>
        </SelectPrimitive.Content>
      </div>
    </SelectPrimitive.Portal>
  );
}

type SelectItemProps = ComponentProps<typeof SelectPrimitive.Item> & { detail?: ReactNode };

/** One choice; `detail` is a second line that stays out of the trigger. */
export function SelectItem({ className, children, detail, ...props }: SelectItemProps) {
  return (
    <SelectPrimitive.Item
      data-slot="select-item"
      className={cn(
        "relative flex min-h-8 cursor-default select-none flex-col justify-center rounded-small py-1 pr-8 pl-2 text-sub outline-none data-[disabled]:opacity-50 data-[highlighted]:bg-active max-md:min-h-11",
        className,
      )}
      {...props}
      // The second line belongs to the name: without this only the first one would.
      aria-labelledby={undefined}
    >
      <SelectPrimitive.ItemText>{children}</SelectPrimitive.ItemText>
      {detail === undefined ? null : <span className="text-meta text-text-3">{detail}</span>}
      <SelectPrimitive.ItemIndicator className="absolute top-1/2 right-2 -translate-y-1/2">
        <Check className="size-4 text-accent" />
      </SelectPrimitive.ItemIndicator>
    </SelectPrimitive.Item>
  );
}

export function SelectLabel({ className, ...props }: ComponentProps<typeof SelectPrimitive.Label>) {
  return <SelectPrimitive.Label className={cn("px-2 py-1 text-meta text-text-3", className)} {...props} />;
}
