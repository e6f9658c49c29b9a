"use client";

import { type KeptChoices, useKept } from "@/lib/use-kept";
import { openedLink, settingsWith } from "./opened-link";
import { type InferenceSettings, SETTINGS_KEY } from "./settings";

const kept: KeptChoices<InferenceSettings> = {
  key: SETTINGS_KEY,
  parse: (text) => settingsWith(text, openedLink(window.location.search)),
  write: (settings) => JSON.stringify(settings),
};

/** What this browser kept, with what the address asks for in its place. Undefined until the browser has taken over from the server. */
export function useSettings() {
  return useKept(kept);
}
