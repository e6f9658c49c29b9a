import { Check, Copy, Link2 } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";

/** How long the button says that the link was copied. */
const COPIED_MS = 2_500;

/** The link as text, and a button that copies it. Where the browser refuses the clipboard the text is selected, ready for its own copy command. */
export function ShareLink({ url }: { url: string }) {
  const ids = useId();
  const field = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<"copied" | "refused">();
  useEffect(() => {
    if (outcome !== "copied") return;
    const timer = setTimeout(() => setOutcome(undefined), COPIED_MS);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      setOutcome("copied");
    } catch {
      setOutcome("refused");
      field.current?.focus();
      field.current?.select();
    }
  };

  return (
    <div className="space-y-1.5">
      <Label htmlFor={`${ids}-link`} className="flex items-center gap-1.5">
        <Link2 className="size-3.5" aria-hidden="true" />
        Link
      </Label>
      <div className="flex gap-2">
        <Input
          ref={field}
          id={`${ids}-link`}
          readOnly
          value={url}
          aria-describedby={`${ids}-said`}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button variant="primary" className="w-28" onClick={() => void copy()}>
          {outcome === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          {outcome === "copied" ? "Copied" : "Copy link"}
        </Button>
      </div>
      <p id={`${ids}-said`} role="status" className="text-meta text-text-3">
        {outcome === "copied"
          ? "The link is on the clipboard."
          : outcome === "refused"
            ? "The browser keeps the clipboard to itself: the link is selected, copy it from here."
            : "It opens this model, maze, seed and step for everyone who reaches this server."}
      </p>
    </div>
  );
}
