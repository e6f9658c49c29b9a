"""The peer plays by the law: the committed conformance episodes, replayed through its compiled rules."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rules import BUMPS, COL, REACHED_GOAL, ROW, STEP_LIMIT, VERSIONS, Episode

CONFORMANCE = Path(__file__).resolve().parents[2] / "ml" / "conformance"
ENDS = {REACHED_GOAL: "terminated", STEP_LIMIT: "truncated", 0: ""}


@pytest.mark.parametrize("version", VERSIONS)
def test_replays_the_conformance_episodes(version: str) -> None:
    ages = np.fromfile(CONFORMANCE / "trail_ages.f32", dtype="<f4")
    cases = json.loads((CONFORMANCE / "episodes.json").read_text())["cases"]
    assert cases
    for case in cases:
        episode = Episode(case["rows"], version, ages)
        columns = len(case["rows"][0])
        assert episode.observation.tobytes().hex() == case["start"][version]
        for action, expected in zip(map(int, case["actions"]), case["steps"], strict=True):
            hit_wall = episode.step(action)
            assert episode.state[ROW] * columns + episode.state[COL] == expected["position"]
            assert hit_wall == expected["hit_wall"]
            steps, bumps = int(episode.state[2]), int(episode.state[BUMPS])
            assert 100 * (episode.end == REACHED_GOAL) - steps - 5 * bumps == expected["cumulative_hundredths"]
            assert ENDS[episode.end] == expected["end"]
            assert episode.observation.tobytes().hex() == expected[version]
