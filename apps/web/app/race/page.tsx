import type { Metadata } from "next";
import { connection } from "next/server";
import { preconnect } from "react-dom";
import { RacePage } from "@/features/race/race-page";
import { firstAnswers } from "@/server/first-answers";
import { publicServerUrl } from "@/server/public-server-url";

export const metadata: Metadata = {
  title: "Race",
  description: "Up to four reinforcement-learning policies and baselines race through one maze, step by step.",
};

export default async function Page() {
  // The addresses are those of the running process, not of the build.
  await connection();
  const serverUrl = publicServerUrl();
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <RacePage publicServerUrl={serverUrl} first={await firstAnswers()} />;
}
