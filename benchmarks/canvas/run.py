"""canvas: what a maze costs the page's main thread while the agent runs, our two canvases against a React state set once for every step.

Both run in the same Chromium, on the same walk, with the same colours, agent and trail. Ours takes its steps as the server sends them, at most 60
messages a second, and draws once a frame. The peer gets each step as it happens and sets its state, which is what a page does that has no
store beside React; its cells are keyed and memoised with primitive props, the state shares what did not change, and the build is React's
for production. Both have their steps ready made: nothing is decoded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine_under_test import PRIORITY, ROOT, environment
from side_by_side import Row, Sample, say, take_turns

BAR = 10.0
FRAME_WORK_BAR_MS = 4.0
DROPPED_BAR = 0.05
FRAME_MS = 1000 / 60
PROGRAM = Path(__file__).with_name("turn.mjs")

versions: dict[str, str] = {}


def run_turn(**turn: Any) -> dict[str, Any]:
    """One turn in a Chromium of its own; see ``Turn`` in page.tsx."""
    command = [*PRIORITY, "node", str(PROGRAM), json.dumps(turn)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    versions["chromium"] = report["version"]
    return report


def contestant(name: str, *, seconds: float, size: int, lanes: int, rate: int, messages: int) -> Callable[[], Sample]:
    """``messages`` a second; 0 is one for each step."""

    def turn() -> Sample:
        report = run_turn(contestant=name, size=size, lanes=lanes, stepsPerSecond=rate, seconds=seconds, messagesPerSecond=messages)
        # A page that can't keep up works on after the last step was sent; its work counts for the seconds that it should have taken.
        return {
            "main_ms": report["taskMs"] / seconds,
            "process_ms": report["processMs"] / seconds,
            "fps": 1000 * report["frames"] / report["wallMs"],
        }

    return turn


def compare(
    figure: str, *, rounds: int, bar: float | None, note: str = "", peer: str = "peer", ours_messages: int = 60, **given: Any
) -> None:
    say(f"canvas: {figure}")
    turns = take_turns(contestant("ours", messages=ours_messages, **given), contestant(peer, messages=0, **given), rounds)
    ratio = turns.ratio("main_ms")
    frames = f"{turns.median('ours', 'fps'):.0f} and {turns.median('peer', 'fps'):.0f} frames a second"
    Row(
        benchmark="canvas",
        figure=f"main-thread time a second, {figure}",
        unit="ms",
        ours=turns.median("ours", "main_ms"),
        peer=turns.median("peer", "main_ms"),
        peer_name="React 19 DOM grid, one setState a step",
        ratio=ratio,
        cpu_ratio=turns.ratio("process_ms"),
        bar=f"≥ {bar:g} ×" if bar else "",
        passed=ratio >= bar if bar else None,
        control=turns.control("main_ms"),
        note="; ".join(text for text in (frames, note) if text),
    ).emit()


def frames_of_ours(size: int, *, rounds: int, seconds: float) -> None:
    """Work of every frame and frames that never came, over all turns."""
    say(f"canvas: frames at 1,000 steps a second, {size} × {size}")
    work: list[float] = []
    missing = expected = 0.0
    for _ in range(rounds):
        report = run_turn(contestant="ours", size=size, lanes=1, stepsPerSecond=1000, seconds=seconds, messagesPerSecond=60, trace=True)
        work += report["frameWorkMs"]
        due = report["wallMs"] / FRAME_MS
        expected += due
        missing += max(0.0, due - report["frames"])
    work.sort()
    p95 = work[int(0.95 * (len(work) - 1))]
    Row(
        benchmark="canvas",
        figure=f"main-thread work a frame, p95, 1,000 steps a second, {size} × {size}",
        unit="ms",
        ours=p95,
        bar=f"≤ {FRAME_WORK_BAR_MS:g} ms",
        passed=p95 <= FRAME_WORK_BAR_MS,
        note=f"{len(work)} frames, median {work[len(work) // 2]:.2f} ms, p99 {work[int(0.99 * (len(work) - 1))]:.2f} ms, while traced",
    ).emit()
    dropped = missing / expected
    Row(
        benchmark="canvas",
        figure=f"dropped frames, 1,000 steps a second, {size} × {size}",
        unit="%",
        ours=100 * dropped,
        bar=f"≤ {DROPPED_BAR:.0%}",
        passed=dropped <= DROPPED_BAR,
        note="of 60 a second, while traced",
    ).emit()


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, seconds = (2, 1.5) if quick else (6, 4.0)
    given: dict[str, Any] = {"rounds": rounds, "seconds": seconds}
    compare("1,000 steps a second, 30 × 30", size=30, lanes=1, rate=1000, bar=BAR, **given)
    compare("1,000 steps a second, 30 × 30, four lanes", size=30, lanes=4, rate=1000, bar=None, note="250 steps a second a lane", **given)
    compare("60 steps a second, 30 × 30", size=30, lanes=1, rate=60, bar=None, **given)
    fewer: dict[str, Any] = {"rounds": 2 if quick else 4, "seconds": seconds}
    compare("1,000 steps a second, 50 × 50", size=50, lanes=1, rate=1000, bar=None, **fewer)
    compare(
        "1,000 steps a second, 30 × 30, rows memoised too",
        size=30,
        lanes=1,
        rate=1000,
        bar=None,
        peer="peer-rows",
        note="the peer compares rows first",
        **fewer,
    )
    compare("1,000 steps a second, 30 × 30, ours a message a step too", size=30, lanes=1, rate=1000, bar=None, ours_messages=0, **fewer)
    for size in (30, 50):
        frames_of_ours(size, rounds=1 if quick else 3, seconds=seconds)
    say(f"canvas: Chromium {versions.get('chromium', '')}")


if __name__ == "__main__":
    main()
