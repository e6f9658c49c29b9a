import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

/** The policies that were not learned, strongest last, with what each of them goes by. */
export const baselines = [
  { baseline: Baseline.RANDOM, title: "Random", knows: "throws a die at every step" },
  { baseline: Baseline.WALL_FOLLOWER, title: "Wall follower", knows: "keeps its right hand on the wall" },
  {
    baseline: Baseline.LEAST_RECENTLY_VISITED,
    title: "Least recently visited",
    knows: "goes where it has not been for longest",
  },
  { baseline: Baseline.TRAIL_HEURISTIC, title: "Trail heuristic", knows: "the same, and walks to a goal in view" },
  { baseline: Baseline.MEMORY_HEURISTIC, title: "Memory heuristic", knows: "the same, and leaves out dead ends" },
  { baseline: Baseline.NEAREST_FRONTIER, title: "Nearest frontier", knows: "plans on a map of all it has seen" },
  { baseline: Baseline.SHORTEST_PATH, title: "Shortest path", knows: "knows the whole maze; nothing is shorter" },
] as const;
