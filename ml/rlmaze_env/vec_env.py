"""All environments in one call: the batched face of the rules, for Stable-Baselines3."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvObs, VecEnvStepReturn

from rlmaze_env import rules
from rlmaze_env.arrays import BoolArray, F32Array, I32Array, I64Array, U8Array, U64Array
from rlmaze_env.compiled import kernel
from rlmaze_env.maze import Maze
from rlmaze_env.rewards import Rewards
from rlmaze_env.rules import FRAME, HIT_WALL, OBSERVATION_SIZE, OBSERVATIONS, TERMINATED, TRUNCATED, Batch
from rlmaze_env.splitmix import below, draw
from rlmaze_env.trail import trail_ages


class Pool(NamedTuple):
    """The mazes that episodes are drawn from, laid out in frames like `Batch.open`."""

    open: U8Array  # (m, cells)
    face: F32Array  # (m, cells)
    rows: I32Array  # (m,)
    cols: I32Array  # (m,)
    start: I32Array  # (m,), frame index
    goal: I32Array  # (m,), frame index


def new_pool(mazes: Sequence[Maze]) -> tuple[Pool, int, int]:
    """Lays out mazes, which may differ in size; returns the pool and the largest height and width."""
    if not mazes:
        raise ValueError("at least one maze is needed")
    height, width = max(m.height for m in mazes), max(m.width for m in mazes)
    stride = width + 2 * FRAME
    cells = np.zeros((len(mazes), height + 2 * FRAME, stride), np.uint8)
    for grid, maze in zip(cells, mazes, strict=True):
        grid[FRAME : FRAME + maze.height, FRAME : FRAME + maze.width] = maze.open_cells

    def frames(flats: Iterable[int]) -> I32Array:
        pairs = zip(mazes, flats, strict=True)
        return np.array([(f // m.width + FRAME) * stride + f % m.width + FRAME for m, f in pairs], np.int32)

    goals = frames(m.goal for m in mazes)
    flat = cells.reshape(len(mazes), -1)
    face = np.where(flat == 1, np.float32(0.0), np.float32(-1.0))
    face[np.arange(len(mazes)), goals] = 1.0
    pool = Pool(
        open=flat,
        face=face,
        rows=np.array([m.height for m in mazes], np.int32),
        cols=np.array([m.width for m in mazes], np.int32),
        start=frames(m.start for m in mazes),
        goal=goals,
    )
    return pool, height, width


@kernel
def begin_from_pool(b: Batch, i: int, pool: Pool, m: int) -> None:
    """Begins an episode on maze m of the pool."""
    for p in range(pool.open.shape[1]):
        b.open[i, p] = pool.open[m, p]
        b.face[i, p] = pool.face[m, p]
    rules.begin(b, i, pool.rows[m], pool.cols[m], pool.start[m], pool.goal[m])


@kernel
def _reset_all(b: Batch, pool: Pool, streams: U64Array, maze: I64Array, version: int, ages: F32Array, out: F32Array) -> None:
    for i in range(b.position.size):
        maze[i] = below(streams[i : i + 1], pool.rows.size)
        begin_from_pool(b, i, pool, maze[i])
        rules.observe(b, i, b.position[i], version, ages, out[i])


@kernel
def _step_all(
    b: Batch,
    pool: Pool,
    streams: U64Array,
    maze: I64Array,
    actions: I64Array,
    version: int,
    ages: F32Array,
    worth: F32Array,
    out: F32Array,
    rewards: F32Array,
    ends: U8Array,
    last: F32Array,
    totals: F32Array,
    lengths: I32Array,
) -> None:
    """Steps every environment and begins a new episode where one ended.

    Args:
        b, pool, streams, maze: State: episodes, mazes, one random stream an environment, and the maze it is on.
        actions: (n,) int64.
        version: Observation version.
        ages: Trail table.
        worth: (3,) float32: step, bump, goal.
        out: (n, 25), observations to go on with.
        rewards: (n,).
        ends: (n,), 0 or TERMINATED or TRUNCATED.
        last: (n, 25), the last observation of an episode that ended; other rows keep what they hold.
        totals: (n,), reward of the episode so far; of an ended one, of all of it.
        lengths: (n,), steps of an ended episode.
    """
    for i in range(b.position.size):
        flags = rules.step(b, i, actions[i])
        reward = worth[0]
        if flags & HIT_WALL:
            reward += worth[1]
        if flags & TERMINATED:
            reward += worth[2]
        rewards[i] = reward
        ends[i] = flags & (TERMINATED | TRUNCATED)
        totals[i] = (reached(flags) * worth[2]) + b.steps[i] * worth[0] + b.bumps[i] * worth[1]
        if ends[i] != 0:
            rules.observe(b, i, b.position[i], version, ages, last[i])
            lengths[i] = b.steps[i]
            maze[i] = below(streams[i : i + 1], pool.rows.size)
            begin_from_pool(b, i, pool, maze[i])
        rules.observe(b, i, b.position[i], version, ages, out[i])


@kernel
def reached(flags: int) -> int:
    """Returns 1 when the flags say that the goal was reached."""
    return 1 if flags & TERMINATED else 0


class MazeVecEnv(VecEnv):
    """n maze environments stepped by one compiled call, automatic resets included.

    Every environment draws each episode's maze from the given ones by its own random stream, so the same seed gives the
    same episodes whatever the other environments do.

    Observation: `Box(-1, 1, (25,), float32)`, the 5 × 5 cells around the agent (law §5).
    Action: `Discrete(4)`: up, down, left, right.
    Reward: `Rewards`; done: the goal (terminated) or 2 · rows · cols steps (truncated).
    Info of an environment whose episode ended: `terminal_observation` (25,), `TimeLimit.truncated`, `is_success`, and
    `episode` with return `r` and length `l`; of all others nothing.

    Args:
        mazes: Drawn from at each reset; sizes may differ.
        n_envs: Number of environments.
        observation: `plain/1`, `trail/1` or `memory/1`.
        seed: Of the maze order.
        rewards: Worth of step, bump and goal in training.
    """

    def __init__(
        self,
        mazes: Sequence[Maze],
        n_envs: int,
        observation: str = "memory/1",
        seed: int = 0,
        rewards: Rewards | None = None,
    ) -> None:
        self.render_mode = None
        super().__init__(n_envs, spaces.Box(-1.0, 1.0, (OBSERVATION_SIZE,), np.float32), spaces.Discrete(4))
        rewards = rewards or Rewards()
        self.mazes = list(mazes)
        self._pool, height, width = new_pool(mazes)
        self._batch = rules.new_batch(n_envs, height, width)
        self._version = OBSERVATIONS.index(observation)
        self._ages = trail_ages()
        self._worth = np.array([rewards.step, rewards.bump, rewards.goal], np.float32)
        self._maze = np.zeros(n_envs, np.int64)
        self._actions = np.zeros(n_envs, np.int64)
        self._ends = np.zeros(n_envs, np.uint8)
        self._totals = np.zeros(n_envs, np.float32)
        self._lengths = np.zeros(n_envs, np.int32)
        self._last = np.zeros((n_envs, OBSERVATION_SIZE), np.float32)
        self._nothing: list[dict[str, Any]] = [{} for _ in range(n_envs)]
        self._reseed(seed)

    def _reseed(self, seed: int) -> None:
        self._streams = np.array([draw(seed, i) for i in range(self.num_envs)], np.uint64)

    @property
    def maze_numbers(self) -> I64Array:
        """(n,) int64, which maze each environment is on."""
        return self._maze.copy()

    def reset(self) -> VecEnvObs:
        """Begins a new episode everywhere; returns (n, 25) float32. A seed set before by `seed` starts the streams again."""
        if self._seeds and self._seeds[0] is not None:
            self._reseed(self._seeds[0])
        self._reset_seeds()
        out = np.empty((self.num_envs, OBSERVATION_SIZE), np.float32)
        _reset_all(self._batch, self._pool, self._streams, self._maze, self._version, self._ages, out)
        return out

    def step_async(self, actions: NDArray[Any]) -> None:
        """Remembers the actions, (n,) integers 0–3."""
        self._actions = np.ascontiguousarray(actions, np.int64)

    def step_wait(self) -> VecEnvStepReturn:
        """Steps all; returns observations (n, 25), rewards (n,), dones (n,) and infos. The arrays are the caller's."""
        out = np.empty((self.num_envs, OBSERVATION_SIZE), np.float32)
        rewards = np.empty(self.num_envs, np.float32)
        _step_all(
            self._batch, self._pool, self._streams, self._maze, self._actions, self._version, self._ages, self._worth,
            out, rewards, self._ends, self._last, self._totals, self._lengths,
        )  # fmt: skip
        dones: BoolArray = self._ends != 0
        infos = self._nothing.copy()
        for i in np.flatnonzero(dones).tolist():
            success = bool(self._ends[i] == TERMINATED)
            infos[i] = {
                "terminal_observation": self._last[i].copy(),
                "TimeLimit.truncated": not success,
                "is_success": success,
                "episode": {"r": float(self._totals[i]), "l": int(self._lengths[i])},
            }
        return out, rewards, dones, infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Returns an attribute of this object, once for each environment asked for; all share it."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Not offered: the environments share their attributes."""
        raise NotImplementedError("the environments of a MazeVecEnv share their attributes")

    def env_method(self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any) -> list[Any]:
        """Not offered: there is no object behind an environment."""
        raise NotImplementedError("a MazeVecEnv has no environment objects")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Nothing is wrapped, but for Monitor, whose work is done here: `episode` is in the infos."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor for _ in self._get_indices(indices)]


__all__ = ["TRUNCATED", "MazeVecEnv", "Pool", "Rewards", "begin_from_pool", "new_pool"]
