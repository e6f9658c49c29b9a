import { Command as Palette } from "cmdk";
import {
  BrainCircuit,
  ChevronLeft,
  ChevronRight,
  CircleCheck,
  CornerDownRight,
  Gauge,
  Grid3x3,
  Keyboard,
  Layers,
  type LucideIcon,
  Monitor,
  Moon,
  PanelTop,
  Play,
  Share2,
  Sun,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { useTheme } from "next-themes";
import { Dialog as DialogPrimitive } from "radix-ui";
import { useEffect, useMemo, useRef, useState } from "react";
import { Kbd } from "@/components/ui/kbd";
import { leavePage } from "@/lib/address";
import { cn } from "@/lib/class-names";
import { score } from "./command-score";
import { type Command, type CommandGroup, collectCommands, commandGroups } from "./commands";
import { modes } from "./modes";
import { openOverlay } from "./overlay";
import { keyName } from "./page-keys";
import { placeLines } from "./place-lines";
import { places } from "./places";

const MOST_CHOICES = 60;

/** For commands that bring no picture of their own. */
const groupIcons: Readonly<Record<CommandGroup, LucideIcon>> = {
  Playback: Play,
  "Jump to": CornerDownRight,
  Speed: Gauge,
  Model: BrainCircuit,
  Maze: Grid3x3,
  View: Layers,
  Share: Share2,
  "Go to": PanelTop,
  Page: PanelTop,
};

type CommandPaletteProps = {
  /** What was typed while this was on its way. */
  typedAhead: () => string;
  onClose: () => void;
};

/** Everything that the page can do, found by typing. Opened commands (choose a model) replace the list. */
export function CommandPalette({ typedAhead, onClose }: CommandPaletteProps) {
  const shell = useShellCommands();
  // What the page offers is that of the moment of opening.
  const [commands] = useState(() => [...collectCommands(), ...shell]);
  const [opened, setOpened] = useState<Command>();
  const [query, setQuery] = useState(typedAhead);
  const shown = useShownCommands(commands, opened, query);

  const input = useRef<HTMLInputElement>(null);
  const leave = () => {
    setOpened(undefined);
    setQuery("");
    input.current?.focus();
  };
  const choose = (command: Command) => {
    if (command.choices !== undefined) {
      setOpened(command);
      setQuery("");
      // A click takes the focus from where one types.
      input.current?.focus();
      return;
    }
    onClose();
    // The dialog gives the focus back first; a command may move it.
    setTimeout(() => command.run?.(), 0);
  };

  return (
    <DialogPrimitive.Root open onOpenChange={onClose}>
      <DialogPrimitive.Portal>
        <DialogPrimitive.Overlay className="fixed inset-0 z-50 bg-overlay" />
        <DialogPrimitive.Content
          data-slot="palette"
          aria-describedby={undefined}
          onEscapeKeyDown={(event) => {
            if (opened === undefined) return;
            event.preventDefault();
            leave();
          }}
          className="fixed top-[12dvh] left-1/2 z-50 w-[600px] max-w-[calc(100vw-16px)] -translate-x-1/2 animate-appear-down overflow-hidden rounded-panel border border-line-strong bg-panel shadow-overlay max-md:top-2"
        >
          <DialogPrimitive.Title className="sr-only">Commands</DialogPrimitive.Title>
          <Palette
            label="Commands"
            loop
            filter={score}
            onKeyDown={(event) => {
              if (event.key === "Backspace" && query === "" && opened !== undefined) {
                event.preventDefault();
                leave();
              }
            }}
          >
            <div className="flex h-12 items-center gap-2 border-b px-3">
              {opened === undefined ? null : (
                <button
                  type="button"
                  onClick={leave}
                  className="flex h-7 shrink-0 items-center gap-1 rounded-small border bg-raised pr-2 pl-1 text-sub text-text-2 hover:border-line-strong max-md:h-11"
                >
                  <ChevronLeft className="size-4" aria-hidden="true" />
                  {opened.title.replace("…", "")}
                </button>
              )}
              <Palette.Input
                ref={input}
                value={query}
                onValueChange={setQuery}
                placeholder={opened === undefined ? "What do you want to do?" : "Type to find"}
                className="h-full min-w-0 flex-1 bg-transparent text-title outline-none placeholder:text-text-3"
              />
              <Kbd className="max-md:hidden">Esc</Kbd>
            </div>
            <Palette.List
              label="Commands"
              className="scroll-thin max-h-[min(60dvh,440px)] scroll-py-2 overflow-y-auto p-2"
            >
              {shown === undefined ? (
                <Palette.Loading className="p-3 text-body text-text-3">One moment</Palette.Loading>
              ) : (
                <>
                  <Palette.Empty className="p-3 text-body text-text-2">Nothing here is called that.</Palette.Empty>
                  {commandGroups.map((group) => (
                    <Group
                      key={group}
                      name={group}
                      titled={opened === undefined}
                      commands={shown.filter((command) => command.group === group)}
                      onChoose={choose}
                    />
                  ))}
                </>
              )}
            </Palette.List>
            <p
              className="flex h-9 items-center gap-4 border-t px-3 text-sub text-text-3 max-md:hidden"
              aria-hidden="true"
            >
              <span className="flex items-center gap-1">
                <Kbd>↑</Kbd>
                <Kbd>↓</Kbd> choose
              </span>
              <span className="flex items-center gap-1">
                <Kbd>Enter</Kbd> do it
              </span>
              {opened === undefined ? null : (
                <span className="flex items-center gap-1">
                  <Kbd>Esc</Kbd> back
                </span>
              )}
            </p>
          </Palette>
        </DialogPrimitive.Content>
      </DialogPrimitive.Portal>
    </DialogPrimitive.Root>
  );
}

type GroupProps = {
  name: string;
  titled: boolean;
  commands: readonly Command[];
  onChoose: (command: Command) => void;
};

function Group({ name, titled, commands, onChoose }: GroupProps) {
  if (commands.length === 0) return null;
  return (
    <Palette.Group
      {...(titled ? { heading: name } : {})}
      className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:text-text-3"
    >
      {commands.map((command) => (
        <Item key={command.id} command={command} onChoose={onChoose} />
      ))}
    </Palette.Group>
  );
}

function Item({ command, onChoose }: { command: Command; onChoose: (command: Command) => void }) {
  const Icon = command.icon ?? groupIcons[command.group];
  return (
    <Palette.Item
      value={command.id}
      keywords={[command.title, command.group, ...(command.words ?? [])]}
      disabled={command.disabled === true}
      onSelect={() => onChoose(command)}
      className="flex h-9 cursor-pointer select-none items-center gap-2.5 rounded-small px-2 text-body data-[disabled=true]:pointer-events-none data-[selected=true]:bg-active data-[disabled=true]:opacity-45 max-md:h-11"
    >
      <span className="grid size-4 shrink-0 place-items-center text-text-3">
        <Icon className="size-4" aria-hidden="true" />
      </span>
      <span className="min-w-0 flex-1 truncate">{command.title}</span>
      {command.note === undefined ? null : <span className="shrink-0 text-sub text-text-3">{command.note}</span>}
      {command.current ? (
        <span className="flex shrink-0 items-center gap-1 text-accent text-sub">
          <CircleCheck className="size-4" aria-hidden="true" />
          now
        </span>
      ) : null}
      {command.key === undefined ? null : <Kbd className={cn("shrink-0 max-md:hidden")}>{keyName(command.key)}</Kbd>}
      {command.choices === undefined ? null : (
        <ChevronRight className="size-4 shrink-0 text-text-3" aria-hidden="true" />
      )}
    </Palette.Item>
  );
}

/** The commands that are on offer now; undefined while choices are on their way. */
function useShownCommands(commands: readonly Command[], opened: Command | undefined, query: string) {
  const [choices, setChoices] = useState<{ of: Command; list: readonly Command[] }>();
  const [inner, setInner] = useState<readonly Command[]>([]);
  const searching = query.trim() !== "";

  useEffect(() => {
    if (opened?.choices === undefined) return;
    let left = false;
    void Promise.resolve(opened.choices())
      .catch(() => [])
      .then((list) => {
        if (!left) setChoices({ of: opened, list: list.slice(0, MOST_CHOICES) });
      });
    return () => {
      left = true;
    };
  }, [opened]);

  // Whoever types the name of a model finds it without opening "Model" first.
  useEffect(() => {
    if (!searching) return;
    let left = false;
    for (const command of commands) {
      if (command.choices === undefined) continue;
      void Promise.resolve(command.choices())
        .catch(() => [])
        .then((list) => {
          if (!left) setInner((before) => merged(before, command, list.slice(0, MOST_CHOICES)));
        });
    }
    return () => {
      left = true;
    };
  }, [commands, searching]);

  return useMemo(() => {
    if (opened !== undefined) return choices?.of === opened ? choices.list : undefined;
    return searching ? [...commands, ...inner] : commands;
  }, [opened, choices, searching, commands, inner]);
}

function merged(before: readonly Command[], parent: Command, list: readonly Command[]): readonly Command[] {
  const known = new Set(before.map(({ id }) => id));
  const title = parent.title.replace("…", "");
  return [
    ...before,
    ...list
      .map((choice) => ({ ...choice, id: `${parent.id}/${choice.id}`, title: `${title} › ${choice.title}` }))
      .filter(({ id }) => !known.has(id)),
  ];
}

/** What can be done on every page. */
function useShellCommands(): readonly Command[] {
  const router = useRouter();
  const { theme, setTheme } = useTheme();
  const go = (href: string, label: string, line: string, icon: Command["icon"]): Command => ({
    id: `go ${href}`,
    group: "Go to",
    title: label,
    words: [line, "open", "page", "mode"],
    note: line,
    ...(icon === undefined ? {} : { icon }),
    current: location.pathname === href,
    run: () => {
      leavePage();
      router.push(href);
    },
  });
  const turn = (name: string, title: string, icon: Command["icon"]): Command => ({
    id: `theme ${name}`,
    group: "Page",
    title,
    words: ["theme", "colours", "appearance"],
    ...(icon === undefined ? {} : { icon }),
    current: theme === name,
    run: () => setTheme(name),
  });
  return [
    ...modes.map(({ href, label, line, icon }) => go(href, label, line, icon)),
    ...places
      .filter(({ href }) => href !== "/")
      .map(({ href, label, icon }) => go(href, label, placeLines[href] ?? "", icon)),
    turn("dark", "Dark theme", Moon),
    turn("light", "Light theme", Sun),
    turn("system", "Theme of this device", Monitor),
    {
      id: "help",
      group: "Page",
      title: "Keyboard help",
      words: ["shortcuts", "keys"],
      icon: Keyboard,
      key: "?",
      run: () => openOverlay("help"),
    },
  ];
}
