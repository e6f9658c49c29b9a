"""The puzzles: mazes drawn by hand, each for one situation."""

from typing import NamedTuple

from rlmaze_env.maze import Maze


class Puzzle(NamedTuple):
    """A drawn maze and what it is for."""

    name: str
    title: str
    tests: str
    text: str

    @property
    def maze(self) -> Maze:
        """The drawing as a maze."""
        return Maze.parse(self.text.strip("\n"))


PUZZLES = (
    Puzzle(
        "twin-gates",
        "Twin gates",
        "Two gates look alike from the start; behind the upper one lies a dead end, behind the lower one the goal.",
        """
...#.......
.#.#.#####.
.#...#.....
.#.#.#.###.
...#.......
S##########
...#.......
.#.#.#####.
.#...#.....
.#.#.#.###.
...#......G
""",
    ),
    Puzzle(
        "long-corridor",
        "Long corridor",
        "One way without a choice folds through the whole grid: going on must beat turning round, as long as it takes.",
        """
S.........
#########.
..........
.#########
..........
#########.
..........
.#########
..........
#########G
""",
    ),
    Puzzle(
        "comb",
        "Comb",
        "Ten teeth lead nowhere and each shows its end only from near by: a tooth once seen through must not be entered again.",
        """
.#.#.#.#.#.#
.#.#.#.#.#.#
.#.#.#.#.#.#
.#.#.#.#.#.#
S...........
#.#.#.#.#.#.
#.#.#.#.#.#.
#.#.#.#.#.#.
#.#.#.#.#.#G
""",
    ),
    Puzzle(
        "spiral",
        "Spiral",
        "The goal lies in the middle, near by the crow and far by foot: the way leads away from it at first.",
        """
S..........
##########.
.........#.
.#######.#.
.#....G#.#.
.#.#####.#.
.#.#####.#.
.#.......#.
.#########.
...........
""",
    ),
    Puzzle(
        "plus-junctions",
        "Plus junctions",
        "Crossings with four ways follow each other: every arm must be tried once and none twice.",
        """
#.#.#.#.#.#
S..........
#.#.#.#.#.#
#####.#####
#.#.#.#.#.#
...........
#.#.#.#.#.#
#.#########
#.#.#.#.#.#
..........G
#.#.#.#.#.#
""",
    ),
    Puzzle(
        "loops",
        "Loops",
        "Every way is part of a ring, so following a wall goes round for ever and only a memory of visits helps.",
        """
...........
.###.#.###.
.#.......#.
.#.##.##.#.
...#...#...
.#...G...#.
...#...#...
.#.##.##.#.
.#.......#.
.###.#.###.
S..........
""",
    ),
    Puzzle(
        "open-room",
        "Open room",
        "No wall guides the agent through the room: it must sweep an open space with a view of five cells.",
        """
S...........
............
............
............
............
............
............
............
............
............
............
...........G
""",
    ),
    Puzzle(
        "detour",
        "Detour",
        "The goal is in view through a wall from the start, but its door is at the far end: closeness is no way.",
        """
.............
.###########.
.#.........#.
.#.#######.#.
.#.#...###.#.
S#G#.#.###.#.
.###.#.....#.
.#########.#.
.#########...
""",
    ),
    Puzzle(
        "island",
        "Island in the wall",
        "A closed chamber can be seen through its walls but not entered: the agent must not wait for it.",
        """
S.........
.########.
.#......#.
.#.####.#.
.#.#..#.#.
.#.#..#.#.
.#.####.#.
.#......#.
.########.
..#######G
""",
    ),
    Puzzle(
        "last-branch",
        "Last branch",
        "The goal lies on the branch that a fixed order of trying leaves for last.",
        """
S........#G
.#######.#.
....####...
.##########
......#####
.##########
......#####
.##########
.........##
.##########
...........
""",
    ),
)
