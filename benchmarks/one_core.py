"""What the benchmarks that step and train share: one core, and the stock environments that they are compared with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ml"))

from env_step.plain_maze_env import PlainMazeEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from rlmaze_env.maze import Maze
from rlmaze_env.trail import trail_ages

SB3 = f"SB3 {version('stable-baselines3')}"
STOCK_ENVIRONMENTS = 8  # more of them change nothing: they are stepped one after the other


def stay_on_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def stock_environments(mazes: Sequence[Maze], observation: str) -> DummyVecEnv:
    """Returns SB3's own vectorized environment over the same rules in plain Python."""
    rows, ages = [maze.rows for maze in mazes], trail_ages().tolist()
    return DummyVecEnv([lambda: PlainMazeEnv(rows, observation, ages)] * STOCK_ENVIRONMENTS)  # type: ignore[list-item]
