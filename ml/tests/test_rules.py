"""The compiled rules against the words of the law, written down naively here."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rlmaze_env import Episode, Maze, generate
from rlmaze_env.rules import OBSERVATIONS
from rlmaze_env.splitmix import SplitMix64
from rlmaze_env.trail import trail_ages

CHAMBER = Maze.parse("S......\n.#####.\n.#...#.\n.#.#.#.\n.#...#.\n.#####.\n...#..G")


class Words:
    """An episode as the law words it: sets and dictionaries, everything afresh at every step."""

    def __init__(self, maze: Maze) -> None:
        self.maze = maze
        self.open = {(r, c) for r, row in enumerate(maze.rows) for c, x in enumerate(row) if x != "#"}
        self.position = divmod(maze.start, maze.width)
        self.goal = divmod(maze.goal, maze.width)
        self.steps = 0
        self.last_visit = {self.position: 0}
        self.seen: set[tuple[int, int]] = set()
        self.look()

    def look(self) -> None:
        r, c = self.position
        self.seen |= {(r + dr, c + dc) for dr in range(-2, 3) for dc in range(-2, 3) if self.inside((r + dr, c + dc))}

    def inside(self, cell: tuple[int, int]) -> bool:
        return 0 <= cell[0] < self.maze.height and 0 <= cell[1] < self.maze.width

    def step(self, action: int) -> None:
        dr, dc = ((-1, 0), (1, 0), (0, -1), (0, 1))[action]
        target = (self.position[0] + dr, self.position[1] + dc)
        self.steps += 1
        if target in self.open:
            self.position = target
        self.last_visit[self.position] = self.steps
        self.look()

    def dead(self, agent: tuple[int, int]) -> set[tuple[int, int]]:
        left = self.seen & self.open
        changed = True
        while changed:
            changed = False
            for cell in sorted(left - {agent, self.goal}):
                r, c = cell
                ways = [n for n in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)) if self.inside(n)]
                if sum(n not in self.seen or n in left for n in ways) <= 1:
                    left.remove(cell)
                    changed = True
        return (self.seen & self.open) - left

    def observation(self, version: str, agent: tuple[int, int]) -> list[float]:
        dead = self.dead(agent) if version == "memory/1" else set()
        ages = trail_ages()
        values = []
        for dr in range(-2, 3):
            for dc in range(-2, 3):
                cell = (agent[0] + dr, agent[1] + dc)
                if cell not in self.open:
                    value = -1.0
                elif cell == self.goal:
                    value = 1.0
                elif version == "plain/1":
                    value = 0.0
                elif cell in dead:
                    value = -1.0
                elif cell == agent:
                    value = ages[0]
                elif cell in self.last_visit:
                    value = ages[min(self.steps - self.last_visit[cell], 10000)]
                else:
                    value = 0.0
                values.append(float(value))
        return values


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(3, 14),
    cols=st.integers(3, 14),
    seed=st.integers(0, 2**64 - 1),
    loop_ratio=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    islands=st.booleans(),
)
def test_observations_and_maps_follow_the_words_of_the_law(rows: int, cols: int, seed: int, loop_ratio: float, islands: bool) -> None:
    rng = SplitMix64(seed)
    maze = generate(rows, cols, seed, loop_ratio)
    if islands:  # open random walls, so that enclosed parts and odd rooms occur
        grid = [list(row) for row in maze.rows]
        for _ in range(rows * cols // 8):
            r, c = rng.below(rows), rng.below(cols)
            if grid[r][c] == "#":
                grid[r][c] = "."
        maze = Maze(tuple("".join(row) for row in grid))
    check(maze, [rng.below(4) for _ in range(60)])


def test_an_enclosed_chamber_is_known_to_lead_nowhere() -> None:
    check(CHAMBER, [3, 3, 3, 3, 2, 2, 1, 1])


def check(maze: Maze, actions: list[int]) -> None:
    episode, words = Episode(maze), Words(maze)
    for count, action in enumerate(actions):
        if episode.over:
            break
        made = episode.step(action)
        words.step(action)
        assert made.position == words.position[0] * maze.width + words.position[1]
        for version in OBSERVATIONS:
            assert episode.observation(version).tolist() == words.observation(version, words.position)
        if count % 10 == 0:
            for cell in np.flatnonzero(maze.open_cells.ravel()):
                wanted = words.observation("memory/1", divmod(int(cell), maze.width))
                assert episode.observation("memory/1", int(cell)).tolist() == wanted
