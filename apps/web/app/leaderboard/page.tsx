import type { Metadata } from "next";
import { Toaster } from "@/components/ui/toaster";
import { LeaderboardPage } from "@/features/leaderboard/leaderboard-page";
import { queryText } from "@/lib/query-text";

export const metadata: Metadata = {
  title: "Leaderboard",
  description:
    "Models and baselines on the same mazes: success with its interval, path efficiency, steps, and where each of them failed.",
};

export default async function Page({ searchParams }: PageProps<"/leaderboard">) {
  return (
    <>
      <LeaderboardPage query={queryText(await searchParams)} />
      <Toaster />
    </>
  );
}
