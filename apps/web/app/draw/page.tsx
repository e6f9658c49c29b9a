import type { Metadata } from "next";
import { connection } from "next/server";
import { preconnect } from "react-dom";
import { DrawPage } from "@/features/draw/draw-page";
import { publicServerUrl } from "@/server/public-server-url";

export const metadata: Metadata = {
  title: "Draw",
  description: "Draw a maze of your own and let any policy find its way through it.",
};

export default async function Page() {
  // The addresses are those of the running process, not of the build.
  await connection();
  const serverUrl = publicServerUrl();
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <DrawPage publicServerUrl={serverUrl} />;
}
