import { Dialog, DialogContent, DialogDescription, DialogTitle } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { collectPageKeys, keyName, type PageKey } from "./page-keys";

const everywhere: readonly PageKey[] = [
  { keys: ["ctrl k"], does: "Command palette", group: "Everywhere" },
  { keys: ["?"], does: "This sheet", group: "Everywhere" },
  { keys: ["escape"], does: "Close what is open", group: "Everywhere" },
];

/** The keyboard map of the page that is open. */
export function HelpSheet({ onClose }: { onClose: () => void }) {
  const groups = grouped([...collectPageKeys(), ...everywhere]);
  return (
    <Dialog open onOpenChange={onClose}>
      <DialogContent
        className="w-[640px] outline-none"
        onOpenAutoFocus={(event) => {
          // It is there to be read; the first thing to press would be its end.
          event.preventDefault();
          (event.currentTarget as HTMLElement).focus();
        }}
      >
        <DialogTitle>Keyboard</DialogTitle>
        <DialogDescription>
          A control that has the focus keeps its own keys. With the maze focused, the arrow keys read out its cells.
        </DialogDescription>
        <div className="mt-4 gap-x-8 md:columns-2">
          {groups.map(([name, keys]) => (
            <div key={name} role="group" aria-label={name} className="mb-4 break-inside-avoid">
              <h3 className="mb-1 text-sub text-text-3">{name}</h3>
              <dl className="text-body">
                {keys.map(({ keys: names, does }) => (
                  <div key={does} className="flex items-center justify-between gap-4 border-t py-1.5 first:border-t-0">
                    <dt className="text-text-2">{does}</dt>
                    <dd className="flex shrink-0 gap-1">
                      {names.map((key) => (
                        <Kbd key={key}>{keyName(key)}</Kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </div>
          ))}
        </div>
      </DialogContent>
    </Dialog>
  );
}

/** Keys by heading, the headings in the order in which they first appear. */
function grouped(keys: readonly PageKey[]): readonly (readonly [string, readonly PageKey[]])[] {
  const groups = new Map<string, PageKey[]>();
  for (const key of keys) {
    const name = key.group ?? "This page";
    groups.set(name, [...(groups.get(name) ?? []), key]);
  }
  return [...groups];
}
