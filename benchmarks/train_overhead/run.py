"""train-overhead: what it costs a training that it is logged, streamed and watched.

Ours is a training as the page starts it: its process tells every episode to the trainer, which keeps the events; our server stores them in
PostgreSQL and streams them to a viewer; the follower writes them to MLflow. The peer is the same training with the same seed in a program
that tells nobody anything. Both learn the same policy on a core of their own; everything else of the chain has the other core. The clock
runs from the first step to the last update of the network, in both.

    python benchmarks/train_overhead/run.py [--quick]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine_under_test import ROOT, load_core, pinned, server_core
from side_by_side import Row, Sample, say, take_turns
from training_chain import RUN_PROCESS, Chain, process_environment, read_events, training_chain

from rlmaze_api.rlmaze.training.v1.training_pb import EpisodesEnded, TrainingCheckpoint, TrainingProgress

HERE = Path(__file__).resolve().parent
LIMIT = 0.05
SETTLE_S = 120


def main() -> None:
    quick = "--quick" in sys.argv
    text = (HERE / "settings.yaml").read_text()
    if quick:
        text = text.replace("timesteps: 196608", "timesteps: 65536")
    beside: dict[str, float] = {}
    seen: list[int] = []
    with training_chain([*pinned(server_core(), RUN_PROCESS), "--learn-only"]) as chain:
        config = chain.trainer.folder / "settings.yaml"
        config.write_text(text)
        say(f"train-overhead: {text.split('timesteps: ')[1].split()[0]} steps a turn")
        turns = take_turns(lambda: watched(chain, text, beside, seen), lambda: bare(config), 2 if quick else 4)
    cost = turns.median("ours", "us") / turns.median("peer", "us") - 1
    shares = ", ".join(f"{name} {seconds / len(turns.ours):.1f}" for name, seconds in beside.items())
    Row(
        benchmark="train-overhead",
        figure="time a step, PPO, logged, streamed to a viewer, written to MLflow",
        unit="µs",
        ours=turns.median("ours", "us"),
        peer=turns.median("peer", "us"),
        peer_name="the same training that tells nobody",
        ratio=turns.ratio("us"),
        cpu_ratio=turns.ratio("cpu_us"),
        bar=f"≤ {LIMIT:.0%} more",
        passed=cost <= LIMIT,
        control=turns.control("us"),
        note=(
            f"{cost:+.1%} time, {turns.median('ours', 'cpu_us') / turns.median('peer', 'cpu_us') - 1:+.1%} CPU; {min(seen):,} events a run, none "
            f"missing at the viewer; CPU seconds a run on the other core: {shares}"
        ),
    ).emit()


def bare(config: Path) -> Sample:
    command = pinned(server_core(), [sys.executable, str(HERE / "bare.py"), str(config), "1"])
    done = subprocess.run(command, env=process_environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    return {"us": 1e6 * report["seconds"] / report["steps"], "cpu_us": 1e6 * report["cpu_seconds"] / report["steps"]}


def watched(chain: Chain, text: str, beside: dict[str, float], seen: list[int]) -> Sample:
    """Runs one training through the whole chain, with a viewer, and reads its figures from its own events."""
    before = {name: cpu_seconds(pid) for name, pid in chain.pids().items()}
    run_id = chain.start(text)
    command = pinned(load_core(), [sys.executable, str(HERE / "viewer.py"), chain.product.url, run_id])
    viewer = subprocess.run(command, env=process_environment(), cwd=ROOT, capture_output=True, text=True, check=True, timeout=SETTLE_S * 5)
    report = json.loads(viewer.stdout)
    training = chain.ask("TrainingService", "GetTraining", {"runId": run_id})["training"]
    if training["state"] != "TRAINING_STATE_COMPLETED" or not report["whole"]:
        raise SystemExit(f"train-overhead: {training['state']} {training['failure']}, viewer {report}")
    await_mlflow(chain, run_id)
    for name, pid in chain.pids().items():
        beside[name] = beside.get(name, 0.0) + cpu_seconds(pid) - before[name]
    seen.append(report["events"])
    return figures(chain.trainer.runs / run_id)


def figures(run_folder: Path) -> Sample:
    """Takes time and CPU of the learning from the events: from the checkpoint before the first step to the last progress."""
    began = last = 0.0
    cpu = 0.0
    steps = 0
    for event in read_events(run_folder):
        moment = event.happened_at.seconds + event.happened_at.nanos / 1e9
        value: Any = event.event.value
        if isinstance(value, TrainingCheckpoint) and not began:
            began = last = moment
        elif isinstance(value, EpisodesEnded) and began:
            progress = value.progress
            assert isinstance(progress, TrainingProgress)
            # The first reading also covers the validation before the first step, when the process was as busy.
            cpu += progress.cpu_percent / 100 * (moment - last)
            last, steps = moment, progress.timesteps
    return {"us": 1e6 * (last - began) / steps, "cpu_us": 1e6 * cpu / steps}


def await_mlflow(chain: Chain, run_id: str) -> None:
    """Waits until the follower has written the whole run, so that the next turn has the machine for itself."""
    place = chain.trainer.runs / run_id / "mlflow.json"
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        if place.is_file() and json.loads(place.read_text())["status"] == "FINISHED":
            return
        time.sleep(0.2)
    raise SystemExit(f"train-overhead: MLflow does not have the run after {SETTLE_S} s")


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
