"""Maze sets: how they are made, kept apart, written and read.

Every committed set is a function of the seeds in this file. No maze of one set is a rotation or mirror image of one in
another, and neither are its walls alone; `ml/tests/test_mazeset.py` proves it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rlmaze_env.generator import generate
from rlmaze_env.maze import Maze, set_hash
from rlmaze_env.puzzles import PUZZLES
from rlmaze_env.splitmix import SplitMix64

MAZE_FOLDER = Path(__file__).resolve().parent.parent / "mazes"
SET_IDS = ("training", "validation", "heldout", "showcase", "puzzles", "large20", "large30", "large50")

# The walls of seventy mazes of a hundred form a tree; the others have some or many loops.
_BANDS = ((14, 0.0), (17, 0.10), (20, 0.30))
_TRAINING_SEED = 1_000_001
_COMMITTED_TRAINING_MAZES = 2_000
TRAINING_MAZES = 20_000


@dataclass(frozen=True)
class SetMaze:
    """A maze with its place in a set."""

    maze_id: str
    maze: Maze
    seed: int = 0
    loop_ratio: float = 0.0
    title: str = ""
    tests: str = ""


@dataclass(frozen=True)
class MazeSet:
    """A named, ordered collection of mazes."""

    set_id: str
    description: str
    members: tuple[SetMaze, ...]

    @property
    def mazes(self) -> list[Maze]:
        """The mazes alone."""
        return [member.maze for member in self.members]

    @property
    def hash(self) -> str:
        """Names the content of the set."""
        return set_hash(self.mazes)


@dataclass(frozen=True)
class _Recipe:
    set_id: str
    description: str
    size: int
    count: int
    seed: int
    digits: int


_RECIPES = (
    _Recipe(
        "heldout", "1,000 mazes for the final figures of a finished model, 10 x 10; never used to choose or tune.", 10, 1000, 3_000_003, 4
    ),
    _Recipe("validation", "500 mazes for choosing checkpoints and settings, 10 x 10.", 10, 500, 2_000_002, 4),
    _Recipe("large20", "50 mazes of 20 x 20, larger than anything seen in training.", 20, 50, 4_000_020, 2),
    _Recipe("large30", "50 mazes of 30 x 30, larger than anything seen in training.", 30, 50, 4_000_030, 2),
    _Recipe("large50", "50 mazes of 50 x 50, far larger than anything seen in training.", 50, 50, 4_000_050, 2),
)


class _Apart:
    """Remembers the walls of mazes, turned and mirrored, so that none is taken twice. Equal mazes have equal walls, so walls are enough."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def take(self, maze: Maze) -> bool:
        """Tells whether the maze is new, and remembers it."""
        if maze.layout_hash in self._seen:
            return False
        self._seen.add(maze.layout_hash)
        return True


def loop_ratio_of(index: int) -> float:
    """Returns the loop ratio of the maze with this index in a banded set."""
    return next(ratio for bound, ratio in _BANDS if index % _BANDS[-1][0] < bound)


def _banded(size: int, seed: int, apart: _Apart) -> Iterator[tuple[Maze, int, float]]:
    stream = SplitMix64(seed)
    index = 0
    while True:
        maze_seed, ratio = stream.next(), loop_ratio_of(index)
        maze = generate(size, size, maze_seed, ratio)
        if apart.take(maze):
            index += 1
            yield maze, maze_seed, ratio


# Shape, loop ratio and title of each showcase maze; the seed is searched, see `_looks`.
_SHOWCASE = (
    (10, 10, 0.0, "First steps"),
    (12, 12, 0.0, "Warm-up"),
    (14, 14, 0.1, "Side streets"),
    (12, 20, 0.0, "Wide screen"),
    (16, 16, 0.0, "Branches"),
    (16, 16, 0.3, "Roundabouts"),
    (18, 18, 0.1, "Old town"),
    (20, 20, 0.0, "Long way home"),
    (16, 30, 0.1, "Boulevard"),
    (24, 24, 0.0, "Catacombs"),
    (24, 24, 0.3, "Market square"),
    (30, 30, 0.1, "Metropolis"),
)
_SHOWCASE_SEED = 5_000_005
_SHOWCASE_CANDIDATES = 200


def _looks(maze: Maze) -> float:
    """Scores how good a maze looks: well filled, and a way long enough to watch but not the longest possible."""
    rows, cols = maze.height, maze.width
    filled = float(maze.open_cells.mean())
    wanted = 1.6 * (rows + cols)
    return filled - abs(maze.shortest_path - wanted) / wanted


def _showcase(apart: _Apart) -> MazeSet:
    members = []
    for number, (rows, cols, ratio, title) in enumerate(_SHOWCASE, 1):
        stream = SplitMix64(_SHOWCASE_SEED + number)
        seeds = [stream.next() for _ in range(_SHOWCASE_CANDIDATES)]
        ranked = sorted(((_looks(generate(rows, cols, seed, ratio)), seed) for seed in seeds), reverse=True)
        seed = next(seed for _, seed in ranked if apart.take(generate(rows, cols, seed, ratio)))
        members.append(SetMaze(f"showcase-{number:02d}", generate(rows, cols, seed, ratio), seed, ratio, title))
    return MazeSet("showcase", "12 mazes that are good to watch, of several shapes up to 30 x 30.", tuple(members))


def _puzzles(apart: _Apart) -> MazeSet:
    members = tuple(SetMaze(f"puzzle-{p.name}", p.maze, title=p.title, tests=p.tests) for p in PUZZLES)
    if not all(apart.take(member.maze) for member in members):
        raise ValueError("two puzzles are the same maze")
    return MazeSet("puzzles", f"{len(members)} mazes drawn by hand, each for one situation.", members)


def build_sets(training_mazes: int = _COMMITTED_TRAINING_MAZES) -> dict[str, MazeSet]:
    """Makes all sets from their seeds. The training set comes last and leaves out whatever another set holds."""
    apart = _Apart()
    sets: dict[str, MazeSet] = {}
    for recipe in _RECIPES:
        source = _banded(recipe.size, recipe.seed, apart)
        members = tuple(
            SetMaze(f"{recipe.set_id}-{number:0{recipe.digits}d}", maze, seed, ratio)
            for number, (maze, seed, ratio) in zip(range(1, recipe.count + 1), source, strict=False)
        )
        sets[recipe.set_id] = MazeSet(recipe.set_id, recipe.description, members)
    sets["showcase"] = _showcase(apart)
    sets["puzzles"] = _puzzles(apart)
    training = tuple(
        SetMaze(f"training-{number:05d}" if training_mazes > 9999 else f"training-{number:04d}", maze, seed, ratio)
        for number, (maze, seed, ratio) in zip(range(1, training_mazes + 1), _banded(10, _TRAINING_SEED, apart), strict=False)
    )
    about = "The first 2,000 of the 20,000 mazes that models are trained on, 10 x 10."
    sets["training"] = MazeSet("training", about, training)
    return {set_id: sets[set_id] for set_id in SET_IDS}


def _maze_json(member: SetMaze, compact: bool) -> str:
    fields: dict[str, Any] = {
        "maze_id": member.maze_id,
        "seed": str(member.seed),
        "loop_ratio": member.loop_ratio,
        "difficulty": member.maze.difficulty,
        "shortest_path": member.maze.shortest_path,
        "hash": member.maze.hash,
    }
    if member.title:
        fields["title"] = member.title
    if member.tests:
        fields["tests"] = member.tests
    head = json.dumps(fields, ensure_ascii=False)[:-1]
    if compact:
        return f'{head}, "rows": {json.dumps(member.maze.rows, separators=(",", ":"))}}}'
    rows = ",\n".join(f'    "{row}"' for row in member.maze.rows)
    return f'{head}, "rows": [\n{rows}\n  ]}}'


def to_json(maze_set: MazeSet, compact: bool = False) -> str:
    """Writes a set as text: one row of a maze a line, or one maze a line when `compact`."""
    shapes = {(maze.height, maze.width) for maze in maze_set.mazes}
    rows, cols = shapes.pop() if len(shapes) == 1 else (0, 0)
    head = {
        "set_id": maze_set.set_id,
        "description": maze_set.description,
        "rows": rows,
        "cols": cols,
        "seen_in_training": maze_set.set_id == "training",
        "hash": maze_set.hash,
    }
    lines = [f'"{name}": {json.dumps(value, ensure_ascii=False)},' for name, value in head.items()]
    members = ",\n".join("  " + _maze_json(member, compact) for member in maze_set.members)
    return "{\n" + "\n".join(lines) + f'\n"mazes": [\n{members}\n]\n}}\n'


def from_json(text: str) -> MazeSet:
    """Reads a set.

    Raises:
        MazeError: A maze breaks a rule.
        ValueError: The text is no set, or a hash differs from what the mazes say.
    """
    raw = json.loads(text)
    members = tuple(
        SetMaze(m["maze_id"], Maze(tuple(m["rows"])), int(m["seed"]), m["loop_ratio"], m.get("title", ""), m.get("tests", ""))
        for m in raw["mazes"]
    )
    found = MazeSet(raw["set_id"], raw["description"], members)
    if found.hash != raw["hash"]:
        raise ValueError(f"set {found.set_id}: the mazes have the hash {found.hash}, the file says {raw['hash']}")
    return found


def write_sets(folder: Path = MAZE_FOLDER) -> None:
    """Writes all sets as `<set_id>.json`."""
    for maze_set in build_sets().values():
        (folder / f"{maze_set.set_id}.json").write_text(to_json(maze_set, compact=maze_set.set_id == "training"))


@cache
def load_set(set_id: str) -> MazeSet:
    """Loads a committed set.

    Raises:
        ValueError: There is no such set.
    """
    if set_id not in SET_IDS:
        raise ValueError(f"unknown maze set {set_id!r}; there are {', '.join(SET_IDS)}")
    return from_json((MAZE_FOLDER / f"{set_id}.json").read_text())


def training_mazes(count: int = TRAINING_MAZES) -> list[Maze]:
    """Generates the mazes that models are trained on; the first 2,000 are the committed training set."""
    return list(_training_mazes(count))


@cache
def _training_mazes(count: int) -> tuple[Maze, ...]:
    apart = _Apart()
    for set_id in SET_IDS:
        if set_id != "training":
            for maze in load_set(set_id).mazes:
                apart.take(maze)
    return tuple(maze for _, (maze, _, _) in zip(range(count), _banded(10, _TRAINING_SEED, apart), strict=False))


def unused_mazes(seed: int, count: int, size: int = 10) -> Sequence[SetMaze]:
    """Generates mazes from a seed of nobody else, leaving out what any committed set or the training mazes hold."""
    apart = _Apart()
    for set_id in SET_IDS:
        for maze in load_set(set_id).mazes:
            apart.take(maze)
    if size == 10:
        for maze in training_mazes():
            apart.take(maze)
    source = _banded(size, seed, apart)
    return [
        SetMaze(f"unused-{seed}-{number:04d}", maze, maze_seed, ratio)
        for number, (maze, maze_seed, ratio) in zip(range(1, count + 1), source, strict=False)
    ]
