"""Export of a policy network to ONNX, with proof that both compute the same.

The file holds one network: input `observation` [batch, 25] float32, outputs `action_scores` [batch, 4] and `state_value`
[batch, 1] float32; opset 18, one file. Formats of what lies beside it: `ml/models/README.md`.
"""

import datetime
import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm

from rlmaze_env.arrays import F32Array
from rlmaze_env.maze import ACTION_NAMES
from rlmaze_env.mazeset import load_set
from rlmaze_env.rules import OBSERVATION_SIZE
from rlmaze_env.sampling import LOGIT, Q_VALUE
from rlmaze_env.vec_env import MazeVecEnv
from rlmaze_train.config import TrainingConfig
from rlmaze_train.evaluation import ScorePolicy
from rlmaze_train.symmetry import SymmetricScores

MODEL_FOLDER = Path(__file__).resolve().parent.parent / "models"
OPSET = 18
TOLERANCE = 1e-5
PARITY_VECTORS = 64
_COMPARED = 4_096  # observations of real play on which PyTorch and ONNX Runtime must agree


class ExportError(RuntimeError):
    """The exported file does not compute what the trained network computes."""


class ActorWithValue(torch.nn.Module):
    """PPO's actor and value head in one module."""

    def __init__(self, model: PPO) -> None:
        super().__init__()
        policy = model.policy
        self.actor = torch.nn.Sequential(policy.mlp_extractor.policy_net, policy.action_net)
        self.critic = torch.nn.Sequential(policy.mlp_extractor.value_net, policy.value_net)

    def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns logits (n, 4) and values (n, 1) of observations (n, 25)."""
        return self.actor(observation), self.critic(observation)


class QWithMaximum(torch.nn.Module):
    """DQN's Q-values, averaged over the eight symmetries of the grid, and the largest of them."""

    def __init__(self, model: DQN) -> None:
        super().__init__()
        self.q_net = SymmetricScores(model.q_net.q_net)

    def forward(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns Q-values (n, 4) and their maximum (n, 1) of observations (n, 25)."""
        scores = self.q_net(observation)
        return scores, torch.max(scores, dim=1, keepdim=True).values


def policy_network(model: BaseAlgorithm) -> torch.nn.Module:
    """Takes the policy network alone out of a trained model."""
    network = ActorWithValue(model) if isinstance(model, PPO) else QWithMaximum(_as_dqn(model))
    return network.cpu().eval()


def _as_dqn(model: BaseAlgorithm) -> DQN:
    if not isinstance(model, DQN):
        raise TypeError(f"PPO or DQN is needed, got {type(model).__name__}")
    return model


def onnx_bytes(network: torch.nn.Module, facts: Mapping[str, str]) -> bytes:
    """Exports a network as ONNX with the given metadata and nothing that PyTorch would add to it, paths above all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the exporter, none of them ours
        program = torch.onnx.export(
            network,
            (torch.zeros(2, OBSERVATION_SIZE),),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["observation"],
            output_names=["action_scores", "state_value"],
            dynamic_shapes={"observation": {0: torch.export.Dim("batch")}},
            external_data=False,
        )
    assert program is not None
    found = program.model_proto
    _strip(found)
    for name, value in sorted(facts.items()):
        found.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(found, full_check=True)
    raw: bytes = found.SerializeToString(deterministic=True)
    return raw


def _strip(found: onnx.ModelProto) -> None:
    """Removes whatever the exporter wrote about the machine that it ran on."""
    found.producer_name, found.producer_version, found.doc_string = "rlmaze", "", ""
    del found.metadata_props[:]
    parts: list[Any] = [found.graph, *found.graph.node, *found.graph.initializer, *found.graph.input, *found.graph.output]
    parts += [*found.graph.value_info, *found.functions]
    for part in parts:
        part.doc_string = ""
        del part.metadata_props[:]


def onnx_session(raw: bytes) -> onnxruntime.InferenceSession:
    """Opens an exported network on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])


def onnx_policy(raw: bytes) -> ScorePolicy:
    """Returns the scores of an exported network: what is evaluated is what is shipped."""
    session = onnx_session(raw)

    def scores(observations: F32Array) -> F32Array:
        found: F32Array = session.run(["action_scores"], {"observation": observations})[0]
        return found

    return scores


def played_observations(observation: str, count: int, policy: ScorePolicy) -> F32Array:
    """Returns (count, 25) float32 observations of real play on validation mazes, greedy with some random actions."""
    env = MazeVecEnv(load_set("validation").mazes, 64, observation, seed=5)
    rng = np.random.default_rng(5)
    seen = env.reset()
    assert isinstance(seen, np.ndarray)
    kept = [seen]
    for _ in range(4 * count // 64):
        random = rng.integers(0, 4, 64)
        seen, _, _, _ = env.step(np.where(rng.random(64) < 0.2, random, np.argmax(policy(seen), axis=1)))
        assert isinstance(seen, np.ndarray)
        kept.append(seen)
    every: F32Array = np.concatenate(kept)
    return np.unique(every, axis=0)[rng.permutation(len(np.unique(every, axis=0)))[:count]]


def check_parity(network: torch.nn.Module, raw: bytes, observations: F32Array) -> tuple[F32Array, F32Array]:
    """Compares both runtimes on observations and returns PyTorch's scores and values.

    Raises:
        ExportError: An output differs by more than 1e-5, or another action is best.
    """
    with torch.no_grad():
        scores, values = (part.numpy() for part in network(torch.from_numpy(observations)))
    found_scores, found_values = onnx_session(raw).run(["action_scores", "state_value"], {"observation": observations})
    for name, wanted, found in (("action_scores", scores, found_scores), ("state_value", values, found_values)):
        worst = float(np.abs(wanted - found).max())
        if not worst <= TOLERANCE:
            raise ExportError(f"{name}: PyTorch and ONNX Runtime differ by {worst:g}, allowed is {TOLERANCE:g}")
    other = np.flatnonzero(scores.argmax(axis=1) != found_scores.argmax(axis=1))
    if other.size:
        raise ExportError(f"another action is best on {other.size} of {len(observations)} observations")
    return scores, values


def export(
    model: BaseAlgorithm,
    config: TrainingConfig,
    config_path: str,
    run: str,
    seed: int,
    timesteps: int,
    folder: Path,
    version: int = 1,
    trained_at: datetime.datetime | None = None,
    early: bool = False,
) -> Path:
    """Exports a trained model into `folder/<model_id>/`: policy.onnx, parity.json and manifest.json without success yet.

    Returns:
        The model's folder.

    Raises:
        ExportError: PyTorch and ONNX Runtime disagree; nothing is written.
    """
    name = f"{config.name}-early" if early else config.name
    kind = LOGIT if config.algorithm == "PPO" else Q_VALUE
    sets = {set_id: load_set(set_id).hash for set_id in ("training", "validation", "heldout")}
    network = policy_network(model)
    facts = {
        "algorithm": config.algorithm,
        "observation": config.observation,
        "score_kind": kind,
        "action_order": ",".join(ACTION_NAMES),
        "training_run": run,
        "seed": str(seed),
        "maze_set_training": sets["training"],
    }
    raw = onnx_bytes(network, facts)
    observations = played_observations(config.observation, _COMPARED, onnx_policy(raw))
    scores, values = check_parity(network, raw, observations)
    parity = {
        "tolerance": TOLERANCE,
        "vectors": [
            {"observation": observations[i].tolist(), "action_scores": scores[i].tolist(), "state_value": float(values[i, 0])}
            for i in range(PARITY_VECTORS)
        ],
    }
    moment = trained_at or datetime.datetime.now(datetime.UTC)
    manifest = {
        "model_id": f"{name}-{version}",
        "name": name,
        "version": version,
        "title": f"{config.title}, early" if early else config.title,
        "description": f"An early checkpoint, after {timesteps:,} steps, to see what learning changed." if early else config.description,
        "algorithm": config.algorithm,
        "observation": config.observation,
        "score_kind": kind,
        "action_order": list(ACTION_NAMES),
        "trained_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timesteps": timesteps,
        "training_run": run,
        "seed": str(seed),
        "config": config_path,
        "git_revision": "",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "size_bytes": len(raw),
        "opset": OPSET,
        "maze_sets": sets,
        "success": [],
    }
    out = folder / f"{name}-{version}"
    out.mkdir(parents=True, exist_ok=True)
    (out / "policy.onnx").write_bytes(raw)
    lines = ",\n".join("  " + json.dumps(vector) for vector in parity["vectors"])  # type: ignore[attr-defined]
    (out / "parity.json").write_text(f'{{"tolerance": {TOLERANCE}, "vectors": [\n{lines}\n]}}\n')
    write_manifest(out, manifest)
    return out


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes a model's manifest."""
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Reads a model's manifest."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found
