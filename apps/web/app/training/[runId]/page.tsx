import type { Metadata } from "next";
import { connection } from "next/server";
import { preconnect } from "react-dom";
import { RunPage } from "@/features/training/run-page";
import { publicServerUrl } from "@/server/public-server-url";

type PageProps = { params: Promise<{ runId: string }> };

export async function generateMetadata({ params }: PageProps): Promise<Metadata> {
  const { runId } = await params;
  return { title: `Training ${runId}` };
}

export default async function Page({ params }: PageProps) {
  // The addresses are those of the running process, not of the build.
  await connection();
  const { runId } = await params;
  const serverUrl = publicServerUrl();
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <RunPage key={runId} runId={runId} publicServerUrl={serverUrl} />;
}
