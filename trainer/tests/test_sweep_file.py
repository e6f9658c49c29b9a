"""The YAML of a sweep: what follows from it, and what is said of a wrong one. Without PyTorch."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmaze_train.config import ConfigError
from rlmaze_trainer.configuration import PRESET_FOLDER
from rlmaze_trainer.sweep.sweep_file import Dimension, Sweep, load_sweep, parse_sweep

GRID = """name: a-sweep
title: A sweep
description: For a test.
base: ppo-quick.yaml
changes:
  timesteps: 100000
seeds: [1, 2]
space:
  ppo.learning_rate: [1.0e-3, 2.0e-3, 4.0e-3]
  ppo.network: [[64, 64], [128]]
"""
RANDOM = """name: a-sweep
title: A sweep
description: For a test.
base: ppo-quick.yaml
search: random
trials: 20
search_seed: 7
space:
  ppo.learning_rate: {log_uniform: [1.0e-4, 1.0e-2]}
  ppo.gamma: {uniform: [0.9, 0.999]}
  ppo.n_epochs: {integers: [1, 4]}
  ppo.batch_size: [512, 2048]
"""


def parse(text: str) -> Sweep:
    return parse_sweep(text, "sweep.yaml", PRESET_FOLDER)


def test_the_committed_sweeps_are_valid_and_named_after_their_file() -> None:
    paths = sorted((PRESET_FOLDER / "sweeps").glob("*.yaml"))
    assert paths
    for path in paths:
        assert load_sweep(path).name == path.stem


def test_nothing_large_is_imported() -> None:
    assert "torch" not in sys.modules
    assert "ray" not in sys.modules


def test_a_grid_is_every_combination_in_order() -> None:
    sweep = parse(GRID)
    assert [(c.number, *c.values.values()) for c in sweep.candidates] == [
        (1, 1e-3, [64, 64]), (2, 1e-3, [128]), (3, 2e-3, [64, 64]), (4, 2e-3, [128]), (5, 4e-3, [64, 64]), (6, 4e-3, [128]),
    ]  # fmt: skip
    fourth = sweep.candidates[3].config
    assert fourth.ppo is not None
    assert (fourth.ppo.learning_rate, fourth.ppo.network, fourth.timesteps) == (2e-3, (128,), 100_000)
    assert (fourth.name, fourth.seeds, sweep.experiment) == ("a-sweep-04", (1, 2), "sweep-a-sweep")


def test_a_random_search_draws_the_same_candidates_again() -> None:
    first, second = parse(RANDOM), parse(RANDOM)
    values = [dict(candidate.values) for candidate in first.candidates]
    assert values == [dict(candidate.values) for candidate in second.candidates]
    assert values != [dict(candidate.values) for candidate in parse(RANDOM.replace("search_seed: 7", "search_seed: 8")).candidates]
    assert len({json.dumps(value) for value in values}) == 20
    # Pinned: another machine, or another version, draws these too.
    assert values[0] == PINNED


PINNED = {"ppo.learning_rate": 0.0006021, "ppo.gamma": 0.9017, "ppo.n_epochs": 4, "ppo.batch_size": 2048}


@given(st.floats(0, 1, exclude_max=True), st.floats(1e-6, 1), st.floats(1.001, 1000))
def test_a_draw_lies_in_its_range(share: float, low: float, factor: float) -> None:
    for kind in ("uniform", "log_uniform"):
        assert low <= Dimension.model_validate({kind: (low, low * factor)}).draw(share) <= low * factor
    assert Dimension.model_validate({"integers": (3, 5)}).draw(share) in (3, 4, 5)
    assert Dimension.model_validate(["a", "b"]).draw(share) in ("a", "b")


def test_the_ends_of_a_range_are_both_drawn() -> None:
    integers = Dimension.model_validate({"integers": (3, 5)})
    assert {integers.draw(share / 100) for share in range(100)} == {3, 4, 5}


def test_a_trial_is_known_again_whatever_it_is_called() -> None:
    longer = GRID.replace("[1.0e-3, 2.0e-3, 4.0e-3]", "[5.0e-4, 1.0e-3, 2.0e-3]").replace("a-sweep", "another")
    first, second = parse(GRID).candidates[0], parse(longer).candidates[2]
    assert first.values == second.values
    assert first.digest(1) == second.digest(1) != first.digest(2)
    assert first.digest(1) != parse(GRID.replace("100000", "100001")).candidates[0].digest(1)


def test_the_best_is_trained_with_its_own_changes() -> None:
    sweep = parse(GRID + "best:\n  timesteps: 400000\n")
    best = sweep.best_config(sweep.candidates[2])
    assert best.ppo is not None
    assert (best.name, best.timesteps, best.ppo.learning_rate) == ("a-sweep-best", 400_000, 2e-3)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("seeds: [1, 2]", "seed: [1, 2]", [":7:", "seed:", "allowed keys", "seeds"]),
        ("seeds: [1, 2]", "seeds: []", [":7:", "seeds", "at least 1"]),
        ("seeds: [1, 2]", "seeds: [1, 1]", [":7:", "seeds", "twice"]),
        ("name: a-sweep", "name: A Sweep", [":1:", "name", "pattern"]),
        ("base: ppo-quick.yaml", "base: nowhere.yaml", [":4:", "base", "cannot be read"]),
        ("timesteps: 100000", "timestep: 100000", [":6:", "changes.timestep", "not permitted"]),
        ("timesteps: 100000", "name: other", [":6:", "changes.name", "cannot be changed"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "[1.0e-3, -2.0e-3]", [":9:", "space.ppo.learning_rate", "greater than 0", "-0.002"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "[1.0e-3, fast]", [":9:", "space.ppo.learning_rate", "valid number", "'fast'"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "[]", [":9:", "space.ppo.learning_rate", "at least one value"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "[1.0e-3, 1.0e-3]", [":9:", "space.ppo.learning_rate", "twice"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "0.001", [":9:", "space.ppo.learning_rate"]),
        ("[1.0e-3, 2.0e-3, 4.0e-3]", "{uniform: [1.0e-3, 2.0e-3]}", [":9:", "a grid needs a list", "search: random"]),
        ("ppo.learning_rate", "ppo.learn_rate", [":9:", "space.ppo.learn_rate", "not permitted", "learning_rate"]),
        ("ppo.learning_rate", "dqn.learning_rate", [":9:", "space.dqn.learning_rate", "no section dqn"]),
        ("ppo.learning_rate", "timesteps", [":9:", "space.timesteps"]),
        ("space:", "trials: 3\nspace:", [":8:", "trials", "random search"]),
        ("space:", "halving: {first: 100000}\nspace:", [":8:", "halving.first", "less than the 100,000 timesteps"]),
        ("space:", "halving: {first: 1000, keep: 1.5}\nspace:", [":8:", "halving.keep", "less than 1"]),
        ("space:", "best: {ppo.gamma: 2}\nspace:", [":8:", "best.ppo.gamma", "less than or equal to 1"]),
        ("space:", "search: bayes\nspace:", [":8:", "search", "'grid' or 'random'"]),
    ],
)
def test_a_wrong_grid_is_refused_with_line_key_and_rule(old: str, new: str, parts: list[str]) -> None:
    assert old in GRID
    with pytest.raises(ConfigError) as refused:
        parse(GRID.replace(old, new, 1))
    for part in ["sweep.yaml", *parts]:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("trials: 20\n", "", [":5:", "trials", "is needed by a random search"]),
        ("search_seed: 7\n", "", [":5:", "search_seed", "is needed"]),
        ("trials: 20", "trials: 0", [":6:", "trials", "greater than or equal to 1"]),
        ("[1.0e-4, 1.0e-2]", "[1.0e-2, 1.0e-4]", ["space.ppo.learning_rate", "from a smaller number to a larger one"]),
        ("[1.0e-4, 1.0e-2]", "[0.0, 1.0e-2]", ["space.ppo.learning_rate", "above 0"]),
        ("[0.9, 0.999]", "[0.9, 1.5]", ["space.ppo.gamma", "less than or equal to 1", "1.5"]),
        ("{integers: [1, 4]}", "{integers: [1, 4], uniform: [1, 2]}", ["space.ppo.n_epochs", "exactly one of"]),
        ("{integers: [1, 4]}", "{whole: [1, 4]}", ["space.ppo.n_epochs.whole", "allowed keys"]),
        ("{integers: [1, 4]}", "{uniform: [1, 4]}", ["ppo.n_epochs", "valid integer"]),
    ],
)
def test_a_wrong_random_search_is_refused(old: str, new: str, parts: list[str]) -> None:
    assert old in RANDOM
    with pytest.raises(ConfigError) as refused:
        parse(RANDOM.replace(old, new, 1))
    for part in parts:
        assert part in str(refused.value)


def test_a_space_that_holds_too_few_candidates_is_refused() -> None:
    text = RANDOM[: RANDOM.index("space:")] + "space:\n  ppo.batch_size: [512, 2048]\n"
    with pytest.raises(ConfigError, match=r"sweep\.yaml:6: trials: the space holds only 2 different candidates; got 20"):
        parse(text)


def test_an_empty_space_and_an_endless_grid_are_refused() -> None:
    with pytest.raises(ConfigError, match="space: Dictionary should have at least 1 item"):
        parse(GRID[: GRID.index("space:")] + "space: {}\n")
    values = ", ".join(str(number) for number in range(1, 40))
    with pytest.raises(ConfigError, match="1,521 combinations; at most 1,000"):
        parse(GRID[: GRID.index("space:")] + f"space:\n  ppo.n_steps: [{values}]\n  ppo.batch_size: [{values}]\n")


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = GRID.replace("[1.0e-3, 2.0e-3, 4.0e-3]", "[0.0, -1.0]").replace("[[64, 64], [128]]", "[[0]]")
    (tmp_path / "sweep.yaml").write_text(text.replace("base: ppo-quick.yaml", f"base: {PRESET_FOLDER}/ppo-quick.yaml"))
    with pytest.raises(ConfigError) as refused:
        load_sweep(tmp_path / "sweep.yaml")
    assert len(refused.value.faults) == 3
