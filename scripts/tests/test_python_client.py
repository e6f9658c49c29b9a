"""The generated Python client against the real server: what Go streams is what the rules in Python play."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "gen" / "python"), str(ROOT / "scripts")]

import machine  # noqa: E402
from connectrpc.code import Code  # noqa: E402
from connectrpc.errors import ConnectError  # noqa: E402
from protobuf import Oneof  # noqa: E402

from rlmaze_api.rlmaze.inference.v1.episode_pb import Outcome, PolicyRef  # noqa: E402
from rlmaze_api.rlmaze.inference.v1.inference_service_connect import InferenceServiceClientSync  # noqa: E402
from rlmaze_api.rlmaze.inference.v1.inference_service_pb import RunEpisodeRequest  # noqa: E402
from rlmaze_api.rlmaze.maze.v1.maze_pb import MazeRef  # noqa: E402
from rlmaze_env.episode import Episode  # noqa: E402
from rlmaze_env.maze import Maze  # noqa: E402

START_S = 60.0


def free_port() -> int:
    """A port of the loopback interface that nobody holds now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The public address of a server with embedded stores of its own."""
    public, private = free_port(), free_port()
    variables = {
        "RLMAZE_ADDR": f"127.0.0.1:{public}",
        "RLMAZE_PRIVATE_ADDR": f"127.0.0.1:{private}",
        "DATA_DIR": str(tmp_path_factory.mktemp("store")),
        "LOG_LEVEL": "warn",
    }
    server = subprocess.Popen([machine.SERVER_BINARY], cwd=ROOT, env=os.environ | variables)
    try:
        url = f"http://127.0.0.1:{public}"
        deadline = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=2):
                    break
            except OSError:
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def test_an_episode_of_the_server_is_the_episode_of_the_rules_in_python(address: str) -> None:
    model_id = json.loads((ROOT / "ml/models/default.json").read_text())["model_id"]
    folder = ROOT / "ml/models" / model_id
    version = json.loads((folder / "manifest.json").read_text())["observation"]
    network = onnxruntime.InferenceSession(str(folder / "policy.onnx"), providers=["CPUExecutionProvider"])
    client = InferenceServiceClientSync(address)
    for maze_id in ("heldout-0001", "heldout-0500", "puzzle-spiral", "generated-12x17-5-30"):
        episode: Episode | None = None
        streamed = 0
        finished = None
        for message in client.run_episode(RunEpisodeRequest(maze=MazeRef(maze=Oneof("maze_id", maze_id)), seed=1)):
            event = message.event
            assert event is not None
            if event.field == "started":
                assert event.value.policy.policy.value == model_id
                episode = Episode(Maze(tuple(event.value.maze.rows)))
            elif event.field == "steps":
                assert episode is not None
                for step in event.value.steps:
                    streamed += 1
                    scores = network.run(["action_scores"], {"observation": episode.observation(version).reshape(1, 25)})[0][0]
                    assert step.index == streamed
                    assert step.action - 1 == int(np.argmax(scores))
                    played = episode.step(step.action - 1)
                    assert step.position.row * episode.maze.width + step.position.col == played.position
                    assert step.reward == played.reward
                    assert step.cumulative_reward == played.cumulative_hundredths / 100
            elif event.field == "finished":
                finished = event.value
        assert finished is not None
        assert finished.outcome == Outcome.REACHED_GOAL
        assert finished.steps == streamed
        assert finished.logged


def test_bad_input_is_a_typed_error_in_python_too(address: str) -> None:
    client = InferenceServiceClientSync(address)
    with pytest.raises(ConnectError) as unknown:
        list(client.run_episode(RunEpisodeRequest(maze=MazeRef(maze=Oneof("maze_id", "heldout-9999")))))
    assert unknown.value.code == Code.NOT_FOUND
    with pytest.raises(ConnectError) as absent:
        list(client.run_episode(RunEpisodeRequest(policy=PolicyRef())))
    assert absent.value.code == Code.INVALID_ARGUMENT
