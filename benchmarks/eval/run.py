"""eval: the default model over the 1,000 held-out mazes, by EvaluateModel against a loop over our Python environment, on one core each.

Ours is measured from outside: request, progress, the row in PostgreSQL and the answer included. Both must come to the same figures.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine_under_test import ROOT, Product, default_model, end_servers_on_signals, environment, pinned, server_core
from side_by_side import Row, Sample, say, take_turns

BAR = 5.0
SET_ID = "heldout"
PEER_PROGRAM = Path(__file__).with_name("peer.py")


def evaluate(product: Product, model_id: str) -> dict[str, Any]:
    """Runs one evaluation and returns it. A Connect stream puts a byte of flags and four of length before each message."""
    request = json.dumps({"policy": {"modelId": model_id}, "setId": SET_ID, "again": True}).encode()
    call = urllib.request.Request(
        product.private_url + "/rlmaze.evaluation.v1.EvaluationService/EvaluateModel",
        data=struct.pack(">BI", 0, len(request)) + request,
        headers={"Content-Type": "application/connect+json", "Connect-Protocol-Version": "1"},
    )
    evaluation: dict[str, Any] = {}
    with urllib.request.urlopen(call, timeout=60) as answer:
        while head := answer.read(5):
            flags, length = struct.unpack(">BI", head)
            message = json.loads(answer.read(length))
            if flags & 2 and "error" in message:
                raise RuntimeError(f"the evaluation ended with {message['error']}")
            evaluation = message.get("evaluation", evaluation)
    return evaluation


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime


def main() -> None:
    end_servers_on_signals()
    rounds = 2 if "--quick" in sys.argv else 12
    model_id, folder = default_model()
    observation = json.loads((folder / "manifest.json").read_text())["observation"]
    peer_command = [sys.executable, str(PEER_PROGRAM), str(folder / "policy.onnx"), observation, SET_ID]
    figures: dict[str, Any] = {}
    reports: dict[str, Any] = {}

    with Product() as product:

        def ours() -> Sample:
            cpu, wall = cpu_seconds(product.pid), time.perf_counter()
            evaluation = evaluate(product, model_id)
            wall, cpu = time.perf_counter() - wall, cpu_seconds(product.pid) - cpu
            figures.update(evaluation["figures"])
            return {"ms": wall * 1e3, "cpu_ms": cpu * 1e3}

        def peer() -> Sample:
            done = subprocess.run(
                pinned(server_core(), peer_command), cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
            )
            reports.update(json.loads(done.stdout))
            return {"ms": reports["wall_s"] * 1e3, "cpu_ms": reports["cpu_s"] * 1e3}

        say(f"eval: {model_id} on {SET_ID}")
        ours()  # loads the model
        turns = take_turns(ours, peer, rounds)
    same_episodes = all(figures[name] == reports[name] for name in ("episodes", "successes"))
    if not same_episodes or abs(figures["spl"] - reports["spl"]) > 1e-9:
        raise SystemExit(f"eval: the two evaluations differ: {figures} and {reports}")
    ratio = turns.ratio("ms")
    Row(
        benchmark="eval",
        figure=f"{figures['episodes']:,} held-out mazes, kept",
        unit="ms",
        ours=turns.median("ours", "ms"),
        peer=turns.median("peer", "ms"),
        peer_name=f"MazeEnv + onnxruntime {reports['version']} (Python), batch 1",
        ratio=ratio,
        cpu_ratio=turns.median("peer", "cpu_ms") / turns.median("ours", "cpu_ms"),
        bar=f"≥ {BAR:g} ×",
        passed=ratio >= BAR,
        control=turns.control("ms"),
        note=f"{reports['steps']:,} steps; the same successes and SPL on both sides",
    ).emit()


if __name__ == "__main__":
    main()
