"""The compiled rules: episode state of many mazes at once, steps and observations (law §4 and §5).

State is a `Batch` of plain arrays, one row an episode. A grid lies in the middle of a frame two cells wide, so that a
5 × 5 view never leaves the array; a *frame index* is `(row + 2) * stride + col + 2`.

What the agent knows to lead nowhere is defined afresh at every step, with the agent's cell never removed. Removing
without that exception only ever grows as more is seen, so it is kept incrementally here (`status`), each removed cell
with the neighbour that was its only way on (`way_out`). With the agent standing in the removed part, exactly the cells
on its chain of ways out are not removed. `ml/tests/test_rules.py` checks this against the definition, word by word.
"""

from typing import NamedTuple

import numpy as np

from rlmaze_env.arrays import F32Array, I8Array, I32Array, U8Array
from rlmaze_env.compiled import inlined_kernel, kernel

VIEW = 5
OBSERVATION_SIZE = VIEW * VIEW
FRAME = VIEW // 2
OLDEST_AGE = 10_000

OBSERVATIONS = ("plain/1", "trail/1", "memory/1")
PLAIN, TRAIL, MEMORY = 0, 1, 2

# Values of `status`. The first two count as ways on, the others do not.
UNSEEN, LIVE, BLOCKED, DEAD, SPARED = 0, 1, 2, 3, 4

# Flags that a step returns.
HIT_WALL, TERMINATED, TRUNCATED = 1, 2, 4


class Batch(NamedTuple):
    """State of n episodes on mazes of at most (height, width); `cells` = (height + 4) * (width + 4)."""

    stride: int
    open: U8Array  # (n, cells), 1 = inside and not wall
    face: F32Array  # (n, cells), what plain/1 shows: −1 wall or outside, +1 goal, else 0
    status: I8Array  # (n, cells), what the agent knows: UNSEEN, LIVE, BLOCKED (wall or outside) or DEAD
    way_out: I32Array  # (n, cells), of a DEAD cell: frame index of its only way on, −1 = none
    last_visit: I32Array  # (n, cells), −1 = never
    goal: I32Array  # (n,), frame index
    position: I32Array  # (n,), frame index
    steps: I32Array  # (n,)
    bumps: I32Array  # (n,)
    max_steps: I32Array  # (n,)
    queue: I32Array  # scratch


def new_batch(n: int, height: int, width: int) -> Batch:
    """Allocates n episodes on mazes of at most height × width; they must be reset before use."""
    cells = (height + 2 * FRAME) * (width + 2 * FRAME)
    return Batch(
        stride=width + 2 * FRAME,
        open=np.zeros((n, cells), np.uint8),
        face=np.full((n, cells), -1.0, np.float32),
        status=np.zeros((n, cells), np.int8),
        way_out=np.full((n, cells), -1, np.int32),
        last_visit=np.full((n, cells), -1, np.int32),
        goal=np.zeros(n, np.int32),
        position=np.zeros(n, np.int32),
        steps=np.zeros(n, np.int32),
        bumps=np.zeros(n, np.int32),
        max_steps=np.zeros(n, np.int32),
        queue=np.empty(cells + 6 * OBSERVATION_SIZE, np.int32),
    )


@inlined_kernel
def frame_index(b: Batch, row: int, col: int) -> int:
    """Returns the frame index of a cell."""
    return (row + FRAME) * b.stride + col + FRAME


@inlined_kernel
def row_of(b: Batch, frame: int) -> int:
    """Returns the row of a frame index."""
    return frame // b.stride - FRAME


@inlined_kernel
def col_of(b: Batch, frame: int) -> int:
    """Returns the column of a frame index."""
    return frame % b.stride - FRAME


@inlined_kernel
def offset(b: Batch, action: int) -> int:
    """Returns what an action adds to a frame index."""
    if action == 0:
        return -b.stride
    if action == 1:
        return b.stride
    return -1 if action == 2 else 1


@kernel
def _remove_dead_ends(status: I8Array, way_out: I32Array, queue: I32Array, tail: int, goal: int, stride: int) -> None:
    """Removes from the queued cells on whatever leads nowhere. `tail` is the number of queued cells."""
    while tail > 0:
        tail -= 1
        p = queue[tail]
        if status[p] != LIVE or p == goal:
            continue
        count = 0
        way = -1
        if status[p - stride] <= LIVE:
            count += 1
            way = p - stride
        if status[p + stride] <= LIVE:
            count += 1
            way = p + stride
        if status[p - 1] <= LIVE:
            count += 1
            way = p - 1
        if status[p + 1] <= LIVE:
            count += 1
            way = p + 1
        if count <= 1:
            status[p] = DEAD
            way_out[p] = way
            if way >= 0 and status[way] == LIVE:
                queue[tail] = way
                tail += 1


@inlined_kernel
def _see_cell(cells: U8Array, status: I8Array, queue: I32Array, tail: int, p: int, stride: int) -> int:
    """Makes one cell seen, queues what is to be judged again, and returns the new length of the queue."""
    if status[p] != UNSEEN:
        return tail
    if cells[p] == 1:
        status[p] = LIVE
        queue[tail] = p
        return tail + 1
    status[p] = BLOCKED
    queue[tail] = p - stride
    queue[tail + 1] = p + stride
    queue[tail + 2] = p - 1
    queue[tail + 3] = p + 1
    return tail + 4


@kernel
def _see_line(cells: U8Array, status: I8Array, way_out: I32Array, queue: I32Array, first: int, apart: int, goal: int, stride: int) -> None:
    """Makes five cells seen: `first` and the next four, each `apart` from the one before."""
    tail = 0
    for k in range(VIEW):
        tail = _see_cell(cells, status, queue, tail, first + k * apart, stride)
    if tail > 0:
        _remove_dead_ends(status, way_out, queue, tail, goal, stride)


@kernel
def begin(b: Batch, i: int, rows: int, cols: int, start: int, goal: int) -> None:
    """Begins an episode on the maze that stands in `b.open[i]` and `b.face[i]`.

    Args:
        b: The batch.
        i: Which episode.
        rows: Height of this maze; it lies in the frame's upper left.
        cols: Its width.
        start: Frame index of S.
        goal: Frame index of G.
    """
    b.status[i, :] = BLOCKED
    for r in range(rows):
        base = (r + FRAME) * b.stride + FRAME
        b.status[i, base : base + cols] = UNSEEN
    b.last_visit[i, :] = -1
    b.last_visit[i, start] = 0
    b.goal[i] = goal
    b.position[i] = start
    b.steps[i] = 0
    b.bumps[i] = 0
    b.max_steps[i] = 2 * rows * cols
    for dr in range(-FRAME, FRAME + 1):
        _see_line(b.open[i], b.status[i], b.way_out[i], b.queue, start + dr * b.stride - FRAME, 1, goal, b.stride)


@kernel
def show(open_cells: U8Array, goal: int, face: F32Array) -> None:
    """Writes what plain/1 shows of every cell of a frame: (cells,) uint8 to (cells,) float32."""
    for p in range(open_cells.size):
        face[p] = 0.0 if open_cells[p] == 1 else -1.0
    face[goal] = 1.0


@kernel
def load(b: Batch, i: int, open_cells: U8Array, start: int, goal: int) -> None:
    """Copies a maze into the frame of episode i and begins it; start and goal are flat indices of the maze."""
    rows, cols = open_cells.shape
    b.open[i, :] = 0
    for r in range(rows):
        base = (r + FRAME) * b.stride + FRAME
        for c in range(cols):
            b.open[i, base + c] = open_cells[r, c]
    goal_frame = frame_index(b, goal // cols, goal % cols)
    show(b.open[i], goal_frame, b.face[i])
    begin(b, i, rows, cols, frame_index(b, start // cols, start % cols), goal_frame)


@inlined_kernel
def step(b: Batch, i: int, action: int) -> int:
    """Plays one action in episode i and returns its flags: HIT_WALL, TERMINATED, TRUNCATED."""
    position = b.position[i]
    target = position + offset(b, action)
    b.steps[i] += 1
    flags = 0
    if b.open[i, target] == 1:
        b.position[i] = target
        b.last_visit[i, target] = b.steps[i]
        # A move shows one new line of the window: its far row or column.
        ahead = target + FRAME * (target - position)
        across = 1 if action < 2 else b.stride
        _see_line(b.open[i], b.status[i], b.way_out[i], b.queue, ahead - FRAME * across, across, b.goal[i], b.stride)
    else:
        b.bumps[i] += 1
        b.last_visit[i, position] = b.steps[i]
        flags = HIT_WALL
    if b.position[i] == b.goal[i]:
        flags |= TERMINATED
    elif b.steps[i] >= b.max_steps[i]:
        flags |= TRUNCATED
    return flags


@inlined_kernel
def reward_hundredths(flags: int) -> int:
    """Returns the step's reward in hundredths."""
    if flags & TERMINATED:
        return 99
    return -6 if flags & HIT_WALL else -1


@inlined_kernel
def cumulative_hundredths(b: Batch, i: int) -> int:
    """Returns the episode's reward so far in hundredths, from the counters alone."""
    reached = 100 if b.position[i] == b.goal[i] and b.steps[i] > 0 else 0
    return reached - b.steps[i] - 5 * b.bumps[i]


@kernel
def _spare(status: I8Array, way_out: I32Array, cell: int) -> None:
    p = cell
    while p >= 0 and status[p] == DEAD:
        status[p] = SPARED
        p = way_out[p]
    if p < 0 or status[p] == BLOCKED:
        # The chain ends nowhere: an enclosed part that cannot be reached. Only the cell itself is excepted.
        _unspare(status, way_out, cell)
        status[cell] = SPARED


@kernel
def _unspare(status: I8Array, way_out: I32Array, cell: int) -> None:
    p = cell
    while p >= 0 and status[p] == SPARED:
        status[p] = DEAD
        p = way_out[p]


@kernel
def spare_chain(b: Batch, i: int, cell: int) -> None:
    """Marks the cells that are not known to lead nowhere when the agent stands at `cell`; undone by `unspare_chain`."""
    if b.status[i, cell] == DEAD:
        _spare(b.status[i], b.way_out[i], cell)


@kernel
def unspare_chain(b: Batch, i: int, cell: int) -> None:
    """Takes back what `spare_chain` marked."""
    _unspare(b.status[i], b.way_out[i], cell)


@inlined_kernel
def _window(
    face: F32Array, status: I8Array, last_visit: I32Array, steps: int, stride: int, agent: int, version: int, ages: F32Array, out: F32Array
) -> None:
    # Unsigned indices and constant bounds let the compiler unroll the window and leave out the checks for negative indices. Values are
    # chosen, not branched to: where an agent was is as good as random to the processor.
    for dr in range(VIEW):
        first = np.uint64(agent + (dr - FRAME) * stride - FRAME)
        for dc in range(VIEW):
            p = first + np.uint64(dc)
            value = face[p]
            if version != PLAIN:
                visit = last_visit[p]
                aged = ages[np.uint64(min(max(steps - visit, 0), OLDEST_AGE))]
                value = aged if (visit >= 0) & (value == 0.0) else value
                if version == MEMORY:
                    value = np.float32(-1.0) if status[p] == DEAD else value
            out[np.uint64(dr * VIEW + dc)] = value
    if version != PLAIN and face[agent] == 0.0:
        out[OBSERVATION_SIZE // 2] = ages[0]


@inlined_kernel
def observe(b: Batch, i: int, agent: int, version: int, ages: F32Array, out: F32Array) -> None:
    """Writes the observation of episode i as if the agent stood at frame index `agent` now.

    Args:
        b: The batch.
        i: Which episode.
        agent: Frame index of an open cell.
        version: PLAIN, TRAIL or MEMORY.
        ages: (10001,) float32, the trail table.
        out: (25,) float32 in [−1, 1], overwritten.
    """
    if version == MEMORY and b.status[i, agent] == DEAD:
        _spare(b.status[i], b.way_out[i], agent)
    _window(b.face[i], b.status[i], b.last_visit[i], b.steps[i], b.stride, agent, version, ages, out)
    if version == MEMORY and b.status[i, agent] == SPARED:
        _unspare(b.status[i], b.way_out[i], agent)
