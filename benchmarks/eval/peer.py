"""The peer of ``eval``: our own Gymnasium environment and ONNX Runtime from Python, one observation a call, as an evaluation loop is usually written.

Prints one JSON object: wall and CPU seconds of one evaluation, episodes, successes, steps and SPL.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peer"))
import numpy as np
import onnxruntime
from session import open_session

from rlmaze_env.maze import Maze
from rlmaze_env.maze_env import MazeEnv
from rlmaze_env.mazeset import load_set

WARM_UP = 20  # mazes, in which numba compiles or loads what it has compiled


def evaluate(session: onnxruntime.InferenceSession, env: MazeEnv, mazes: Sequence[Maze]) -> tuple[int, int, float]:
    """Plays every maze once, greedily; returns successes, steps and SPL."""
    successes, steps, spl = 0, 0, []
    for maze in mazes:
        observation, _ = env.reset(options={"maze": maze})
        ended = False
        while not ended:
            (scores,) = session.run(["action_scores"], {"observation": observation[None]})
            observation, _, terminated, truncated, info = env.step(np.argmax(scores[0]))
            ended = terminated or truncated
        successes += terminated
        steps += info["steps"]
        spl.append(terminated * maze.shortest_path / max(maze.shortest_path, info["steps"]))
    return successes, steps, math.fsum(spl) / len(mazes)


def main(model: str, observation: str, set_id: str) -> None:
    session, env = open_session(model), MazeEnv(observation=observation)
    mazes = load_set(set_id).mazes
    evaluate(session, env, mazes[:WARM_UP])
    wall, cpu = time.perf_counter(), time.process_time()
    successes, steps, spl = evaluate(session, env, mazes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    report = {"wall_s": wall, "cpu_s": cpu, "episodes": len(mazes), "successes": successes, "steps": steps, "spl": spl}
    print(json.dumps(report | {"version": onnxruntime.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
