import { ToggleGroup } from "radix-ui";
import { cn } from "@/lib/class-names";

type SegmentedProps<Value extends string> = {
  label: string;
  value: Value | "";
  options: readonly { value: Value; label: string; name?: string }[];
  onChange: (value: Value) => void;
  className?: string;
};

/** A row of choices of which exactly one holds. An empty value shows none as chosen. */
export function Segmented<Value extends string>({ label, value, options, onChange, className }: SegmentedProps<Value>) {
  return (
    <ToggleGroup.Root
      data-slot="segmented"
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        const option = options.find((candidate) => candidate.value === next);
        if (option !== undefined) onChange(option.value);
      }}
      className={cn("inline-flex h-8 items-stretch rounded-control border bg-bg p-0.5 max-md:h-11", className)}
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          aria-label={option.name ?? option.label}
          className="figure flex-auto whitespace-nowrap rounded-small px-2.5 text-sub text-text-3 transition-colors hover:text-text data-[state=on]:bg-active data-[state=on]:font-medium data-[state=on]:text-text"
        >
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
