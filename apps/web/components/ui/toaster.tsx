"use client";

import { useTheme } from "next-themes";
import { Toaster as Sonner } from "sonner";

/** The one place where toasts appear. */
export function Toaster() {
  const { resolvedTheme } = useTheme();
  return (
    <Sonner
      theme={resolvedTheme === "light" ? "light" : "dark"}
      position="bottom-right"
      mobileOffset={{ bottom: 72 }}
      toastOptions={{
        style: {
          background: "var(--raised)",
          border: "1px solid var(--line-strong)",
          color: "var(--text)",
          fontFamily: "var(--font-sans)",
          boxShadow: "var(--shadow)",
        },
      }}
    />
  );
}
