import type { Metadata } from "next";
import { connection } from "next/server";
import { preconnect } from "react-dom";
import { DifferencePage } from "@/features/difference/difference-page";
import { firstAnswers } from "@/server/first-answers";
import { publicServerUrl } from "@/server/public-server-url";

export const metadata: Metadata = {
  title: "Differences",
  description: "Where two reinforcement-learning policies choose differently in a maze, and who is right.",
};

export default async function Page() {
  // The addresses are those of the running process, not of the build.
  await connection();
  const serverUrl = publicServerUrl();
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <DifferencePage publicServerUrl={serverUrl} first={await firstAnswers()} />;
}
