import { connection } from "next/server";
import { preconnect } from "react-dom";
import { InferencePage } from "@/features/inference/inference-page";
import { firstAnswers } from "@/server/first-answers";
import { publicServerUrl } from "@/server/public-server-url";

export default async function Page() {
  // The addresses are those of the running process, not of the build.
  await connection();
  const serverUrl = publicServerUrl();
  // The first stream is asked for as soon as the page runs; the connection may stand by then.
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <InferencePage publicServerUrl={serverUrl} first={await firstAnswers()} />;
}
