"""The maze environment of RL Maze: the law of `ml/conformance/README.md` in Python.

Not responsible for training, which is `rlmaze_train`; nothing here imports PyTorch.
"""

from rlmaze_env.baselines import BASELINES, play_baseline
from rlmaze_env.episode import Episode
from rlmaze_env.generator import generate
from rlmaze_env.maze import Maze, MazeError

__all__ = ["BASELINES", "Episode", "Maze", "MazeError", "generate", "play_baseline"]
