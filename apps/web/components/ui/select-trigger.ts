/** The look of a closed select. */
export const selectTrigger =
  "flex h-8 w-full min-w-0 items-center justify-between gap-2 rounded-control border bg-raised px-2.5 text-left text-sub text-text transition-colors hover:border-line-strong disabled:opacity-45 data-[placeholder]:text-text-3 max-md:h-11 [&>span]:min-w-0 [&>span]:truncate";
