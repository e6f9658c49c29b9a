"use client";

import { Check, Copy } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { cn } from "@/lib/class-names";
import type { Drawing } from "./drawing";
import { drawingText, readDrawingText } from "./drawing-text";

type TextPanelProps = { drawing: Drawing; onDrawing: (drawing: Drawing, edit: string) => void };

/** The drawing as rows of text, to be taken away and to be pasted. */
export function TextPanel({ drawing, onDrawing }: TextPanelProps) {
  const ids = useId();
  /** What a person typed or pasted; undefined while the text is that of the drawing. */
  const [typed, setTyped] = useState<string>();
  const [copied, setCopied] = useState<"copied" | "refused">();
  const own = drawingText(drawing);
  const text = typed ?? own;
  const read = typed === undefined ? undefined : readDrawingText(typed);
  const take = () => {
    if (read?.drawing === undefined) return;
    onDrawing(read.drawing, "read text");
    setTyped(undefined);
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("copied");
    } catch {
      setCopied("refused");
    }
  };
  return (
    <div className="space-y-2">
      <Label htmlFor={`${ids}-rows`}>
        One line a row: <span className="figure">#</span> wall, <span className="figure">.</span> path,{" "}
        <span className="figure">S</span> start, <span className="figure">G</span> goal
      </Label>
      <textarea
        id={`${ids}-rows`}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        wrap="off"
        rows={Math.min(14, drawing.rows + 1)}
        value={text}
        aria-invalid={read?.problems !== undefined}
        aria-describedby={`${ids}-problems`}
        onChange={(event) => {
          setCopied(undefined);
          setTyped(event.target.value === own ? undefined : event.target.value);
        }}
        className="figure scroll-thin block w-full resize-y rounded-small border bg-raised p-2 text-text leading-[1.15] tracking-[0.15em] hover:border-line-strong aria-invalid:border-danger max-md:text-[16px]"
      />
      <div id={`${ids}-problems`} role="status" className="text-sub">
        {read?.problems === undefined ? null : (
          <ul className="space-y-0.5 text-danger">
            {read.problems.map(({ line, message }) => (
              <li key={`${line} ${message}`}>
                {line > 0 ? <span className="figure">Line {line}: </span> : null}
                {message}
              </li>
            ))}
          </ul>
        )}
        {copied === undefined ? null : (
          <p className={cn(copied === "refused" ? "text-warn" : "text-text-3")}>
            {copied === "copied"
              ? "The rows are on the clipboard."
              : "The browser keeps the clipboard to itself: copy the text from the field."}
          </p>
        )}
      </div>
      <div className="flex gap-2">
        <Button variant="primary" className="flex-1" disabled={read?.drawing === undefined} onClick={take}>
          Draw this
        </Button>
        {typed === undefined ? null : <Button onClick={() => setTyped(undefined)}>Back to the drawing</Button>}
        <Button onClick={() => void copy()}>
          {copied === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          Copy
        </Button>
      </div>
    </div>
  );
}
