"""Training with Stable-Baselines3: build the algorithm, learn, and keep the checkpoint that validates best."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from rlmaze_env.arrays import F32Array
from rlmaze_env.generator import generate
from rlmaze_env.maze import Maze
from rlmaze_env.mazeset import load_set, training_mazes, unused_mazes
from rlmaze_env.rewards import Rewards
from rlmaze_env.splitmix import draw
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import TrainingConfig
from rlmaze_train.double_dqn import DoubleDQN
from rlmaze_train.evaluation import Figures, ScorePolicy, figures, play_greedy
from rlmaze_train.symmetry import SymmetricScores

log = logging.getLogger(__name__)

# Seed of the validation mazes that are generated beside the committed set.
_EXTRA_VALIDATION_SEED = 2_500_000
_EXTRA_LARGE_SIZE = 30


def choose_mazes(config: TrainingConfig) -> list[Maze]:
    """Returns the mazes of a run: on 10 × 10 the training mazes, else generated ones, of the wanted difficulty."""
    if config.mazes.size == 10:
        mazes = training_mazes(config.mazes.count)
    else:
        size = config.mazes.size
        mazes = [member.maze for member in unused_mazes(draw(1, size), config.mazes.count, size)]
    wanted = [maze for maze in mazes if maze.difficulty in config.mazes.difficulty]
    if not wanted:
        raise ValueError(f"no maze of difficulty {', '.join(config.mazes.difficulty)} among {len(mazes)}")
    return wanted


def linear(first: float, last_share: float) -> Callable[[float], float]:
    """Returns a schedule of Stable-Baselines3: from `first` linearly to `first * last_share`."""

    def schedule(remaining: float) -> float:
        return first * (last_share + (1 - last_share) * remaining)

    return schedule


# Settings that Stable-Baselines3 knows by the names they have in a configuration.
_PPO_SETTINGS = ("n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "clip_range")
_DQN_SETTINGS = (
    "buffer_size", "learning_starts", "batch_size", "gamma", "n_steps", "train_freq", "gradient_steps", "target_update_interval",
    "exploration_fraction",
)  # fmt: skip


def build(config: TrainingConfig, env: MazeVecEnv, seed: int) -> BaseAlgorithm:
    """Builds the algorithm that a configuration describes."""
    settings = config.ppo or config.dqn
    assert settings is not None
    given: dict[str, Any] = {
        "seed": seed,
        "device": config.device,
        "learning_rate": linear(settings.learning_rate, settings.final_learning_rate_share),
        "policy_kwargs": {"net_arch": list(settings.network)},
    }
    if config.ppo is not None:
        given |= {name: getattr(config.ppo, name) for name in _PPO_SETTINGS}
        return PPO("MlpPolicy", env, ent_coef=config.ppo.entropy, **given)
    assert config.dqn is not None
    given |= {name: getattr(config.dqn, name) for name in _DQN_SETTINGS}
    return DoubleDQN("MlpPolicy", env, exploration_final_eps=config.dqn.exploration_final, **given)


def score_policy(model: BaseAlgorithm) -> ScorePolicy:
    """Returns the scores that an export of the model would give: actor logits, or Q-values averaged over the symmetries."""
    symmetric = SymmetricScores(model.q_net.q_net).to(model.device) if isinstance(model, DQN) else None

    def scores(observations: F32Array) -> F32Array:
        with torch.no_grad():
            seen = torch.as_tensor(observations, device=model.device)
            if isinstance(model, PPO):
                policy = model.policy
                latent, _ = policy.mlp_extractor(policy.extract_features(seen))
                found = policy.action_net(latent)
            else:
                assert symmetric is not None
                found = symmetric(seen)
            out: F32Array = found.cpu().numpy()
            return out

    return scores


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run at one moment, and how it did on the validation mazes."""

    timesteps: int
    validation: Figures
    large: Figures | None
    path: Path

    @property
    def rank(self) -> tuple[float, ...]:
        """What is compared: unsolved mazes of both kinds first, then SPL."""
        unsolved = self.validation.episodes - self.validation.successes
        if self.large is not None:
            unsolved += self.large.episodes - self.large.successes
        return (-unsolved, self.validation.spl)


@dataclass(frozen=True)
class Progress:
    """What a progress display shows."""

    timesteps: int
    total: int
    episodes: int
    reward: float
    success: float
    steps_per_second: float
    best: Checkpoint | None


class Progressing(BaseCallback):
    """Lowers the entropy bonus, reports progress, and saves and validates checkpoints.

    Args:
        config: The run's configuration.
        folder: Where checkpoints go.
        report: Called once in an update with the progress.
        stop: Asked after every step of all environments; True ends the run.
    """

    def __init__(
        self,
        config: TrainingConfig,
        folder: Path,
        report: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__()
        self._config = config
        self._folder = folder
        self._report = report
        self._stop = stop
        self._next = config.validation.every
        self._early = config.early_checkpoint
        self._episodes = 0
        self._began = time.perf_counter()
        self._reported = 0.0
        self.checkpoints: list[Checkpoint] = []
        self.early: Checkpoint | None = None
        self._small = load_set("validation").mazes
        if config.validation.extra_mazes:
            extra = unused_mazes(_EXTRA_VALIDATION_SEED, config.validation.extra_mazes)
            self._small = self._small + [member.maze for member in extra]
        self._large = [
            generate(_EXTRA_LARGE_SIZE, _EXTRA_LARGE_SIZE, draw(_EXTRA_VALIDATION_SEED, i), (0.0, 0.0, 0.1, 0.3)[i % 4])
            for i in range(config.validation.extra_large_mazes)
        ]

    @property
    def best(self) -> Checkpoint | None:
        """The checkpoint of the highest rank, the latest of equals."""
        return max(self.checkpoints, key=lambda c: (c.rank, c.timesteps), default=None)

    def _on_step(self) -> bool:
        self._episodes += int(np.count_nonzero(self.locals["dones"]))
        if self._early and self.num_timesteps >= self._early:
            self.early = self._save()
            self._early = 0
        if self.num_timesteps >= self._next:
            self._next += self._config.validation.every
            self.checkpoints.append(self._save())
        if isinstance(self.model, DQN):
            self._show()
        return not (self._stop is not None and self._stop())

    def _on_rollout_end(self) -> None:
        if isinstance(self.model, PPO) and self._config.ppo is not None:
            left = 1 - self.num_timesteps / self._config.timesteps
            p = self._config.ppo
            self.model.ent_coef = p.final_entropy + (p.entropy - p.final_entropy) * max(0.0, left)
            self._show()

    def _on_training_end(self) -> None:
        if not self.checkpoints or self.checkpoints[-1].timesteps < self.num_timesteps:
            self.checkpoints.append(self._save())

    def _show(self) -> None:
        now = time.perf_counter()
        if self._report is None or now - self._reported < 0.2:
            return
        self._reported = now
        recent: list[dict[str, float]] = list(self.model.ep_info_buffer or [])
        wins: list[bool] = list(self.model.ep_success_buffer or [])
        self._report(
            Progress(
                timesteps=self.num_timesteps,
                total=self._config.timesteps,
                episodes=self._episodes,
                reward=float(np.mean([e["r"] for e in recent])) if recent else 0.0,
                success=float(np.mean(wins)) if wins else 0.0,
                steps_per_second=self.num_timesteps / (now - self._began),
                best=self.best,
            )
        )

    def _save(self) -> Checkpoint:
        path = self._folder / f"checkpoint-{self.num_timesteps}.zip"
        self.model.save(path, exclude=["replay_buffer"])
        policy = score_policy(self.model)
        small = figures(play_greedy(self._small, policy, self._config.observation))
        large = figures(play_greedy(self._large, policy, self._config.observation)) if self._large and small.rate > 0.9 else None
        log.info(
            "%d steps: validation %d of %d, SPL %.4f, large %s",
            self.num_timesteps, small.successes, small.episodes, small.spl,
            f"{large.successes} of {large.episodes}" if large else "not tried",
        )  # fmt: skip
        return Checkpoint(self.num_timesteps, small, large, path)


@dataclass(frozen=True)
class TrainedRun:
    """What a finished run leaves."""

    run: str
    seed: int
    best: Checkpoint
    early: Checkpoint | None
    cpu_seconds: float


def train(
    config: TrainingConfig,
    seed: int,
    folder: Path,
    report: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> TrainedRun:
    """Trains one seed and returns its best checkpoint. Checkpoints are written to `folder`.

    Two runs of one seed on one machine are the same.
    """
    torch.set_num_threads(1)  # such small networks are faster on one thread
    folder.mkdir(parents=True, exist_ok=True)
    settings = config.ppo or config.dqn
    assert settings is not None
    rewards = Rewards(config.rewards.step, config.rewards.bump, config.rewards.goal)
    env = MazeVecEnv(choose_mazes(config), settings.environments, config.observation, seed, rewards)
    model = build(config, env, seed)
    callback = Progressing(config, folder, report, stop)
    began = time.process_time()
    model.learn(config.timesteps, callback=callback)
    best = callback.best
    assert best is not None
    return TrainedRun(f"{config.name}-seed{seed}", seed, best, callback.early, time.process_time() - began)


def load_checkpoint(config: TrainingConfig, path: Path) -> BaseAlgorithm:
    """Loads a checkpoint for evaluation or export."""
    kind = PPO if config.algorithm == "PPO" else DoubleDQN
    return kind.load(path, device="cpu")
