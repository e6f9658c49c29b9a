"""infer: one call of the policy network, Go against Python, both on ONNX Runtime's C++ library of the same version and on one core."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine_under_test import ROOT, build, default_model, environment, pinned, server_core
from side_by_side import Row, Sample, say, take_turns

BAR = 2.0


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, seconds = (2, "0.3") if quick else (24, "0.3")
    model_id, folder = default_model()
    files = [str(folder / "policy.onnx"), str(folder / "parity.json"), seconds]
    ours_program = [str(build("./server/bench/infer")[0]), *files]
    peer_program = [sys.executable, str(Path(__file__).with_name("peer.py")), *files]
    details: dict[str, dict[str, Any]] = {}

    def contestant(name: str, command: list[str]) -> Callable[[], Sample]:
        def turn() -> Sample:
            done = subprocess.run(pinned(server_core(), command), cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
            report = json.loads(done.stdout)
            details[name] = report
            return {
                f"{case}_{figure}": report[case][figure]
                for case in ("single", "batch", "binding")
                if case in report
                for figure in ("us", "cpu_us")
            }

        return turn

    say(f"infer: {model_id}, each turn {seconds} s a case")
    turns = take_turns(contestant("ours", ours_program), contestant("peer", peer_program), rounds)
    difference = max(abs(a - b) for a, b in zip(details["ours"]["scores"], details["peer"]["scores"], strict=True))
    if difference > 1e-5:
        raise SystemExit(f"infer: the two runtimes disagree by {difference}: nothing to compare")
    python = f"onnxruntime {details['peer']['version']} (Python)"

    def row(figure: str, ours: str, peer: str, bar: float | None, note: str = "") -> None:
        ratio = turns.median("peer", peer + "_us") / turns.median("ours", ours + "_us")
        Row(
            benchmark="infer",
            figure=figure,
            unit="µs",
            ours=turns.median("ours", ours + "_us"),
            peer=turns.median("peer", peer + "_us"),
            peer_name=python,
            ratio=ratio,
            cpu_ratio=turns.median("peer", peer + "_cpu_us") / turns.median("ours", ours + "_cpu_us"),
            bar=f"≥ {bar:g} ×" if bar else "",
            passed=ratio >= bar if bar else None,
            control=turns.control(ours + "_us", peer + "_us"),
            note=note,
        ).emit()

    row("batch 1, session.run", "single", "single", BAR)
    row("batch 1, io_binding", "single", "binding", None, "buffers bound once, no arrays made")
    row("batch 100, session.run", "batch", "batch", None, "the network's arithmetic weighs most")


if __name__ == "__main__":
    main()
