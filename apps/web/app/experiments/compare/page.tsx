import type { Metadata } from "next";
import { Toaster } from "@/components/ui/toaster";
import { ComparePage } from "@/features/experiments/compare-page";
import { queryText } from "@/lib/query-text";

export const metadata: Metadata = {
  title: "Compare runs",
  description: "Up to eight training runs beside one another: curves, parameters, configurations.",
};

export default async function Page({ searchParams }: PageProps<"/experiments/compare">) {
  return (
    <>
      <ComparePage query={queryText(await searchParams)} />
      <Toaster />
    </>
  );
}
