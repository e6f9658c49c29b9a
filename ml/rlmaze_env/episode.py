"""One episode on one maze, played by Python code: for tests, conformance, baselines and rendering.

Training plays whole batches instead (`rlmaze_env.vec_env`); the rules are the same compiled functions.
"""

from dataclasses import dataclass

import numpy as np

from rlmaze_env import rules
from rlmaze_env.arrays import F32Array
from rlmaze_env.maze import Maze
from rlmaze_env.rules import HIT_WALL, MEMORY, OBSERVATION_SIZE, OBSERVATIONS, TERMINATED, TRUNCATED
from rlmaze_env.trail import trail_ages


@dataclass(frozen=True)
class Step:
    """What one action did."""

    position: int  # flat index after the step
    hit_wall: bool
    terminated: bool
    truncated: bool
    reward_hundredths: int
    cumulative_hundredths: int

    @property
    def reward(self) -> float:
        """The step's reward."""
        return self.reward_hundredths / 100


class Episode:
    """The state of one episode (law §4)."""

    def __init__(self, maze: Maze) -> None:
        self.maze = maze
        self.batch = rules.new_batch(1, maze.height, maze.width)
        self._ages = trail_ages()
        rules.load(self.batch, 0, maze.open_cells, maze.start, maze.goal)

    def step(self, action: int) -> Step:
        """Plays an action, 0 to 3.

        Raises:
            ValueError: Another action, or the episode is over.
        """
        if action not in (0, 1, 2, 3):
            raise ValueError(f"action must be 0 to 3, got {action}")
        if self.over:
            raise ValueError("the episode is over")
        flags = rules.step(self.batch, 0, action)
        return Step(
            position=self.position,
            hit_wall=bool(flags & HIT_WALL),
            terminated=bool(flags & TERMINATED),
            truncated=bool(flags & TRUNCATED),
            reward_hundredths=int(rules.reward_hundredths(flags)),
            cumulative_hundredths=int(rules.cumulative_hundredths(self.batch, 0)),
        )

    def flat(self, frame: int) -> int:
        """Turns a frame index into a flat index of the maze."""
        return int(rules.row_of(self.batch, frame) * self.maze.width + rules.col_of(self.batch, frame))

    def frame(self, flat: int) -> int:
        """Turns a flat index of the maze into a frame index."""
        return int(rules.frame_index(self.batch, flat // self.maze.width, flat % self.maze.width))

    @property
    def position(self) -> int:
        """Flat index of the agent's cell."""
        return self.flat(int(self.batch.position[0]))

    @property
    def steps(self) -> int:
        """Steps made so far."""
        return int(self.batch.steps[0])

    @property
    def bumps(self) -> int:
        """Bumps so far."""
        return int(self.batch.bumps[0])

    @property
    def reached_goal(self) -> bool:
        """Whether the agent stands on the goal."""
        return self.position == self.maze.goal

    @property
    def over(self) -> bool:
        """Whether the episode ended: goal or step limit."""
        return self.reached_goal or self.steps >= self.maze.max_steps

    @property
    def spl(self) -> float:
        """Success weighted by path length of this episode (Anderson et al. 2018)."""
        return float(self.reached_goal) * self.maze.shortest_path / max(self.maze.shortest_path, self.steps)

    def observation(self, version: str, cell: int | None = None) -> F32Array:
        """Returns an observation, (25,) float32.

        Args:
            version: `plain/1`, `trail/1` or `memory/1`.
            cell: Flat index of the open cell to stand at instead of the agent's own (for the policy map).
        """
        agent = int(self.batch.position[0]) if cell is None else self.frame(cell)
        out = np.empty(OBSERVATION_SIZE, np.float32)
        rules.observe(self.batch, 0, agent, OBSERVATIONS.index(version), self._ages, out)
        return out

    def policy_map(self, version: str) -> tuple[list[int], F32Array]:
        """Returns the flat indices of the open cells, row-major, and their observations, (n, 25) float32."""
        cells = [int(cell) for cell in np.flatnonzero(self.maze.open_cells.ravel())]
        return cells, np.stack([self.observation(version, cell) for cell in cells])

    def dead_ends(self) -> list[int]:
        """Returns the flat indices of the cells that the agent knows to lead nowhere."""
        agent = int(self.batch.position[0])
        rules.spare_chain(self.batch, 0, agent)
        dead = [self.flat(int(frame)) for frame in np.flatnonzero(self.batch.status[0] == rules.DEAD)]
        rules.unspare_chain(self.batch, 0, agent)
        return dead


__all__ = ["MEMORY", "Episode", "Step"]
