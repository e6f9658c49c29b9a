import type { Metadata } from "next";
import { Toaster } from "@/components/ui/toaster";
import { ModelsPage } from "@/features/models/models-page";

export const metadata: Metadata = { title: "Models" };

export default function Page() {
  return (
    <>
      <ModelsPage />
      <Toaster />
    </>
  );
}
