"""The maze as a value: rows of text, and the facts that follow from them (law §3)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from rlmaze_env.arrays import I32Array, U8Array

MIN_SIZE = 3
MAX_SIZE = 100
WALL, PATH, START, GOAL = "#", ".", "S", "G"

UP, DOWN, LEFT, RIGHT = 0, 1, 2, 3
ACTION_NAMES = ("UP", "DOWN", "LEFT", "RIGHT")


class MazeError(ValueError):
    """A drawn maze that breaks a rule of the law §3. `rule` names it, as the server's errors do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@njit(cache=True)
def distances(open_cells: U8Array, row: int, col: int) -> I32Array:
    """Breadth-first distances over open cells.

    Args:
        open_cells: (rows, cols) uint8, 1 = open, 0 = wall.
        row: Row of the cell to measure from.
        col: Its column.

    Returns:
        (rows, cols) int32, −1 where there is no way.
    """
    rows, cols = open_cells.shape
    out = np.full((rows, cols), -1, dtype=np.int32)
    queue = np.empty(rows * cols, dtype=np.int32)
    queue[0] = row * cols + col
    out[row, col] = 0
    head, tail = 0, 1
    while head < tail:
        r, c = queue[head] // cols, queue[head] % cols
        head += 1
        for a in range(4):
            nr = r - (a == 0) + (a == 1)
            nc = c - (a == 2) + (a == 3)
            if nr < 0 or nc < 0 or nr >= rows or nc >= cols:
                continue
            if open_cells[nr, nc] == 1 and out[nr, nc] < 0:
                out[nr, nc] = out[r, c] + 1
                queue[tail] = nr * cols + nc
                tail += 1
    return out


def symmetries(rows: Sequence[str]) -> list[str]:
    """Returns the eight rotations and mirror images of the grid, rows joined by a newline."""
    forms = []
    for grid in (list(rows), ["".join(column) for column in zip(*rows, strict=True)]):
        mirrored = [row[::-1] for row in grid]
        forms += ["\n".join(grid), "\n".join(grid[::-1]), "\n".join(mirrored), "\n".join(mirrored[::-1])]
    return forms


def canonical_hash(rows: Sequence[str]) -> str:
    """Returns the lower-case hex SHA-256 of the smallest of the eight symmetric forms."""
    return hashlib.sha256(min(symmetries(rows)).encode("ascii")).hexdigest()


@dataclass(frozen=True)
class Maze:
    """A valid maze. Two mazes with the same rows are equal, whatever they are called.

    Raises:
        MazeError: The rows break a rule of the law §3.
    """

    rows: tuple[str, ...]

    def __post_init__(self) -> None:
        if not MIN_SIZE <= len(self.rows) <= MAX_SIZE:
            raise MazeError("maze.size", f"a maze has {MIN_SIZE} to {MAX_SIZE} rows, got {len(self.rows)}")
        if not MIN_SIZE <= len(self.rows[0]) <= MAX_SIZE:
            raise MazeError("maze.size", f"a maze has {MIN_SIZE} to {MAX_SIZE} columns, got {len(self.rows[0])}")
        if any(len(row) != len(self.rows[0]) for row in self.rows):
            raise MazeError("maze.ragged", "all rows must have the same length")
        text = "".join(self.rows)
        if strange := set(text) - {WALL, PATH, START, GOAL}:
            raise MazeError("maze.characters", f"only # . S G may occur, got {sorted(strange)!r}")
        for letter, rule in ((START, "maze.start"), (GOAL, "maze.goal")):
            if text.count(letter) != 1:
                raise MazeError(rule, f"exactly one {letter} is needed, got {text.count(letter)}")
        if self.shortest_path < 0:
            raise MazeError("maze.unsolvable", "there is no way from S to G")

    @classmethod
    def parse(cls, text: str) -> "Maze":
        """Reads a maze from lines of text."""
        return cls(tuple(text.strip("\n").split("\n")))

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    @cached_property
    def open_cells(self) -> U8Array:
        """(rows, cols) uint8, 1 = open, 0 = wall."""
        raw = np.frombuffer("".join(self.rows).encode("ascii"), dtype=np.uint8)
        return (raw != ord(WALL)).astype(np.uint8).reshape(self.height, self.width)

    def _find(self, letter: str) -> int:
        return "".join(self.rows).index(letter)

    @cached_property
    def start(self) -> int:
        """Flat index of S."""
        return self._find(START)

    @cached_property
    def goal(self) -> int:
        """Flat index of G."""
        return self._find(GOAL)

    @cached_property
    def shortest_path(self) -> int:
        """Steps of the shortest way from S to G; −1 while the maze is being checked and there is none."""
        found = distances(self.open_cells, self.start // self.width, self.start % self.width)
        return int(found[self.goal // self.width, self.goal % self.width])

    @property
    def max_steps(self) -> int:
        """The step limit of an episode."""
        return 2 * self.height * self.width

    @property
    def difficulty(self) -> str:
        """EASY, MEDIUM or HARD, by the shortest path in relation to the size."""
        if 5 * self.shortest_path < 4 * (self.height + self.width):
            return "EASY"
        if 5 * self.shortest_path < 6 * (self.height + self.width):
            return "MEDIUM"
        return "HARD"

    @cached_property
    def hash(self) -> str:
        """Hash of the canonical form: equal for rotations and mirror images."""
        return canonical_hash(self.rows)

    @cached_property
    def layout_hash(self) -> str:
        """Canonical hash of the walls alone: equal also when only start and goal differ."""
        return canonical_hash([row.replace(START, PATH).replace(GOAL, PATH) for row in self.rows])


def set_hash(mazes: Sequence[Maze]) -> str:
    """Returns the hash of a maze set: SHA-256 over the mazes' hex hashes, each followed by a newline."""
    return hashlib.sha256("".join(f"{maze.hash}\n" for maze in mazes).encode("ascii")).hexdigest()
