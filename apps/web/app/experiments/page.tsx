import type { Metadata } from "next";
import { ExperimentsPage } from "@/features/experiments/experiments-page";
import { queryText } from "@/lib/query-text";

export const metadata: Metadata = {
  title: "Experiments",
  description: "Every training run that MLflow keeps: filter, sort, and choose up to eight to compare.",
};

export default async function Page({ searchParams }: PageProps<"/experiments">) {
  return <ExperimentsPage query={queryText(await searchParams)} />;
}
