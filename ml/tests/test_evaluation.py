"""Evaluation: its figures, and that the batched play is the play of one episode after the other."""

import numpy as np
import pytest

from rlmaze_env import BASELINES, Episode, play_baseline
from rlmaze_env.arrays import F32Array
from rlmaze_env.baselines import Play
from rlmaze_env.mazeset import load_set
from rlmaze_env.sampling import greedy
from rlmaze_train.evaluation import figures, paired_spl, play_baselines, play_greedy, wilson


def wandering(seen: F32Array) -> F32Array:
    """Prefers the neighbour of the highest value, as least recently visited does."""
    return seen[:, [7, 17, 11, 13]]


@pytest.mark.parametrize("observation", ["plain/1", "trail/1", "memory/1"])
def test_batched_play_equals_play_one_by_one(observation: str) -> None:
    mazes = [*load_set("validation").mazes[:20], *load_set("puzzles").mazes, *load_set("showcase").mazes[:3]]
    for maze, play in zip(mazes, play_greedy(mazes, wandering, observation), strict=True):
        episode = Episode(maze)
        actions = []
        while not episode.over:
            actions.append(greedy(wandering(episode.observation(observation)[None])[0]))
            episode.step(actions[-1])
        assert play == Play(bytes(actions), episode.reached_goal, episode.steps, episode.bumps, episode.spl)


def test_wilson_interval_against_a_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(1000, 1000)[1] == 1.0


def test_baselines_rank_as_they_should() -> None:
    mazes = load_set("validation").mazes[:200]
    spl = {name: figures(play_baselines(mazes, name)).spl for name in BASELINES}
    assert spl["SHORTEST_PATH"] == 1.0
    ladder = ["RANDOM", "LEAST_RECENTLY_VISITED", "TRAIL_HEURISTIC", "MEMORY_HEURISTIC", "SHORTEST_PATH"]
    assert sorted(ladder, key=lambda name: spl[name]) == ladder
    assert figures(play_baselines(mazes, "NEAREST_FRONTIER")).rate == 1.0
    assert all(play_baseline(maze, name).bumps == 0 for maze in mazes[:20] for name in BASELINES if name != "RANDOM")


def test_paired_difference_is_zero_against_itself_and_its_interval_holds_the_mean() -> None:
    mazes = load_set("validation").mazes[:100]
    trail, frontier = play_baselines(mazes, "TRAIL_HEURISTIC"), play_baselines(mazes, "NEAREST_FRONTIER")
    assert paired_spl(trail, trail) == (0.0, 0.0, 0.0)
    mean, low, high = paired_spl(trail, frontier)
    assert low < mean < high < 0
    assert mean == pytest.approx(np.mean([a.spl - b.spl for a, b in zip(trail, frontier, strict=True)]))
