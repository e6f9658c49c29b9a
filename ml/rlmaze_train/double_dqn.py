"""Stable-Baselines3's DQN with three changes that this task needs, each small.

- Double Q-learning (van Hasselt, Guez, Silver 2016): the online network chooses the next action, the target network values it.
- Exploration is drawn for each environment by itself; upstream lets all environments act at random at once.
- Each batch is learned in one of the eight symmetries of the grid, drawn at random.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN
from torch.nn import functional

from rlmaze_env.arrays import I64Array
from rlmaze_train.symmetry import ACTIONS, CELLS


class DoubleDQN(DQN):
    """DQN with double Q-learning, exploration per environment and symmetric batches. Constructor as upstream."""

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False) -> Any:
        """Returns actions for (n, 25) observations; unless deterministic, each is random with the exploration rate."""
        actions, state = self.policy.predict(observation, state, episode_start, deterministic=True)
        if not deterministic:
            random = np.random.rand(*actions.shape) < self.exploration_rate
            actions = np.where(random, np.random.randint(0, 4, actions.shape), actions)
        return actions, state

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Makes gradient steps on n-step double Q-learning targets."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        assert self.replay_buffer is not None
        loss = torch.zeros(())
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size)
            turn = np.random.randint(len(CELLS))
            cells = torch.from_numpy(CELLS[turn]).to(self.device)
            moves: I64Array = ACTIONS[turn]
            seen = batch.observations[:, cells]
            then = batch.next_observations[:, cells]
            actions = torch.from_numpy(moves).to(self.device)[batch.actions.long()]
            discounts = batch.discounts if batch.discounts is not None else self.gamma
            with torch.no_grad():
                best = self.q_net(then).argmax(dim=1, keepdim=True)
                value = self.q_net_target(then).gather(1, best)
                target = batch.rewards + (1 - batch.dones) * discounts * value
            loss = functional.smooth_l1_loss(self.q_net(seen).gather(1, actions), target)
            self.policy.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", float(loss.item()))
