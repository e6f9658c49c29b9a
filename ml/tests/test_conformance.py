"""The committed conformance files are what the code says, and say what the law says."""

import hashlib
import json

import numpy as np
import pytest

from rlmaze_env import conformance
from rlmaze_env.digest import actions_digest
from rlmaze_env.sampling import greedy, probabilities, sample
from rlmaze_env.trail import CONFORMANCE_FOLDER, compute_trail_ages, trail_ages


@pytest.mark.parametrize("name", conformance.FILES)
def test_a_file_is_what_the_code_writes(name: str) -> None:
    assert conformance.render(conformance.FILES[name]()) == (CONFORMANCE_FOLDER / name).read_text()


def test_the_trail_table_is_the_formula() -> None:
    table = trail_ages()
    assert table.shape == (10_001,)
    assert table[0] == np.float32(-0.8)
    assert table[-1] == pytest.approx(-0.2)
    assert np.all(np.diff(table) >= 0)
    assert np.allclose(table, compute_trail_ages(), atol=1e-7)  # a logarithm may differ in its last bit on another machine


def test_episodes_hold_a_goal_on_the_last_step_a_time_out_and_a_bump() -> None:
    cases = json.loads((CONFORMANCE_FOLDER / "episodes.json").read_text())["cases"]
    ends = {case["steps"][-1]["end"] for case in cases}
    assert ends == {"terminated", "truncated"}
    last_moment = cases[0]
    assert len(last_moment["steps"]) == 2 * len(last_moment["rows"]) * len(last_moment["rows"][0])
    assert last_moment["steps"][-1]["end"] == "terminated"
    assert any(step["hit_wall"] for case in cases for step in case["steps"])


def test_twin_play_is_the_same_twice_and_differs_by_seed() -> None:
    first = conformance.twin_play(1, 20_000)
    assert first == conformance.twin_play(1, 20_000)
    assert first == (376, 20_020, "86ce464b659ae3e2fe160ec4ca7eff8344cbe003a600c9e4fe498b5214ad35a9")
    assert first[2] != conformance.twin_play(2, 20_000)[2]


def test_the_digest_is_fnv_1a() -> None:
    assert actions_digest(b"") == 0xCBF29CE484222325
    assert actions_digest(b"foobar") == 0x85944171F73967E8  # of the published test vectors


def test_greedy_takes_the_first_of_equals_and_softmax_follows_its_probabilities() -> None:
    assert greedy([0.0, 2.0, 2.0, 1.0]) == 1
    scores = [0.5, -1.0, 2.0, 0.0]
    drawn = [sample(scores, "logit", 1.0, 5, step) for step in range(1, 4001)]
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    assert np.allclose(shares, probabilities(scores, "logit"), atol=0.03)
    assert probabilities([1.0, 1.01, 1.0, 1.0], "q_value")[1] == pytest.approx(np.e / (np.e + 3), rel=1e-4)
    with pytest.raises(ValueError, match="kind"):
        sample(scores, "other", 1.0, 1, 1)


def test_the_law_names_every_file() -> None:
    law = (CONFORMANCE_FOLDER / "README.md").read_text()
    assert all(f"`{name}`" in law for name in conformance.FILES)
    assert hashlib.sha256((CONFORMANCE_FOLDER / "trail_ages.f32").read_bytes()).hexdigest() == TRAIL_SHA256


TRAIL_SHA256 = "c181634084a77b8958c468daa7a453e2ec18b6d2df0cc1f55adcf1dcc401f480"
