import type { Metadata } from "next";
import { TrainingPage } from "@/features/training/training-page";

export const metadata: Metadata = {
  title: "Training",
  description: "Train a policy from the browser and watch it learn to solve mazes.",
};

type PageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function Page({ searchParams }: PageProps) {
  const { from } = await searchParams;
  return <TrainingPage key={String(from ?? "")} cloneOf={typeof from === "string" ? from : ""} />;
}
