"""Plays the process of a run: the title of the configuration says which part. It imports no PyTorch."""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "gen" / "python")]
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ml"))

import yaml
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.model.v1.model_pb import SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodeColumns,
    EpisodesEnded,
    LogLevel,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_trainer import events
from rlmaze_trainer.event_log import frame

if sys.argv[1] == "--wait":
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1) or os._exit(12)
    folder = Path(os.fsdecode(line[4:-1]))
else:
    folder = Path(sys.argv[1])
act = yaml.safe_load((folder / "config.yaml").read_text())["title"]
stop = threading.Event()


def listen() -> None:
    while chunk := os.read(0, 64):
        if b"stop" in chunk:
            stop.set()
    os._exit(12)


def send(event: TrainingEvent) -> None:
    event.happened_at = Timestamp.now()
    os.write(1, frame(event))


def episodes(first: int, count: int) -> None:
    columns = EpisodeColumns(
        first_episode=first,
        timesteps=[20 * (first + i) for i in range(count)],
        rewards=[0.5] * count,
        lengths=[20] * count,
        reached_goal=[True] * count,
    )
    progress = TrainingProgress(timesteps=20 * (first + count), episodes=first + count - 1, success_rate=1.0)
    send(events.episodes_ended(EpisodesEnded(episodes=columns, progress=progress)))


def checkpoint(timesteps: int) -> None:
    (folder / "checkpoints" / f"{timesteps}.zip").write_bytes(b"weights")
    (folder / "checkpoints" / f"{timesteps}.json").write_text("{}")
    validation = SuccessRate(set_id="validation", episodes=500, successes=timesteps // 2)
    send(events.checkpoint(TrainingCheckpoint(timesteps=timesteps, validation=validation)))


def export() -> None:
    """Leaves a real model, as an export does; the run's id in its metadata makes it another one than those of other runs."""
    shipped = Path(__file__).resolve().parents[2] / "ml" / "models" / "ppo-trail-early-1"
    model = folder / "model" / "a-run-1"
    model.mkdir(parents=True)
    key, value = b"actor", folder.name.encode()
    entry = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    # Field 14 of a ModelProto is metadata_props; what is appended to a protobuf message is added to it.
    raw = (shipped / "policy.onnx").read_bytes() + b"\x72" + bytes([len(entry)]) + entry
    (model / "policy.onnx").write_bytes(raw)
    (model / "parity.json").write_bytes((shipped / "parity.json").read_bytes())
    manifest = json.loads((shipped / "manifest.json").read_text())
    reached = {"set_id": "heldout", "set_hash": "x", "episodes": 1000, "successes": 990, "mean_steps": 34.5, "spl": 0.7}
    manifest |= {"training_run": folder.name, "success": [reached], "sha256": hashlib.sha256(raw).hexdigest(), "size_bytes": len(raw)}
    (model / "manifest.json").write_text(json.dumps(manifest))


threading.Thread(target=listen, daemon=True).start()
send(events.state_change(TrainingState.RUNNING, TrainingPhase.LEARNING))
episodes(1, 3)
checkpoint(500)
match act:
    case "complete":
        episodes(4, 2)
        export()
    case "slow":
        first = 4
        while not stop.wait(0.01):
            episodes(first, 1)
            first += 1
        sys.exit(10)
    case "half":
        export()
        stop.wait()
        sys.exit(10)
    case "deaf":
        while True:
            time.sleep(1)
    case "fail":
        send(events.log_line("The loss became nan.", LogLevel.ERROR))
        sys.exit(11)
    case "crash":
        print("Traceback: it broke", file=sys.stderr)
        sys.exit(1)
    case "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    case "garbage":
        os.write(1, b"\xff" * 64)
        time.sleep(60)
