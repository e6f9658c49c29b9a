"""Training and export in small: a toy maze is learned, and what is exported is what was learned."""

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from rlmaze_env import Maze
from rlmaze_env.mazeset import load_set
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.__main__ import main
from rlmaze_train.config import TrainingConfig, parse_config
from rlmaze_train.evaluation import figures, play_greedy
from rlmaze_train.export import ExportError, QWithMaximum, check_parity, export, onnx_policy, onnx_session, policy_network, read_manifest
from rlmaze_train.symmetry import ACTIONS, CELLS, SymmetricScores
from rlmaze_train.training import build, load_checkpoint, score_policy, train

TOY = Maze.parse("S.#.\n#.#.\n#...\n##.G")
PPO_YAML = """name: toy
title: Toy
description: Learns one maze.
algorithm: PPO
observation: trail/1
timesteps: 16384
device: cpu
mazes: {count: 50}
ppo: {environments: 32, n_steps: 32, batch_size: 512, learning_rate: 0.003}
validation: {every: 8192, extra_mazes: 0, extra_large_mazes: 0}
"""
DQN_YAML = """name: toy-dqn
title: Toy
description: Learns one maze.
algorithm: DQN
observation: trail/1
timesteps: 8192
device: cpu
mazes: {count: 50}
dqn:
  environments: 32
  buffer_size: 20000
  learning_starts: 1000
  batch_size: 256
  n_steps: 5
  target_update_interval: 500
  exploration_fraction: 0.5
  network: [64]
validation: {every: 4096, extra_mazes: 0, extra_large_mazes: 0}
"""


def config_of(text: str) -> TrainingConfig:
    return parse_config(text, "toy.yaml")


@pytest.mark.parametrize("text", [PPO_YAML, DQN_YAML], ids=["PPO", "DQN"])
def test_a_toy_maze_is_learned(text: str) -> None:
    config = config_of(text)
    settings = config.ppo or config.dqn
    assert settings is not None
    model = build(config, MazeVecEnv([TOY], settings.environments, config.observation, seed=1), seed=1)
    before = figures(play_greedy([TOY], score_policy(model), config.observation))
    model.learn(config.timesteps)
    after = figures(play_greedy([TOY], score_policy(model), config.observation))
    assert before.spl < 1.0
    assert after.successes == 1
    assert after.spl == 1.0


def test_a_run_leaves_checkpoints_and_is_the_same_twice(tmp_path: Path) -> None:
    config = config_of(PPO_YAML.replace("16384", "4096").replace("every: 8192", "every: 2048"))
    first = train(config, 1, tmp_path / "one")
    second = train(config, 1, tmp_path / "two")
    assert [path.name for path in sorted((tmp_path / "one").iterdir())] == ["checkpoint-2048.zip", "checkpoint-4096.zip"]
    assert first.best.validation == second.best.validation
    weights = [load_checkpoint(config, run.best.path).policy.state_dict() for run in (first, second)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_stops_when_it_is_asked_to(tmp_path: Path) -> None:
    run = train(config_of(PPO_YAML), 1, tmp_path, stop=lambda: True)
    assert run.best.timesteps <= 64


@pytest.mark.parametrize("text", [PPO_YAML, DQN_YAML], ids=["PPO", "DQN"])
def test_an_export_computes_the_same_and_tells_nothing_of_the_machine(text: str, tmp_path: Path) -> None:
    config = config_of(text)
    settings = config.ppo or config.dqn
    assert settings is not None
    model = build(config, MazeVecEnv([TOY], settings.environments, config.observation), seed=3)
    # Small random outputs would make ties likely that no trained network has.
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.mul_(1.7)
    out = export(model, config, "ml/configs/toy.yaml", f"{config.name}-seed3", 3, 123, tmp_path)
    raw = (out / "policy.onnx").read_bytes()
    assert not re.search(rb"/(work|root|home|tmp|usr|opt)/|site-packages|\.py\b", raw)

    session = onnx_session(raw)
    assert [(i.name, i.shape, i.type) for i in session.get_inputs()] == [("observation", ["batch", 25], "tensor(float)")]
    outputs = [(o.name, o.shape[1], o.type) for o in session.get_outputs()]
    assert outputs == [("action_scores", 4, "tensor(float)"), ("state_value", 1, "tensor(float)")]
    loaded = onnx.load_from_string(raw)
    assert [(o.domain, o.version) for o in loaded.opset_import if o.domain == ""] == [("", 18)]
    facts = {prop.key: prop.value for prop in loaded.metadata_props}
    assert facts["algorithm"] == config.algorithm
    assert facts["observation"] == "trail/1"
    assert facts["action_order"] == "UP,DOWN,LEFT,RIGHT"

    manifest = read_manifest(out)
    assert manifest["model_id"] == f"{config.name}-1"
    assert manifest["score_kind"] == ("logit" if config.algorithm == "PPO" else "q_value")
    assert manifest["size_bytes"] == len(raw)
    parity = json.loads((out / "parity.json").read_text())
    assert len(parity["vectors"]) == 64
    for vector in parity["vectors"]:
        scores, value = session.run(None, {"observation": np.array([vector["observation"]], np.float32)})
        assert np.allclose(scores[0], vector["action_scores"], atol=parity["tolerance"])
        assert value[0, 0] == pytest.approx(vector["state_value"], abs=parity["tolerance"])
    # What is evaluated is what was trained.
    mazes = load_set("validation").mazes[:30]
    assert play_greedy(mazes, onnx_policy(raw), "trail/1") == play_greedy(mazes, score_policy(model), "trail/1")

    other = build(config, MazeVecEnv([TOY], settings.environments, config.observation), seed=4)
    with pytest.raises(ExportError, match="differ by"):
        check_parity(policy_network(other), raw, np.ones((1, 25), np.float32))


def test_symmetric_scores_turn_with_the_observation() -> None:
    torch.manual_seed(0)
    network = SymmetricScores(torch.nn.Linear(25, 4))
    seen = torch.randn(10, 25)
    straight = network(seen) - network.tie_order
    for cells, actions in zip(CELLS, ACTIONS, strict=True):
        turned = network(seen[:, torch.from_numpy(cells)]) - network.tie_order
        assert torch.allclose(turned[:, torch.from_numpy(actions)], straight, atol=1e-5)
    assert network(torch.zeros(1, 25)).argmax() == 0  # all equal: tie order


def test_every_symmetry_maps_the_neighbours_onto_their_actions() -> None:
    beside = [7, 17, 11, 13]  # cells above, below, left and right of the agent
    for cells, actions in zip(CELLS, ACTIONS, strict=True):
        seen = np.arange(25)[cells]
        assert [seen[beside[actions[a]]] for a in range(4)] == beside


def test_the_maximum_of_q_is_the_state_value() -> None:
    model = build(config_of(DQN_YAML), MazeVecEnv([TOY], 32, "trail/1"), seed=1)
    scores, value = QWithMaximum(model)(torch.randn(5, 25))  # type: ignore[arg-type]
    assert torch.equal(scores.max(dim=1, keepdim=True).values, value)


def test_train_and_evaluate_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "toy.yaml"
    config.write_text(PPO_YAML.replace("16384", "1024") + "evaluation: {sets: [puzzles]}\nearly_checkpoint: 1024\n")
    assert main(["train", str(config), "--seed", "7", "--into", str(tmp_path / "out")]) == 0
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["toy-1", "toy-early-1"]
    manifest = read_manifest(tmp_path / "out" / "toy-1")
    assert manifest["seed"] == "7"
    assert manifest["config"] == "toy.yaml"
    assert [success["set_id"] for success in manifest["success"]] == ["puzzles"]
    assert main(["evaluate", "--folder", str(tmp_path / "out"), "--sets", "puzzles", "--failures", "--json", str(tmp_path / "r.json")]) == 0
    told = capsys.readouterr().out
    assert "NEAREST_FRONTIER" in told
    assert '"actions"' in told
    assert {row["policy"] for row in json.loads((tmp_path / "r.json").read_text())} >= {"toy-1", "toy-early-1", "SHORTEST_PATH"}
