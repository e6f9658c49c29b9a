"""The peer of the benchmark env-step plays the same rules: it replays the committed conformance episodes."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlmaze_env.rules import OBSERVATIONS
from rlmaze_env.trail import CONFORMANCE_FOLDER, trail_ages

PEER = Path(__file__).resolve().parents[2] / "benchmarks" / "env_step" / "plain_maze_env.py"


def peer_class() -> Any:
    spec = importlib.util.spec_from_file_location("plain_maze_env", PEER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PlainMazeEnv


@pytest.mark.skipif(not PEER.exists(), reason="the benchmarks are not beside this package")
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_plain_peer_replays_the_conformance_episodes(observation: str) -> None:
    for case in json.loads((CONFORMANCE_FOLDER / "episodes.json").read_text())["cases"]:
        env = peer_class()([case["rows"]], observation, trail_ages().tolist())
        seen, _ = env.reset(seed=1)
        assert seen.astype("<f4").tobytes().hex() == case["start"][observation]
        for action, step in zip(case["actions"], case["steps"], strict=True):
            seen, reward, terminated, truncated, _ = env.step(int(action))
            assert np.asarray(seen, "<f4").tobytes().hex() == step[observation]
            assert round(reward * 100) == step["reward_hundredths"]
            assert {(True, False): "terminated", (False, True): "truncated", (False, False): ""}[terminated, truncated] == step["end"]
