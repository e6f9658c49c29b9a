"""train-to-skill: CPU seconds from nothing to 99 % greedy success on 1,000 mazes that training never sees, three seeds.

Ours is PPO as `settings.yaml` says on the batched `MazeVecEnv`; the peer is stock SB3 PPO (every hyper-parameter as it comes) on eight
environments in a `DummyVecEnv`, with the same observation, mazes and rewards. Both learn on one thread; checking success costs neither
of them anything: the clock stands still meanwhile, for both, and both are checked equally often in CPU time.

    python benchmarks/train_to_skill/run.py [--quick]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torch
from one_core import SB3, STOCK_ENVIRONMENTS, stay_on_one_core, stock_environments
from side_by_side import Row, Sample, say, take_turns
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

from rlmaze_env.mazeset import training_mazes, unused_mazes
from rlmaze_env.rewards import Rewards
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import load_config
from rlmaze_train.evaluation import figures, play_greedy
from rlmaze_train.training import build, score_policy

SKILL = 0.99
UNSEEN_SEED = 8_000_001
BAR = 8.0
LIMIT_STEPS = 2_000_000  # of either; reached by neither in practice
CHECK_CPU_SECONDS_OURS = 0.5
CHECK_CPU_SECONDS_PEER = 2.0  # coarser: it favours the peer by nothing, it only ends later by at most this


class UntilSkilled(BaseCallback):
    """Ends training when 99 % of the unseen mazes are solved; its own checks stay out of the clock."""

    def __init__(self, observation: str, unseen: list[Any], every: float) -> None:
        super().__init__()
        self._observation, self._unseen, self._every = observation, unseen, every
        self.cpu_seconds = 0.0
        self.wall_seconds = 0.0
        self.rate = 0.0
        self.skilled = False

    def _on_training_start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._next = self._every

    def _on_step(self) -> bool:
        return not self.skilled

    def _on_rollout_start(self) -> None:
        now, wall = time.process_time(), time.perf_counter()
        self.cpu_seconds += now - self._cpu
        self.wall_seconds += wall - self._wall
        if self.cpu_seconds >= self._next and not self.skilled:
            self._next = self.cpu_seconds + self._every
            assert isinstance(self.model, BaseAlgorithm)
            self.rate = figures(play_greedy(self._unseen, score_policy(self.model), self._observation)).rate
            self.skilled = self.rate >= SKILL
        self._cpu, self._wall = time.process_time(), time.perf_counter()


def main() -> None:
    quick = "--quick" in sys.argv
    seeds = (1,) if quick else (1, 2, 3)
    torch.set_num_threads(1)
    stay_on_one_core()
    config = load_config(Path(__file__).with_name("settings.yaml"))
    mazes = training_mazes()
    unseen = [member.maze for member in unused_mazes(UNSEEN_SEED, 1_000)]

    def learn(model: BaseAlgorithm, every: float, who: str, seed: int) -> Sample:
        callback = UntilSkilled(config.observation, unseen, every)
        model.learn(LIMIT_STEPS, callback=callback)
        if not callback.skilled:
            say(f"  {who} seed {seed}: only {callback.rate:.1%} after {model.num_timesteps} steps")
        say(f"  {who} seed {seed}: {callback.rate:.1%} after {model.num_timesteps:,} steps, {callback.cpu_seconds:.1f} CPU-seconds")
        return {"cpu": callback.cpu_seconds, "wall": callback.wall_seconds, "steps": float(model.num_timesteps)}

    ours_seeds, peer_seeds = iter(seeds), iter(seeds)

    def ours() -> Sample:
        seed = next(ours_seeds)
        assert config.ppo is not None
        env = MazeVecEnv(mazes, config.ppo.environments, config.observation, seed, Rewards())
        return learn(build(config, env, seed), CHECK_CPU_SECONDS_OURS, "ours", seed)

    def peer() -> Sample:
        seed = next(peer_seeds)
        env = VecMonitor(stock_environments(mazes, config.observation))
        return learn(PPO("MlpPolicy", env, seed=seed, device="cpu"), CHECK_CPU_SECONDS_PEER, "stock", seed)

    say(f"train-to-skill: {config.observation}, seeds {seeds}")
    warm = MazeVecEnv(mazes, 8, config.observation)
    warm.reset()
    warm.step([0] * 8)  # type: ignore[arg-type]  # compiles before the clock runs
    play_greedy(unseen[:1], lambda seen: seen[:, :4], config.observation)
    turns = take_turns(ours, peer, len(seeds))
    ratio = turns.ratio("cpu")
    spread = ", ".join(f"{sample['cpu']:.1f}" for sample in turns.ours) + " against " + ", ".join(f"{s['cpu']:.0f}" for s in turns.peer)
    Row(
        benchmark="train-to-skill",
        figure=f"{config.observation}, to 99 % of 1,000 unseen mazes",
        unit="CPU s",
        ours=turns.median("ours", "cpu"),
        peer=turns.median("peer", "cpu"),
        peer_name=f"{SB3} PPO as it comes, DummyVecEnv of {STOCK_ENVIRONMENTS}",
        ratio=ratio,
        cpu_ratio=ratio,
        bar=f"≥ {BAR:g} ×",
        passed=ratio >= BAR,
        control=None,  # seeds differ by nature; the spread stands in the note
        note=f"median of {len(seeds)} seeds: {spread}; {median(s['steps'] for s in turns.ours):,.0f} against {median(s['steps'] for s in turns.peer):,.0f} steps",
    ).emit()


if __name__ == "__main__":
    main()
