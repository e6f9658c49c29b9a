import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { GetStatusResponseSchema, SystemService } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import type { Metadata, Viewport } from "next";
import localFont from "next/font/local";
import { headers } from "next/headers";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { Navigation } from "@/components/shell/navigation";
import { Providers } from "@/components/shell/providers";
import { goClient } from "@/server/go-server";
import "./globals.css";

const geist = localFont({
  src: "../node_modules/@fontsource-variable/geist/files/geist-latin-wght-normal.woff2",
  variable: "--font-geist",
  weight: "100 900",
  display: "swap",
});

const geistMono = localFont({
  src: "../node_modules/@fontsource-variable/geist-mono/files/geist-mono-latin-wght-normal.woff2",
  variable: "--font-geist-mono",
  weight: "100 900",
  display: "swap",
});

export const metadata: Metadata = {
  title: { default: "RL Maze", template: "%s · RL Maze" },
  description: "Watch a reinforcement-learning agent find its way through a maze it has never seen.",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  viewportFit: "cover",
  themeColor: [
    { media: "(prefers-color-scheme: dark)", color: "#101217" },
    { media: "(prefers-color-scheme: light)", color: "#ffffff" },
  ],
};

/** The header is right on the first paint when the Go server answers in time; otherwise the browser asks. */
const FIRST_STATUS_TIMEOUT_MS = 500;

async function firstStatus(): Promise<JsonValue | undefined> {
  try {
    const status = await goClient(SystemService).getStatus({}, { timeoutMs: FIRST_STATUS_TIMEOUT_MS });
    return toJson(GetStatusResponseSchema, status);
  } catch {
    return undefined;
  }
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  await connection();
  const [status, requestHeaders] = await Promise.all([firstStatus(), headers()]);
  const nonce = requestHeaders.get("x-nonce") ?? undefined;
  return (
    // next-themes writes the class of the theme before React starts.
    <html lang="en" suppressHydrationWarning className={`${geist.variable} ${geistMono.variable}`}>
      <body>
        <Providers
          {...(nonce === undefined ? {} : { nonce })}
          {...(status === undefined ? {} : { firstStatus: status })}
        >
          <div className="flex h-dvh overflow-hidden max-md:flex-col">
            <Navigation />
            <div className="flex min-h-0 min-w-0 flex-1 flex-col">{children}</div>
          </div>
        </Providers>
      </body>
    </html>
  );
}
