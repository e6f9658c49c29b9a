import type { ReactNode } from "react";
import { cn } from "@/lib/class-names";

type NoticeProps = {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  tone?: "plain" | "warn" | "danger";
  /** What the title is; the heading of the page where the notice is all there is. Default p. */
  as?: "p" | "h1";
  className?: string;
};

const toneText = { plain: "text-text-3", warn: "text-warn", danger: "text-danger" };

/** What a region shows instead of its content: empty, broken, away. Says what happened and what can be done. */
export function Notice({ icon, title, children, actions, tone = "plain", as: Title = "p", className }: NoticeProps) {
  return (
    <div
      data-slot="notice"
      className={cn("flex h-full flex-col items-center justify-center gap-2 p-6 text-center", className)}
    >
      <span className={cn("[&_svg]:size-6", toneText[tone])}>{icon}</span>
      <Title className="font-semibold text-title">{title}</Title>
      {children === undefined ? null : <div className="max-w-[42ch] text-body text-text-2">{children}</div>}
      {actions === undefined ? null : <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
