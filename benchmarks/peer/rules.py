"""The rules of the maze for the Python peer: one compiled call a step.

A peer in interpreted Python would spend most of its time in the flood of ``memory/1``, and the comparison would say little about
servers. So the peer gets its rules compiled by numba, as a careful author would write them: state in preallocated arrays, one call
that moves, marks and observes. The law is ``ml/conformance/README.md``; ``test_rules.py`` replays its episodes through this file.
"""

from __future__ import annotations

import os
from pathlib import Path

# The compiled code is cached, so that only the first start of the peer pays for the compiler. Numba reads this at import.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).resolve().parents[2] / ".tools" / "bench" / "numba"))

import numba
import numpy as np
from numpy.typing import NDArray

VIEW = 5
OBSERVATION_LENGTH = VIEW * VIEW
PLAIN, TRAIL, MEMORY = 0, 1, 2
VERSIONS = {"plain/1": PLAIN, "trail/1": TRAIL, "memory/1": MEMORY}
GOAL, WALL = np.float32(1.0), np.float32(-1.0)
# Indexes of the state array.
ROW, COL, STEPS, BUMPS, END = 0, 1, 2, 3, 4
RUNNING, REACHED_GOAL, STEP_LIMIT = 0, 1, 2


@numba.njit(cache=True)
def _see(state, is_open, seen):
    rows, cols = is_open.shape
    for row in range(max(0, state[0] - 2), min(rows, state[0] + 3)):
        for col in range(max(0, state[1] - 2), min(cols, state[1] + 3)):
            seen[row, col] = True


@numba.njit(cache=True)
def _find_dead_ends(state, goal, is_open, seen, degree, dead, stack):
    """Marks in dead the seen open cells that lead nowhere; the result does not depend on the order of removal."""
    rows, cols = is_open.shape
    top = 0
    for row in range(rows):
        for col in range(cols):
            dead[row, col] = False
            if not (seen[row, col] and is_open[row, col]):
                continue
            ways = 0
            if row > 0 and (is_open[row - 1, col] or not seen[row - 1, col]):
                ways += 1
            if row + 1 < rows and (is_open[row + 1, col] or not seen[row + 1, col]):
                ways += 1
            if col > 0 and (is_open[row, col - 1] or not seen[row, col - 1]):
                ways += 1
            if col + 1 < cols and (is_open[row, col + 1] or not seen[row, col + 1]):
                ways += 1
            degree[row, col] = ways
            if ways <= 1 and not (row == state[0] and col == state[1]) and not (row == goal[0] and col == goal[1]):
                dead[row, col] = True
                stack[top, 0], stack[top, 1] = row, col
                top += 1
    while top > 0:
        top -= 1
        row, col = stack[top, 0], stack[top, 1]
        for direction in range(4):
            r = row + (-1 if direction == 0 else 1 if direction == 1 else 0)
            c = col + (-1 if direction == 2 else 1 if direction == 3 else 0)
            if r < 0 or r >= rows or c < 0 or c >= cols or not (seen[r, c] and is_open[r, c]) or dead[r, c]:
                continue
            degree[r, c] -= 1
            if degree[r, c] <= 1 and not (r == state[0] and c == state[1]) and not (r == goal[0] and c == goal[1]):
                dead[r, c] = True
                stack[top, 0], stack[top, 1] = r, c
                top += 1


@numba.njit(cache=True)
def _observe(version, state, goal, is_open, seen, last_visit, ages, degree, dead, stack, observation):
    rows, cols = is_open.shape
    if version == MEMORY:
        _find_dead_ends(state, goal, is_open, seen, degree, dead, stack)
    i = 0
    for row in range(state[0] - 2, state[0] + 3):
        for col in range(state[1] - 2, state[1] + 3):
            if row < 0 or row >= rows or col < 0 or col >= cols or not is_open[row, col]:
                value = WALL
            elif row == goal[0] and col == goal[1]:
                value = GOAL
            elif version == MEMORY and dead[row, col]:
                value = WALL
            elif version != PLAIN and last_visit[row, col] >= 0:
                value = ages[min(state[2] - last_visit[row, col], 10000)]
            else:
                value = np.float32(0.0)
            observation[i] = value
            i += 1


@numba.njit(cache=True)
def _reset(version, state, start, goal, is_open, seen, last_visit, ages, degree, dead, stack, observation):
    state[0], state[1], state[2], state[3], state[4] = start[0], start[1], 0, 0, 0
    seen[:] = False
    last_visit[:] = -1
    last_visit[start[0], start[1]] = 0
    _see(state, is_open, seen)
    _observe(version, state, goal, is_open, seen, last_visit, ages, degree, dead, stack, observation)


@numba.njit(cache=True)
def _step(version, action, state, goal, is_open, seen, last_visit, ages, degree, dead, stack, observation):
    rows, cols = is_open.shape
    row = state[0] + (-1 if action == 0 else 1 if action == 1 else 0)
    col = state[1] + (-1 if action == 2 else 1 if action == 3 else 0)
    hit_wall = row < 0 or row >= rows or col < 0 or col >= cols or not is_open[row, col]
    if hit_wall:
        state[3] += 1
    else:
        state[0], state[1] = row, col
    state[2] += 1
    last_visit[state[0], state[1]] = state[2]
    _see(state, is_open, seen)
    if state[0] == goal[0] and state[1] == goal[1]:
        state[4] = REACHED_GOAL
    elif state[2] >= 2 * rows * cols:
        state[4] = STEP_LIMIT
    _observe(version, state, goal, is_open, seen, last_visit, ages, degree, dead, stack, observation)
    return hit_wall


class Episode:
    """One episode in one maze.

    Attributes:
        observation: (25,) float32 of the present moment, overwritten by every step.
        state: (5,) int64: row, col, steps, bumps, end (RUNNING, REACHED_GOAL or STEP_LIMIT).
    """

    def __init__(self, rows: list[str], version: str, trail_ages: NDArray[np.float32]) -> None:
        grid = np.array([list(row) for row in rows])
        is_open = grid != "#"
        start, goal = np.argwhere(grid == "S")[0], np.argwhere(grid == "G")[0]
        self.state = np.zeros(5, np.int64)
        self.observation = np.zeros(OBSERVATION_LENGTH, np.float32)
        cells = is_open.size
        self._version = VERSIONS[version]
        self._rest = (
            goal,
            is_open,
            np.zeros(is_open.shape, np.bool_),
            np.zeros(is_open.shape, np.int64),
            trail_ages,
            np.zeros(is_open.shape, np.int8),
            np.zeros(is_open.shape, np.bool_),
            np.zeros((cells, 2), np.int16),
            self.observation,
        )
        _reset(self._version, self.state, start, *self._rest)

    def step(self, action: int) -> bool:
        """Makes one move and observes; returns whether the agent ran into a wall."""
        return _step(self._version, action, self.state, *self._rest)

    @property
    def end(self) -> int:
        return int(self.state[END])
