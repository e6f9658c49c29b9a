"""The baselines of the law (§7): policies that learn nothing, played like any other policy."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from rlmaze_env import rules
from rlmaze_env.arrays import I32Array, U8Array
from rlmaze_env.episode import Episode
from rlmaze_env.maze import Maze, distances
from rlmaze_env.rules import DEAD, FRAME, OBSERVATION_SIZE, TERMINATED, UNSEEN, VIEW, Batch, offset
from rlmaze_env.splitmix import draw_bits

BASELINES = (
    "RANDOM",
    "WALL_FOLLOWER",
    "LEAST_RECENTLY_VISITED",
    "TRAIL_HEURISTIC",
    "MEMORY_HEURISTIC",
    "NEAREST_FRONTIER",
    "SHORTEST_PATH",
)
_RANDOM, _WALL, _LEAST_RECENT, _TRAIL, _MEMORY, _FRONTIER, _SHORTEST = range(7)

# Clockwise order of the wall follower: UP, RIGHT, DOWN, LEFT; and where each action stands in it.
_CLOCKWISE = np.array([0, 3, 1, 2], dtype=np.int64)
_CLOCK_OF_ACTION = np.array([0, 2, 3, 1], dtype=np.int64)
_TOP_TWO_BITS = np.uint64(62)


@njit(cache=True)
def follow_wall(b: Batch, i: int, heading: int) -> int:
    """Returns the action of the wall follower, which is also its next heading."""
    at = _CLOCK_OF_ACTION[heading]
    for turn in (1, 0, 3, 2):  # right of heading, heading, left of it, back
        action = _CLOCKWISE[(at + turn) % 4]
        if b.open[i, b.position[i] + offset(b, action)] == 1:
            return action
    return heading


@njit(cache=True)
def least_recently_visited(b: Batch, i: int, avoid_dead: bool) -> int:
    """Returns the action to the open neighbour visited longest ago; with `avoid_dead` DEAD ones count only when all are."""
    best = -1
    best_dead = False
    for action in range(4):
        p = b.position[i] + offset(b, action)
        if b.open[i, p] == 0:
            continue
        dead = avoid_dead and b.status[i, p] == DEAD
        if best >= 0:
            q = b.position[i] + offset(b, best)
            if dead and not best_dead:
                continue
            if dead == best_dead and b.last_visit[i, p] >= b.last_visit[i, q]:
                continue
        best = action
        best_dead = dead
    if best < 0:
        return 0
    return best


@njit(cache=True)
def towards_goal_in_view(b: Batch, i: int) -> int:
    """Returns the first step of a shortest way inside the 5 × 5 view to the goal, or −1 when there is none."""
    position, goal = b.position[i], b.goal[i]
    corner = position - FRAME * b.stride - FRAME
    dr = goal // b.stride - corner // b.stride
    dc = goal % b.stride - corner % b.stride
    if dr < 0 or dr >= VIEW or dc < 0 or dc >= VIEW:
        return -1
    steps = np.full(OBSERVATION_SIZE, -1, dtype=np.int64)
    queue = np.empty(OBSERVATION_SIZE, dtype=np.int64)
    steps[dr * VIEW + dc] = 0
    queue[0] = dr * VIEW + dc
    head, tail = 0, 1
    while head < tail:
        r, c = queue[head] // VIEW, queue[head] % VIEW
        head += 1
        for a in range(4):
            nr = r - (a == 0) + (a == 1)
            nc = c - (a == 2) + (a == 3)
            if nr < 0 or nc < 0 or nr >= VIEW or nc >= VIEW or steps[nr * VIEW + nc] >= 0:
                continue
            if b.open[i, corner + nr * b.stride + nc] == 1:
                steps[nr * VIEW + nc] = steps[r * VIEW + c] + 1
                queue[tail] = nr * VIEW + nc
                tail += 1
    middle = OBSERVATION_SIZE // 2
    if steps[middle] < 0:
        return -1
    for a in range(4):
        near = middle - VIEW * (a == 0) + VIEW * (a == 1) - (a == 2) + (a == 3)
        if steps[near] == steps[middle] - 1:
            return a
    return -1


@njit(cache=True)
def nearest_frontier(b: Batch, i: int) -> int:
    """Returns the first step to the goal over known cells, or to the nearest known cell with an unseen neighbour."""
    cells = b.open.shape[1]
    first = np.full(cells, -1, dtype=np.int64)  # first action of the way by which a cell was reached
    queue = np.empty(cells, dtype=np.int64)
    start = b.position[i]
    first[start] = 4
    queue[0] = start
    head, tail = 0, 1
    frontier = -1
    while head < tail:
        p = queue[head]
        head += 1
        if p == b.goal[i]:
            return first[p]
        if frontier < 0:
            for a in range(4):
                if b.status[i, p + offset(b, a)] == UNSEEN:
                    frontier = p
        for a in range(4):
            q = p + offset(b, a)
            if first[q] < 0 and b.open[i, q] == 1 and b.status[i, q] != UNSEEN:
                first[q] = a if p == start else first[p]
                queue[tail] = q
                tail += 1
    return first[frontier] if frontier >= 0 and first[frontier] < 4 else 0


@njit(cache=True)
def downhill(b: Batch, i: int, goal_steps: I32Array) -> int:
    """Returns the first action whose target is one nearer to the goal; `goal_steps` is (rows, cols) int32."""
    rows, cols = goal_steps.shape
    r = b.position[i] // b.stride - FRAME
    c = b.position[i] % b.stride - FRAME
    for a in range(4):
        nr = r - (a == 0) + (a == 1)
        nc = c - (a == 2) + (a == 3)
        if nr < 0 or nc < 0 or nr >= rows or nc >= cols:
            continue
        if goal_steps[nr, nc] >= 0 and goal_steps[nr, nc] == goal_steps[r, c] - 1:
            return a
    return 0


@njit(cache=True)
def choose(b: Batch, i: int, baseline: int, seed: np.uint64, heading: int, goal_steps: I32Array) -> int:
    """Returns the action of a baseline (index in BASELINES) in episode i.

    Args:
        b: The batch.
        i: Which episode.
        baseline: Index in BASELINES.
        seed: Used by RANDOM only.
        heading: The wall follower's heading, at first UP.
        goal_steps: (rows, cols) int32 distances from the goal, used by SHORTEST_PATH only.
    """
    if baseline == _RANDOM:
        drawn: int = np.int64(draw_bits(seed, b.steps[i] + 1) >> _TOP_TWO_BITS)  # type: ignore[assignment]
        return drawn
    if baseline == _WALL:
        return follow_wall(b, i, heading)
    if baseline == _FRONTIER:
        return nearest_frontier(b, i)
    if baseline == _SHORTEST:
        return downhill(b, i, goal_steps)
    if baseline != _LEAST_RECENT:
        action = towards_goal_in_view(b, i)
        if action >= 0:
            return action
    if baseline != _MEMORY:
        return least_recently_visited(b, i, False)
    rules.spare_chain(b, i, b.position[i])
    action = least_recently_visited(b, i, True)
    rules.unspare_chain(b, i, b.position[i])
    return action


@njit(cache=True)
def play(b: Batch, baseline: int, seed: np.uint64, goal_steps: I32Array, trace: U8Array) -> int:
    """Plays episode 0 to its end, writes the actions to `trace` (max_steps uint8) and returns the last step's flags."""
    heading = 0
    flags = 0
    while flags < TERMINATED:
        action = choose(b, 0, baseline, seed, heading, goal_steps)
        heading = action
        trace[b.steps[0]] = action
        flags = rules.step(b, 0, action)
    return flags


@dataclass(frozen=True)
class Play:
    """How a policy fared on one maze."""

    actions: bytes  # one byte 0–3 a step
    reached_goal: bool
    steps: int
    bumps: int
    spl: float


def goal_distances(maze: Maze) -> I32Array:
    """Returns the (rows, cols) int32 distances from the goal, −1 for walls and what cannot be reached."""
    found: I32Array = distances(maze.open_cells, maze.goal // maze.width, maze.goal % maze.width)
    return found


def play_baseline(maze: Maze, baseline: str, seed: int = 0) -> Play:
    """Plays a maze with a baseline.

    Raises:
        ValueError: No such baseline.
    """
    episode = Episode(maze)
    trace = np.zeros(maze.max_steps, np.uint8)
    play(episode.batch, BASELINES.index(baseline), np.uint64(seed), goal_distances(maze), trace)
    actions = trace[: episode.steps].tobytes()
    return Play(actions, episode.reached_goal, episode.steps, episode.bumps, episode.spl)
