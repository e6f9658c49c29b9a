"""The same training without anybody who watches: no events, no logs, no checkpoints. Prints seconds, CPU seconds and steps as JSON.

python benchmarks/train_overhead/bare.py <configuration> <seed>
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import BaseCallback

from rlmaze_env.mazeset import load_set
from rlmaze_env.rewards import Rewards
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import TrainingConfig, load_config
from rlmaze_train.evaluation import play_greedy
from rlmaze_train.training import build, choose_mazes, score_policy


class Stopwatch(BaseCallback):
    """Lowers PPO's entropy bonus, which is learning, and measures the time from the first step to the last update."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self._config = config
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def _on_training_start(self) -> None:
        # The watched training validates before its first step; whatever that warms is warm here, too.
        play_greedy(load_set("validation").mazes, score_policy(self.model), self._config.observation)
        self._began, self._cpu = time.time(), time.process_time()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        assert self._config.ppo is not None
        left = 1 - self.num_timesteps / self._config.timesteps
        self.model.ent_coef = self._config.ppo.final_entropy + (self._config.ppo.entropy - self._config.ppo.final_entropy) * max(0.0, left)  # type: ignore[attr-defined]

    def _on_training_end(self) -> None:
        self.seconds, self.cpu_seconds = time.time() - self._began, time.process_time() - self._cpu


def main() -> None:
    config, seed = load_config(Path(sys.argv[1])), int(sys.argv[2])
    assert config.ppo is not None
    torch.set_num_threads(1)
    rewards = Rewards(config.rewards.step, config.rewards.bump, config.rewards.goal)
    model = build(config, MazeVecEnv(choose_mazes(config), config.ppo.environments, config.observation, seed, rewards), seed)
    stopwatch = Stopwatch(config)
    model.learn(config.timesteps, callback=stopwatch, log_interval=1 << 62)
    print(json.dumps({"seconds": stopwatch.seconds, "cpu_seconds": stopwatch.cpu_seconds, "steps": model.num_timesteps}))


if __name__ == "__main__":
    main()
