"use client";

import { Moon, Sun } from "lucide-react";
import { useTheme } from "next-themes";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";

/** Changes between dark and light. Both icons are rendered and CSS picks one, so that server and client agree before the theme is known. */
export function ThemeToggle({ className }: { className?: string }) {
  const { resolvedTheme, setTheme } = useTheme();
  return (
    <Tooltip text="Dark or light" side="bottom">
      <Button
        variant="ghost"
        size="icon"
        aria-label="Change between dark and light"
        className={className}
        onClick={() => setTheme(resolvedTheme === "light" ? "dark" : "light")}
      >
        <Moon className="hidden dark:block" />
        <Sun className="dark:hidden" />
      </Button>
    </Tooltip>
  );
}
