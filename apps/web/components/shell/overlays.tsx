"use client";

import dynamic from "next/dynamic";
import { useCallback, useEffect, useRef } from "react";
import { openOverlay, useOverlay } from "./overlay";
import { belongsToTarget } from "./page-keys";

const loadPalette = () => import("./command-palette").then((module) => module.CommandPalette);
const CommandPalette = dynamic(loadPalette, { ssr: false });
const HelpSheet = dynamic(() => import("./help-sheet").then((module) => module.HelpSheet), { ssr: false });

/** The command palette and the help sheet of every page: their keys, and themselves once they are asked for. */
export function Overlays() {
  const open = useOverlay();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.altKey) return;
      // The first half of Ctrl-K: by its second half the palette is here.
      if (event.key === "Control" || event.key === "Meta") void loadPalette();
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        // Browsers search the web with it.
        event.preventDefault();
        openOverlay("palette");
      } else if (event.key === "?" && !event.ctrlKey && !event.metaKey && !belongsToTarget(event.target, "?")) {
        event.preventDefault();
        openOverlay("help");
      }
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
  const typed = useTypedAhead(open === "palette");
  const close = () => openOverlay(undefined);
  if (open === "palette") return <CommandPalette typedAhead={typed} onClose={close} />;
  if (open === "help") return <HelpSheet onClose={close} />;
  return null;
}

/** Keeps what a quick hand types before the palette has come: else it would be taken for keys of the page. */
function useTypedAhead(opening: boolean): () => string {
  const typed = useRef("");
  useEffect(() => {
    if (!opening) return;
    typed.current = "";
    const onKeyDown = (event: KeyboardEvent) => {
      if (document.querySelector("[data-slot=palette]") !== null) return;
      if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      typed.current += event.key;
    };
    window.addEventListener("keydown", onKeyDown, { capture: true });
    return () => window.removeEventListener("keydown", onKeyDown, { capture: true });
  }, [opening]);
  return useCallback(() => typed.current, []);
}
