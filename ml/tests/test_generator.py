"""Properties of generated mazes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlmaze_env import Maze, MazeError, generate
from rlmaze_env.generator import generated_id, round_loop_ratio
from rlmaze_env.maze import canonical_hash, distances, symmetries
from rlmaze_env.splitmix import SplitMix64, draw, unit

SIZES = st.integers(3, 24)
SEEDS = st.integers(0, 2**64 - 1)


def passages(maze: Maze) -> int:
    cells = maze.open_cells.astype(int)
    return int((cells[1:] * cells[:-1]).sum() + (cells[:, 1:] * cells[:, :-1]).sum())


@settings(deadline=None)
@given(rows=SIZES, cols=SIZES, seed=SEEDS)
def test_a_maze_without_loops_is_a_tree_that_fills_the_grid(rows: int, cols: int, seed: int) -> None:
    maze = generate(rows, cols, seed)
    assert passages(maze) == int(maze.open_cells.sum()) - 1
    reached = distances(maze.open_cells, maze.start // cols, maze.start % cols)
    assert np.array_equal(reached >= 0, maze.open_cells == 1)
    # Nothing more can be carved: every wall cell touches no open cell, or two at least.
    padded = np.pad(maze.open_cells, 1)
    touching = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    assert not np.any((maze.open_cells == 0) & (touching == 1))


@settings(deadline=None)
@given(rows=SIZES, cols=SIZES, seed=SEEDS, loop_ratio=st.floats(0.0, 1.0))
def test_loops_only_open_walls_and_never_move_any(rows: int, cols: int, seed: int, loop_ratio: float) -> None:
    tree, looped = generate(rows, cols, seed), generate(rows, cols, seed, loop_ratio)
    assert np.all(looped.open_cells >= tree.open_cells)
    assert 1 <= looped.shortest_path < rows * cols
    assert looped == generate(rows, cols, seed, loop_ratio)


@settings(deadline=None)
@given(seed=SEEDS)
def test_start_and_goal_are_at_least_the_size_apart(seed: int) -> None:
    assert generate(10, 10, seed).shortest_path >= 10


@settings(deadline=None)
@given(rows=SIZES, cols=SIZES, seed=SEEDS)
def test_rotations_and_mirror_images_share_one_hash(rows: int, cols: int, seed: int) -> None:
    maze = generate(rows, cols, seed, 0.1)
    assert {canonical_hash(form.split("\n")) for form in symmetries(maze.rows)} == {maze.hash}


def test_the_stateless_numbers_are_those_of_the_stream() -> None:
    stream = SplitMix64(2**64 - 1)
    assert [stream.next() for _ in range(5)] == [draw(2**64 - 1, step) for step in range(5)]
    assert 0.0 <= unit(3, 9) < 1.0
    # The first number of seed 0, as in the reference implementation of SplitMix64.
    assert draw(0, 0) == 0xE220A8397B1DCDAF


def test_ids_of_generated_mazes_hold_all_parameters() -> None:
    assert generated_id(10, 10, 42) == "generated-10x10-42"
    assert generated_id(10, 12, 42, 0.3) == "generated-10x12-42-30"
    assert round_loop_ratio(0.125) == 0.13


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("S.\n.G", "maze.size"),
        ("S..\n...", "maze.size"),
        ("S..\n..\n..G", "maze.ragged"),
        ("S.x\n...\n..G", "maze.characters"),
        ("...\n...\n..G", "maze.start"),
        ("SS.\n...\n..G", "maze.start"),
        ("S..\n...\n...", "maze.goal"),
        ("S#.\n##.\n..G", "maze.unsolvable"),
    ],
)
def test_a_drawn_maze_that_breaks_a_rule_is_refused_by_name(text: str, rule: str) -> None:
    with pytest.raises(MazeError) as refused:
        Maze.parse(text)
    assert refused.value.rule == rule


@pytest.mark.parametrize(("rows", "cols", "seed", "ratio"), [(2, 10, 0, 0.0), (10, 101, 0, 0.0), (10, 10, -1, 0.0), (10, 10, 0, 1.5)])
def test_the_generator_refuses_what_is_out_of_range(rows: int, cols: int, seed: int, ratio: float) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        generate(rows, cols, seed, ratio)
