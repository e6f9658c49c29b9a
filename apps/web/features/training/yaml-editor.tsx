import { CircleAlert } from "lucide-react";
import { useId, useRef } from "react";
import { cn } from "@/lib/class-names";
import type { ConfigFault } from "./config-text";

type YamlEditorProps = {
  text: string;
  faults: readonly ConfigFault[];
  onChange: (text: string) => void;
};

/** The configuration as the text that is sent, with its faults at their lines. */
export function YamlEditor({ text, faults, onChange }: YamlEditorProps) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split("\n");
  const wrong = new Map(faults.map((fault) => [fault.line, fault]));
  const goTo = (line: number) => {
    const { current } = area;
    if (current === null) return;
    const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    current.focus();
    current.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  };
  return (
    <div className="space-y-2">
      <div className="scroll-thin grid max-h-[56dvh] min-h-64 grid-cols-[auto_minmax(0,1fr)] overflow-auto rounded-control border bg-bg focus-within:border-accent">
        <ol aria-hidden="true" className="figure select-none border-r bg-panel py-2 text-right text-meta text-text-3">
          {lines.map((_, at) => {
            const fault = wrong.get(at + 1);
            return (
              // A line is its number.
              // biome-ignore lint/suspicious/noArrayIndexKey: as above.
              <li key={at} className={cn("h-5 px-2 leading-5", fault && "bg-danger/15 font-medium text-danger")}>
                {at + 1}
              </li>
            );
          })}
        </ol>
        <textarea
          ref={area}
          aria-label="Configuration as YAML"
          aria-invalid={faults.length > 0}
          aria-describedby={`${id}-faults`}
          value={text}
          rows={lines.length}
          wrap="off"
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          className="figure w-full resize-none overflow-x-auto overflow-y-hidden bg-transparent px-3 py-2 text-sub leading-5 text-text outline-none max-md:text-[16px]"
          onChange={(event) => onChange(event.target.value)}
        />
      </div>
      <div id={`${id}-faults`}>
        {faults.length === 0 ? (
          <p className="text-meta text-text-3">
            Exactly this text is sent. Comments are kept; what is left out has its default.
          </p>
        ) : (
          <ul className="space-y-0.5">
            {faults.map((fault) => (
              <li key={`${fault.line} ${fault.path.join(".")} ${fault.message}`}>
                <button
                  type="button"
                  onClick={() => goTo(fault.line)}
                  className="flex items-baseline gap-2 text-left text-sub text-danger hover:underline max-md:min-h-11"
                >
                  <CircleAlert className="size-3.5 shrink-0 translate-y-0.5" aria-hidden="true" />
                  <span>
                    <span className="figure">Line {fault.line}</span>
                    {fault.path.length === 0 ? "" : `, ${fault.path.join(".")}`}: {fault.message}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
