"""Plays the process of a trial: the entropy in the configuration says which part, the learning rate how well. It imports no PyTorch."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[part] / name) for part, name in ((1, ""), (2, "gen/python"), (2, "ml"))]

import yaml
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp
from sweep_actor_values import CRASHES, DEAF, DIVERGES, ENDLESS

from rlmaze_api.rlmaze.model.v1.model_pb import SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import (
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

folder = Path(sys.argv[1])
config = yaml.safe_load((folder / "config.yaml").read_text())
seed = json.loads((folder / "run.json").read_text())["seed"]
act, skill = config["ppo"]["entropy"], config["ppo"]["learning_rate"]
stop = threading.Event()


def listen() -> None:
    while chunk := os.read(0, 64):
        if b"stop" in chunk and act != DEAF:
            stop.set()
    os._exit(12)


def send(event: TrainingEvent) -> None:
    event.happened_at = Timestamp.now()
    os.write(1, frame(event))


def checkpoint(timesteps: int) -> None:
    """A candidate solves as many hundredths of the mazes as its learning rate says, and a few more with a higher seed."""
    (folder / "checkpoints" / f"{timesteps}.zip").write_bytes(b"weights")
    successes = min(500, round(500 * skill) + seed)
    figures = {"timesteps": timesteps, "successes": successes, "episodes": 500, "spl": skill / 2}
    (folder / "checkpoints" / f"{timesteps}.json").write_text(json.dumps(figures))
    rate = SuccessRate(set_id="validation", episodes=500, successes=successes, rate=successes / 500, spl=skill / 2)
    send(events.checkpoint(TrainingCheckpoint(timesteps=timesteps, validation=rate)))


def learn() -> None:
    every, learned = config["validation"]["every"], 0
    while learned < config["timesteps"] or act in (ENDLESS, DEAF):
        learned += every
        send(events.episodes_ended(EpisodesEnded(progress=TrainingProgress(timesteps=learned, success_rate=skill, steps_per_second=1e6))))
        if learned <= config["timesteps"]:
            checkpoint(learned)
        # Long enough for an answer to the checkpoint; a trial that is not ended by it goes on.
        if stop.wait(0.05):
            sys.exit(10)


def export() -> None:
    model = folder / "model" / f"{config['name']}-1"
    model.mkdir(parents=True)
    for name in ("policy.onnx", "parity.json"):
        (model / name).write_text("{}")
    reached = {"set_id": "heldout", "set_hash": "x", "episodes": 1000, "successes": 990, "mean_steps": 34.5, "spl": 0.7}
    (model / "manifest.json").write_text(json.dumps({"success": [reached]}))


threading.Thread(target=listen, daemon=True).start()
send(events.state_change(TrainingState.RUNNING, TrainingPhase.LEARNING))
if act == DIVERGES:
    send(events.log_line("The loss became nan.", LogLevel.ERROR))
    sys.exit(11)
if act == CRASHES:
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)
if not json.loads((folder / "run.json").read_text())["resumed_from"]:
    learn()
if "--learn-only" not in sys.argv:
    export()
