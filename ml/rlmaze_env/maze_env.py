"""The Gymnasium face of the rules."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlmaze_env.arrays import F32Array, U8Array
from rlmaze_env.episode import Episode
from rlmaze_env.generator import generate
from rlmaze_env.maze import GOAL, START, WALL, Maze
from rlmaze_env.rewards import Rewards
from rlmaze_env.rules import OBSERVATION_SIZE, OBSERVATIONS

_PIXELS = 16  # side of a cell in rgb_array
_COLOURS = {
    WALL: (38, 42, 51),
    "path": (244, 245, 247),
    "visited": (196, 212, 240),
    START: (120, 190, 140),
    GOAL: (232, 170, 60),
    "agent": (52, 98, 219),
}


class MazeEnv(gym.Env[F32Array, np.int64]):
    """A maze seen through a window of 5 × 5 cells. This docstring is the spec sheet; the law is `ml/conformance/README.md`.

    Observation:
        `Box(-1, 1, (25,), float32)`: the 5 × 5 cells around the agent, row-major, the agent in the middle. A value is how
        desirable a cell is: −1 wall or outside, +1 goal, 0 unknown; with `trail/1` a visited cell is −0.8 (just now) rising to
        −0.2 (10,000 steps ago); with `memory/1` a cell known to lead nowhere is −1 besides.
    Action:
        `Discrete(4)`: 0 up, 1 down, 2 left, 3 right. A step into a wall or out of the grid leaves the agent where it is.
    Reward:
        −0.01 a step; −0.05 more for a bump; +1 more for reaching the goal. `rewards` may say otherwise in training.
    Episode:
        `reset` draws one of `mazes` by the environment's own random stream (`options={"maze": Maze}` names one instead) and
        puts the agent on its start. Reaching the goal is `terminated`, also on the last allowed step; else 2 · rows · cols
        steps are `truncated`. Stepping on after the end raises ValueError.
    Info:
        `position` flat index; `steps`; `bumps`; `hit_wall`; `shortest_path`; `is_success` at the end of an episode.
    Render:
        `rgb_array` gives (16 · rows, 16 · cols, 3) uint8, `ansi` text with `A` for the agent and `+` for visited cells.

    Args:
        mazes: Drawn from at each reset; None generates a fresh 10 × 10 tree every time.
        observation: `plain/1`, `trail/1` or `memory/1`.
        rewards: Worth of step, bump and goal.
        render_mode: None, `rgb_array` or `ansi`.
    """

    metadata = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": ["rgb_array", "ansi"],
        "render_fps": 10,
    }

    def __init__(
        self,
        mazes: Sequence[Maze] | None = None,
        observation: str = "memory/1",
        rewards: Rewards | None = None,
        render_mode: str | None = None,
    ) -> None:
        if observation not in OBSERVATIONS:
            raise ValueError(f"observation must be one of {', '.join(OBSERVATIONS)}, got {observation}")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode must be rgb_array, ansi or None, got {render_mode}")
        self.observation_space = spaces.Box(-1.0, 1.0, (OBSERVATION_SIZE,), np.float32)
        self.action_space = spaces.Discrete(4)
        self.render_mode = render_mode
        self._mazes = list(mazes) if mazes is not None else None
        self._observation = observation
        self._rewards = rewards or Rewards()
        self._episode: Episode | None = None

    @property
    def episode(self) -> Episode:
        """The episode being played.

        Raises:
            ValueError: `reset` was not called yet.
        """
        if self._episode is None:
            raise ValueError("call reset first")
        return self._episode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32Array, dict[str, Any]]:
        """Begins an episode; returns its first observation and info."""
        super().reset(seed=seed)
        maze = (options or {}).get("maze")
        if maze is None and self._mazes is not None:
            maze = self._mazes[int(self.np_random.integers(len(self._mazes)))]
        if maze is None:
            maze = generate(10, 10, int(self.np_random.integers(2**63)))
        self._episode = Episode(maze)
        return self._episode.observation(self._observation), self._info(hit_wall=False)

    def step(self, action: np.int64) -> tuple[F32Array, float, bool, bool, dict[str, Any]]:
        """Plays one action."""
        episode = self.episode
        made = episode.step(int(action))
        reward = self._rewards.step + made.hit_wall * self._rewards.bump + made.terminated * self._rewards.goal
        info = self._info(made.hit_wall)
        if made.terminated or made.truncated:
            info["is_success"] = made.terminated
        return episode.observation(self._observation), reward, made.terminated, made.truncated, info

    def _info(self, hit_wall: bool) -> dict[str, Any]:
        episode = self.episode
        return {
            "position": episode.position,
            "steps": episode.steps,
            "bumps": episode.bumps,
            "hit_wall": hit_wall,
            "shortest_path": episode.maze.shortest_path,
        }

    def render(self) -> Any:
        """Draws the episode in the render mode; nothing without one."""
        if self.render_mode == "ansi":
            return self._text()
        return self._image() if self.render_mode == "rgb_array" else None

    def _visited(self, flat: int) -> bool:
        return bool(self.episode.batch.last_visit[0, self.episode.frame(flat)] >= 0)

    def _text(self) -> str:
        maze, agent = self.episode.maze, self.episode.position
        lines = []
        for r, row in enumerate(maze.rows):
            marks = []
            for c, mark in enumerate(row):
                flat = r * maze.width + c
                marks.append("A" if flat == agent else "+" if mark == "." and self._visited(flat) else mark)
            lines.append("".join(marks))
        return "\n".join(lines) + "\n"

    def _image(self) -> U8Array:
        maze, agent = self.episode.maze, self.episode.position
        image = np.empty((maze.height, maze.width, 3), np.uint8)
        for r, row in enumerate(maze.rows):
            for c, mark in enumerate(row):
                path = "visited" if self._visited(r * maze.width + c) else "path"
                image[r, c] = _COLOURS[path if mark == "." else mark]
        image[agent // maze.width, agent % maze.width] = _COLOURS["agent"]
        large: U8Array = image.repeat(_PIXELS, axis=0).repeat(_PIXELS, axis=1)
        return large
