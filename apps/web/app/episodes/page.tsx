import type { Metadata } from "next";
import { EpisodesPage } from "@/features/episodes/episodes-page";
import { queryText } from "@/lib/query-text";

export const metadata: Metadata = {
  title: "Episodes",
  description: "Every finished episode: who ran where and how it ended. Each can be run again and proven.",
};

export default async function Page({ searchParams }: PageProps<"/episodes">) {
  return <EpisodesPage query={queryText(await searchParams)} />;
}
