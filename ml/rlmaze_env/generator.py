"""Mazes from a seed (law §2): recursive backtracking on the cells, then loops, then start and goal."""

import math

import numpy as np
from numba import njit

from rlmaze_env.arrays import U8Array, U64Array
from rlmaze_env.maze import MAX_SIZE, MIN_SIZE, Maze, distances
from rlmaze_env.splitmix import UINT64_MAX, below

_ATTEMPTS = 100  # of drawing a start with a goal far enough; the law's figure


@njit(cache=True)
def _carve(open_cells: U8Array, state: U64Array) -> None:
    rows, cols = open_cells.shape
    stack = np.empty(rows * cols, dtype=np.int32)
    candidates = np.empty(4, dtype=np.int32)
    r = below(state, rows)
    c = below(state, cols)
    open_cells[r, c] = 1
    stack[0] = r * cols + c
    depth = 1
    while depth > 0:
        r, c = stack[depth - 1] // cols, stack[depth - 1] % cols
        count = 0
        for a in range(4):
            nr = r - (a == 0) + (a == 1)
            nc = c - (a == 2) + (a == 3)
            if nr < 0 or nc < 0 or nr >= rows or nc >= cols or open_cells[nr, nc] == 1:
                continue
            neighbours = 0
            if nr > 0:
                neighbours += open_cells[nr - 1, nc]
            if nr < rows - 1:
                neighbours += open_cells[nr + 1, nc]
            if nc > 0:
                neighbours += open_cells[nr, nc - 1]
            if nc < cols - 1:
                neighbours += open_cells[nr, nc + 1]
            if neighbours == 1:
                candidates[count] = nr * cols + nc
                count += 1
        if count == 0:
            depth -= 1
            continue
        chosen = candidates[below(state, count)]
        open_cells[chosen // cols, chosen % cols] = 1
        stack[depth] = chosen
        depth += 1


@njit(cache=True)
def _open_loops(open_cells: U8Array, state: U64Array, loop_ratio: float) -> None:
    rows, cols = open_cells.shape
    candidates = np.empty(rows * cols, dtype=np.int32)
    count = 0
    for r in range(rows):
        for c in range(cols):
            if open_cells[r, c] == 1:
                continue
            up = r > 0 and open_cells[r - 1, c] == 1
            down = r < rows - 1 and open_cells[r + 1, c] == 1
            left = c > 0 and open_cells[r, c - 1] == 1
            right = c < cols - 1 and open_cells[r, c + 1] == 1
            if (up and down and not left and not right) or (left and right and not up and not down):
                candidates[count] = r * cols + c
                count += 1
    k = math.floor(loop_ratio * count)
    for i in range(k):
        j = i + below(state, count - i)
        candidates[i], candidates[j] = candidates[j], candidates[i]
        open_cells[candidates[i] // cols, candidates[i] % cols] = 1


@njit(cache=True)
def _farthest(open_cells: U8Array, cell: int) -> int:
    cols = open_cells.shape[1]
    steps = distances(open_cells, cell // cols, cell % cols).ravel()
    best = cell
    for i in range(steps.size):
        if steps[i] > steps[best] or (steps[i] == steps[best] and i < best):
            best = i
    return best


@njit(cache=True)
def _place(open_cells: U8Array, state: U64Array) -> tuple[int, int]:
    rows, cols = open_cells.shape
    cells = np.flatnonzero(open_cells.ravel())
    need = max(rows, cols)
    far = np.empty(rows * cols, dtype=np.int32)
    for _ in range(_ATTEMPTS):
        start = cells[below(state, cells.size)]
        steps = distances(open_cells, start // cols, start % cols).ravel()
        count = 0
        for i in range(steps.size):
            if steps[i] >= need:
                far[count] = i
                count += 1
        if count > 0:
            return start, int(far[below(state, count)])
    start = _farthest(open_cells, cells[0])
    return start, _farthest(open_cells, start)


@njit(cache=True)
def generate_cells(rows: int, cols: int, state: U64Array, loop_ratio: float) -> tuple[U8Array, int, int]:
    """Generates a maze as arrays.

    Args:
        rows: Height, 3 to 100.
        cols: Width, 3 to 100.
        state: (1,) uint64 of the generator's stream, advanced in place.
        loop_ratio: Already rounded to 0.01.

    Returns:
        (rows, cols) uint8 open cells, flat start, flat goal.
    """
    open_cells = np.zeros((rows, cols), dtype=np.uint8)
    _carve(open_cells, state)
    if loop_ratio > 0.0:
        _open_loops(open_cells, state, loop_ratio)
    start, goal = _place(open_cells, state)
    return open_cells, start, goal


def round_loop_ratio(loop_ratio: float) -> float:
    """Rounds a loop ratio to hundredths, as the law says."""
    return math.floor(loop_ratio * 100 + 0.5) / 100


def to_rows(open_cells: U8Array, start: int, goal: int) -> tuple[str, ...]:
    """Writes arrays as rows of text."""
    rows, cols = open_cells.shape
    raw = np.where(open_cells.ravel() == 1, ord("."), ord("#")).astype(np.uint8)
    raw[start] = ord("S")
    raw[goal] = ord("G")
    text = raw.tobytes().decode("ascii")
    return tuple(text[r * cols : (r + 1) * cols] for r in range(rows))


def generate(rows: int, cols: int, seed: int, loop_ratio: float = 0.0) -> Maze:
    """Generates the maze of (rows, cols, seed, loop_ratio): the same in Go and Python.

    Raises:
        ValueError: A size outside 3..100, a seed outside 64 bits or a loop ratio outside 0..1.
    """
    if not (MIN_SIZE <= rows <= MAX_SIZE and MIN_SIZE <= cols <= MAX_SIZE):
        raise ValueError(f"rows and cols must be {MIN_SIZE} to {MAX_SIZE}, got {rows} x {cols}")
    if not 0 <= seed <= UINT64_MAX:
        raise ValueError(f"seed must be in 0..2^64-1, got {seed}")
    if not 0.0 <= loop_ratio <= 1.0:
        raise ValueError(f"loop_ratio must be in 0..1, got {loop_ratio}")
    state = np.array([seed], dtype=np.uint64)
    return Maze(to_rows(*generate_cells(rows, cols, state, round_loop_ratio(loop_ratio))))


def generated_id(rows: int, cols: int, seed: int, loop_ratio: float = 0.0) -> str:
    """Returns the maze id of a generated maze, for example `generated-10x10-42-30`."""
    percent = round(round_loop_ratio(loop_ratio) * 100)
    return f"generated-{rows}x{cols}-{seed}" + (f"-{percent}" if percent else "")
