"""The peer of env-step: the same rules in plain Python, as a careful author writes a Gymnasium environment.

Lists and sets of cells, no NumPy in the inner loops (it is slower on 25 cells), and dead ends removed only when something new
was seen: removing without the agent's exception is kept between steps, as our own rules do. `ml/tests/test_peers.py`
replays the committed conformance episodes through this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

VIEW = 5
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))


class PlainMazeEnv(gym.Env):  # type: ignore[type-arg]
    """Plays one maze after the other.

    Args:
        mazes: Rows of text; one is drawn at each reset.
        observation: `plain/1`, `trail/1` or `memory/1`.
        ages: The trail table, 10,001 float32.
    """

    def __init__(self, mazes: Sequence[Sequence[str]], observation: str, ages: Sequence[float]) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (VIEW * VIEW,), np.float32)
        self.action_space = spaces.Discrete(4)
        self._mazes = mazes
        self._trail = observation != "plain/1"
        self._memory = observation == "memory/1"
        self._ages = [float(age) for age in ages]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        rows = (options or {}).get("rows") or self._mazes[int(self.np_random.integers(len(self._mazes)))]
        self.height, self.width = len(rows), len(rows[0])
        # A frame of two cells of wall, so that the view never leaves the list.
        self._stride = self.width + 4
        frame = "#" * (2 * self._stride)
        text = frame + "".join("##" + row + "##" for row in rows) + frame
        self._open = [mark != "#" for mark in text]
        self._position, self._goal = text.index("S"), text.index("G")
        s = self._stride
        self._moves = (-s, s, -1, 1)
        self._view = [dr * s + dc for dr in range(-2, 3) for dc in range(-2, 3)]
        self._steps = 0
        self._limit = 2 * self.height * self.width
        self._last_visit = [-1] * len(text)
        self._last_visit[self._position] = 0
        inside = [False] * len(text)
        for r in range(2, self.height + 2):
            inside[r * s + 2 : r * s + 2 + self.width] = [True] * self.width
        # A cell leads on while it is unseen and inside, or seen, open and not removed.
        self._leads_on = inside
        self._seen = [not cell for cell in inside]
        self._way_out: dict[int, int] = {}
        if self._memory:
            self._look()
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        target = self._position + self._moves[action]
        self._steps += 1
        reward = -0.01
        if self._open[target]:
            self._position = target
            if self._memory:
                self._look()
        else:
            reward = -0.06
        self._last_visit[self._position] = self._steps
        terminated = self._position == self._goal
        if terminated:
            reward = 0.99
        truncated = not terminated and self._steps >= self._limit
        return self._observe(), reward, terminated, truncated, {}

    def _look(self) -> None:
        """Sees the view, and removes what is now known to lead nowhere."""
        seen, leads_on, position = self._seen, self._leads_on, self._position
        doubtful = []
        for offset in self._view:
            p = position + offset
            if not seen[p]:
                seen[p] = True
                if self._open[p]:
                    doubtful.append(p)
                else:
                    leads_on[p] = False
                    doubtful += [p + move for move in self._moves]
        goal, way_out = self._goal, self._way_out
        while doubtful:
            p = doubtful.pop()
            if not leads_on[p] or not seen[p] or p == goal:
                continue
            ways = [p + move for move in self._moves if leads_on[p + move]]
            if len(ways) <= 1:
                leads_on[p] = False
                way_out[p] = ways[0] if ways else -1
                doubtful += ways

    def _observe(self) -> Any:
        position, steps, last_visit, opened = self._position, self._steps, self._last_visit, self._open
        spared = set()
        if self._memory and not self._leads_on[position]:
            p = position
            while p in self._way_out:
                spared.add(p)
                p = self._way_out[p]
        values = []
        for offset in self._view:
            p = position + offset
            if not opened[p]:
                value = -1.0
            elif p == self._goal:
                value = 1.0
            elif self._memory and not self._leads_on[p] and p not in spared:
                value = -1.0
            elif self._trail and last_visit[p] >= 0:
                value = self._ages[min(steps - last_visit[p], 10000)]
            else:
                value = 0.0
            values.append(value)
        return np.array(values, np.float32)
