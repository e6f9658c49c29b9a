import type { Metadata } from "next";
import { connection } from "next/server";
import { preconnect } from "react-dom";
import { GpuPage } from "@/features/gpu/gpu-page";
import { publicServerUrl } from "@/server/public-server-url";

export const metadata: Metadata = {
  title: "GPU",
  description:
    "Utilisation, memory, temperature and power of the trainer's GPUs, live, beside the training that runs on them.",
};

export default async function Page() {
  // The addresses are those of the running process, not of the build.
  await connection();
  const serverUrl = publicServerUrl();
  preconnect(serverUrl, { crossOrigin: "anonymous" });
  return <GpuPage publicServerUrl={serverUrl} />;
}
