"""Learning with Stable-Baselines3, told in events. Imported by the run's process only."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingPhase
from rlmaze_env.mazeset import load_set, training_mazes
from rlmaze_env.rewards import Rewards
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import TrainingConfig
from rlmaze_train.evaluation import figures, play_greedy
from rlmaze_train.export import onnx_bytes, onnx_policy, policy_network
from rlmaze_train.training import build, choose_mazes, load_checkpoint, score_policy
from rlmaze_trainer.run_folder import RunFolder
from rlmaze_trainer.run_process import Diverged, EpisodeBuffer, Lead, Reporter, check_loss, next_checkpoint, send_checkpoint

# Which validation maze is played at every checkpoint.
PROBE = 0
# Stable-Baselines3's own tables are not printed: its logger then keeps the latest value of each figure.
_NEVER = 1 << 62


def check_weights(model: BaseAlgorithm) -> None:
    """Requires the weights to be numbers.

    Raises:
        Diverged: They are none.
    """
    if not all(bool(torch.isfinite(weights).all()) for weights in model.policy.parameters()):
        raise Diverged(
            f"The training diverged before step {model.num_timesteps:,}: its weights are no numbers any more. "
            "Lower the learning rate and start again."
        )


class EventCallback(BaseCallback):
    """Sends episodes, progress and checkpoints, lowers PPO's entropy bonus, and ends the run when it is asked to."""

    def __init__(self, config: TrainingConfig, folder: RunFolder, reporter: Reporter, lead: Lead, resume: Path | None) -> None:
        super().__init__()
        before = {"timesteps": 0} if resume is None else json.loads(resume.with_suffix(".json").read_text())
        timesteps_before = before["timesteps"]
        self._config = config
        self._folder = folder
        self._reporter = reporter
        self._lead = lead
        self._episodes = EpisodeBuffer(reporter, before.get("training_episodes", 0), timesteps_before)
        self._validation = load_set("validation")
        self._next = next_checkpoint(timesteps_before, config.validation.every)
        self._saved = timesteps_before if timesteps_before else -1

    def _on_training_start(self) -> None:
        if self._saved < 0:
            self._save()  # what it does before it has learned anything

    def _loss(self) -> float | None:
        found = self.model.logger.name_to_value.get("train/loss")
        return None if found is None else float(found)

    def _on_step(self) -> bool:
        ended = np.flatnonzero(self.locals["dones"]).tolist()
        if ended:
            self._episodes.add(self.num_timesteps, self.locals["infos"], ended)
        if self._episodes.due():
            self._report()
        if self.num_timesteps >= self._next:
            self._next = next_checkpoint(self.num_timesteps, self._config.validation.every)
            self._save()
        return not self._lead.stop_asked

    def _report(self) -> None:
        loss = self._loss()
        check_loss(loss, self.num_timesteps)
        self._episodes.send(self.num_timesteps, loss)

    def _on_rollout_end(self) -> None:
        if isinstance(self.model, PPO) and self._config.ppo is not None:
            left = 1 - self.num_timesteps / self._config.timesteps
            settings = self._config.ppo
            self.model.ent_coef = settings.final_entropy + (settings.entropy - settings.final_entropy) * max(0.0, left)

    def _on_training_end(self) -> None:
        self._report()
        if self._saved < self.num_timesteps:
            self._save()

    def _save(self) -> None:
        check_weights(self.model)
        self._saved = self.num_timesteps
        path = self._folder.checkpoints / f"{self.num_timesteps}.zip"
        unfinished = path.with_suffix(".unfinished.zip")
        self.model.save(unfinished, exclude=["replay_buffer"])
        os.replace(unfinished, path)
        plays = play_greedy(self._validation.mazes, score_policy(self.model), self._config.observation)
        probe = self._validation.members[PROBE].maze_id
        send_checkpoint(
            self._reporter,
            self._folder,
            self.num_timesteps,
            self._episodes.episodes,
            figures(plays),
            self._validation.hash,
            probe,
            plays[PROBE],
        )


def learn(config: TrainingConfig, seed: int, folder: RunFolder, reporter: Reporter, lead: Lead, resume: Path | None) -> bool:
    """Learns until the configuration's steps are done; returns False when a stop came first. The last state is saved in both cases."""
    settings = config.ppo or config.dqn
    assert settings is not None
    rewards = Rewards(config.rewards.step, config.rewards.bump, config.rewards.goal)
    env = MazeVecEnv(choose_mazes(config), settings.environments, config.observation, seed, rewards)
    lead.check()
    before = 0
    if resume is None:
        model = build(config, env, seed)
    else:
        model = load_checkpoint(config, resume)
        model.set_env(env)
        before = model.num_timesteps
        reporter.line(f"Goes on from the checkpoint of {before:,} steps.")
    reporter.phase(TrainingPhase.LEARNING)
    left = config.timesteps - before
    if left > 0:
        callback = EventCallback(config, folder, reporter, lead, resume)
        try:
            model.learn(left, callback=callback, log_interval=_NEVER, reset_num_timesteps=resume is None)
        except ValueError:
            check_weights(model)  # PyTorch refuses to sample from what is no number; that is said better
            raise
    return not (lead.stop_asked and model.num_timesteps < config.timesteps)


def _rehearse() -> None:
    """Learns, plays and exports next to nothing: compiled code is loaded, and the exporter imports what it needs."""
    validation = load_set("validation").mazes
    env = MazeVecEnv(validation[:8], 4, "memory/1", seed=0)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=16, n_epochs=1, seed=0, device="cpu", policy_kwargs={"net_arch": [4]})
    model.learn(32)
    play_greedy(validation[:4], score_policy(model), "memory/1")
    onnx_policy(onnx_bytes(policy_network(model), {}))
    load_set("heldout")


# What a process does that waits for a run. Nothing of it changes the run: all random numbers come from the run's own seed.
REHEARSAL: tuple[Callable[[], object], ...] = (training_mazes, _rehearse)
