"""Greedy play of whole maze sets and the figures that follow: success with interval, SPL, steps, bumps."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from rlmaze_env import rules
from rlmaze_env.arrays import F32Array, F64Array, I32Array, I64Array, U8Array
from rlmaze_env.baselines import Play, play_baseline
from rlmaze_env.maze import Maze
from rlmaze_env.rules import OBSERVATION_SIZE, OBSERVATIONS, TERMINATED, Batch
from rlmaze_env.trail import trail_ages
from rlmaze_env.vec_env import begin_from_pool, new_pool
from rlmaze_train.interval import wilson

# Turns (n, 25) float32 observations into (n, 4) float32 scores.
ScorePolicy = Callable[[F32Array], F32Array]


@njit(cache=True)
def _observe_active(b: Batch, active: I64Array, version: int, ages: F32Array, out: F32Array) -> None:
    for k in range(active.size):
        rules.observe(b, active[k], b.position[active[k]], version, ages, out[k])


@njit(cache=True)
def _step_active(b: Batch, active: I64Array, actions: I64Array, trace: U8Array, ended: U8Array) -> None:
    for k in range(active.size):
        i = active[k]
        trace[i, b.steps[i]] = actions[k]
        ended[k] = rules.step(b, i, actions[k]) >= TERMINATED


_CHUNK = 1_000  # mazes played side by side: bounds memory, and is still a large batch


def play_greedy(mazes: Sequence[Maze], policy: ScorePolicy, observation: str) -> list[Play]:
    """Plays every maze once, always taking the first largest score."""
    plays: list[Play] = []
    for first in range(0, len(mazes), _CHUNK):
        plays += _play_chunk(mazes[first : first + _CHUNK], policy, OBSERVATIONS.index(observation))
    return plays


def _play_chunk(mazes: Sequence[Maze], policy: ScorePolicy, version: int) -> list[Play]:
    pool, height, width = new_pool(mazes)
    batch = rules.new_batch(len(mazes), height, width)
    for i in range(len(mazes)):
        begin_from_pool(batch, i, pool, i)
    ages = trail_ages()
    trace = np.zeros((len(mazes), int(batch.max_steps.max())), np.uint8)
    active = np.arange(len(mazes))
    while active.size:
        observations = np.empty((active.size, OBSERVATION_SIZE), np.float32)
        _observe_active(batch, active, version, ages, observations)
        actions = np.argmax(policy(observations), axis=1)
        ended = np.empty(active.size, np.uint8)
        _step_active(batch, active, actions, trace, ended)
        active = active[ended == 0]
    return [_play_of(batch, i, maze, trace) for i, maze in enumerate(mazes)]


def _play_of(batch: Batch, i: int, maze: Maze, trace: U8Array) -> Play:
    steps = int(batch.steps[i])
    reached = bool(batch.position[i] == batch.goal[i])
    spl = float(reached) * maze.shortest_path / max(maze.shortest_path, steps)
    return Play(trace[i, :steps].tobytes(), reached, steps, int(batch.bumps[i]), spl)


def play_baselines(mazes: Sequence[Maze], baseline: str, seed: int = 0) -> list[Play]:
    """Plays every maze once with a baseline."""
    return [play_baseline(maze, baseline, seed + i) for i, maze in enumerate(mazes)]


@dataclass(frozen=True)
class Figures:
    """What a policy reached on a set."""

    episodes: int
    successes: int
    spl: float
    mean_steps: float  # over all episodes, failed ones with their limit
    bumps: float  # mean per episode

    @property
    def rate(self) -> float:
        """Share of episodes that reached the goal."""
        return self.successes / self.episodes

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of `rate`."""
        return wilson(self.successes, self.episodes)


def figures(plays: Sequence[Play]) -> Figures:
    """Sums up plays."""
    n = len(plays)
    return Figures(
        episodes=n,
        successes=sum(play.reached_goal for play in plays),
        spl=math.fsum(play.spl for play in plays) / n,
        mean_steps=sum(play.steps for play in plays) / n,
        bumps=sum(play.bumps for play in plays) / n,
    )


def paired_spl(plays: Sequence[Play], others: Sequence[Play], resamples: int = 10_000) -> tuple[float, float, float]:
    """Compares SPL on the same mazes: mean of the differences and its 95 % bootstrap percentile interval."""
    difference: F64Array = np.array([a.spl - b.spl for a, b in zip(plays, others, strict=True)])
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.choice(difference, (100, difference.size)).mean(axis=1) for _ in range(resamples // 100)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(difference.mean()), float(low), float(high)


__all__ = ["Figures", "I32Array", "Play", "ScorePolicy", "figures", "paired_spl", "play_baselines", "play_greedy", "wilson"]
