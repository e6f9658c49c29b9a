"""The shipped models: complete, as their manifests say, and as good as promised."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from rlmaze_env.mazeset import load_set
from rlmaze_train.__main__ import MODEL_FOLDER
from rlmaze_train.evaluation import figures, play_greedy
from rlmaze_train.export import onnx_policy, onnx_session, read_manifest

FOLDERS = sorted(path.parent for path in MODEL_FOLDER.glob("*/manifest.json"))
IDS = [folder.name for folder in FOLDERS]


def test_all_promised_models_are_there_and_the_default_is_one_of_them() -> None:
    assert set(IDS) >= {"ppo-memory-1", "ppo-trail-1", "ppo-trail-early-1", "ppo-plain-1", "dqn-memory-1"}
    assert json.loads((MODEL_FOLDER / "default.json").read_text()) == {"model_id": "ppo-memory-1"}


@pytest.mark.parametrize("folder", FOLDERS, ids=IDS)
def test_a_shipped_model_is_what_its_manifest_says(folder: Path) -> None:
    path = folder
    manifest = read_manifest(path)
    raw = (path / "policy.onnx").read_bytes()
    assert manifest["model_id"] == path.name == f"{manifest['name']}-{manifest['version']}"
    assert manifest["sha256"] == hashlib.sha256(raw).hexdigest()
    assert manifest["size_bytes"] == len(raw)
    assert (MODEL_FOLDER.parent.parent / manifest["config"]).is_file()
    assert manifest["maze_sets"] == {s: load_set(s).hash for s in ("training", "validation", "heldout")}
    assert not re.search(rb"/(work|root|home|tmp|usr|opt)/|site-packages", raw + (path / "manifest.json").read_bytes())
    session = onnx_session(raw)
    vectors = json.loads((path / "parity.json").read_text())["vectors"]
    scores, values = session.run(None, {"observation": np.array([v["observation"] for v in vectors], np.float32)})
    assert np.allclose(scores, [v["action_scores"] for v in vectors], atol=1e-5)
    assert np.allclose(values[:, 0], [v["state_value"] for v in vectors], atol=1e-5)
    assert np.array_equal(scores.argmax(axis=1), np.argmax([v["action_scores"] for v in vectors], axis=1))


@pytest.mark.parametrize("folder", FOLDERS, ids=IDS)
def test_the_held_out_figures_of_the_manifest_are_found_again(folder: Path) -> None:
    path = folder
    manifest = read_manifest(path)
    told = {success["set_id"]: success for success in manifest["success"]}
    for set_id in ("heldout", "large20", "puzzles"):
        found = figures(play_greedy(load_set(set_id).mazes, onnx_policy((path / "policy.onnx").read_bytes()), manifest["observation"]))
        assert told[set_id]["set_hash"] == load_set(set_id).hash
        assert (told[set_id]["successes"], told[set_id]["episodes"]) == (found.successes, found.episodes)
        assert told[set_id]["spl"] == pytest.approx(found.spl, abs=1e-3)


def test_success_is_as_promised() -> None:
    told = {folder.name: {s["set_id"]: s["successes"] for s in read_manifest(folder)["success"]} for folder in FOLDERS}
    for name in ("ppo-memory-1", "ppo-trail-1"):
        assert (told[name]["heldout"], told[name]["large20"], told[name]["large30"]) == (1000, 50, 50)
    assert told["dqn-memory-1"]["heldout"] >= 985
    assert told["ppo-plain-1"]["heldout"] < 200
