"""The committed maze sets: solvable by being mazes, kept apart, and made by the code that stands here."""

from itertools import combinations

import pytest

from rlmaze_env.mazeset import MAZE_FOLDER, SET_IDS, build_sets, from_json, load_set, to_json, training_mazes, unused_mazes

COUNTS = {"training": 2000, "validation": 500, "heldout": 1000, "showcase": 12, "large20": 50, "large30": 50, "large50": 50}
FILE_LIMIT_BYTES = 1_400_000


def test_the_files_are_what_the_code_makes() -> None:
    for set_id, made in build_sets().items():
        assert to_json(made, compact=set_id == "training") == (MAZE_FOLDER / f"{set_id}.json").read_text()


@pytest.mark.parametrize("facts", ["hash", "layout_hash"])
def test_no_maze_is_in_two_sets_nor_twice_in_one_even_turned_or_mirrored(facts: str) -> None:
    found = {set_id: [getattr(maze, facts) for maze in load_set(set_id).mazes] for set_id in SET_IDS}
    found["training"] = [getattr(maze, facts) for maze in training_mazes()]
    for set_id, hashes in found.items():
        assert len(set(hashes)) == len(hashes), set_id
    for one, other in combinations(found, 2):
        assert not set(found[one]) & set(found[other]), (one, other)


def test_what_is_trained_on_begins_with_the_committed_training_set() -> None:
    assert training_mazes(2_000) == load_set("training").mazes


def test_mazes_of_unused_seeds_are_in_no_set_and_not_trained_on() -> None:
    known = {maze.layout_hash for maze in training_mazes()} | {m.layout_hash for s in SET_IDS for m in load_set(s).mazes}
    fresh = [member.maze.layout_hash for member in unused_mazes(77, 100)]
    assert len(set(fresh)) == 100
    assert not known & set(fresh)


def test_sizes_bands_and_texts() -> None:
    for set_id, count in COUNTS.items():
        assert len(load_set(set_id).members) == count
    for set_id in ("training", "validation", "heldout"):
        ratios = [member.loop_ratio for member in load_set(set_id).members]
        assert [ratios.count(ratio) / len(ratios) for ratio in (0.0, 0.1, 0.3)] == [0.7, 0.15, 0.15]
    puzzles = load_set("puzzles").members
    assert len(puzzles) >= 8
    assert all(member.title and member.tests.endswith(".") for member in puzzles)
    assert max(maze.height for maze in load_set("showcase").mazes) == 30
    assert all(path.stat().st_size < FILE_LIMIT_BYTES for path in MAZE_FOLDER.glob("*.json"))


def test_a_set_whose_mazes_were_changed_is_refused() -> None:
    text = (MAZE_FOLDER / "puzzles.json").read_text()
    with pytest.raises(ValueError, match="the mazes have the hash"):
        from_json(text.replace('"S.........",\n    "#########."', '"S.........",\n    "####.####."', 1))
    with pytest.raises(ValueError, match="unknown maze set"):
        load_set("nonsense")
