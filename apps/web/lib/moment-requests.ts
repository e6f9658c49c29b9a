import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PolicyRefSchema, SamplingSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { Maze, MazeRefSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { MomentPolicy, MomentSampling } from "./moment-link";

/** How the contract names a maze: by its id, or cell by cell when it is a drawn one, which has none. */
export function mazeRefOf(maze: Pick<Maze, "mazeId" | "rows">): MessageInitShape<typeof MazeRefSchema> {
  return maze.mazeId === ""
    ? { maze: { case: "drawn", value: { rows: [...maze.rows] } } }
    : { maze: { case: "mazeId", value: maze.mazeId } };
}

/** How the contract names who acts. */
export function policyRefOf(policy: MomentPolicy): MessageInitShape<typeof PolicyRefSchema> {
  return "modelId" in policy
    ? { policy: { case: "modelId", value: policy.modelId } }
    : { policy: { case: "baseline", value: policy.baseline } };
}

/** How the contract names the way actions are taken. */
export function samplingMessageOf(sampling: MomentSampling): MessageInitShape<typeof SamplingSchema> {
  return sampling === "greedy"
    ? { sampling: { case: "greedy", value: {} } }
    : { sampling: { case: "softmax", value: { temperature: sampling.temperature } } };
}
