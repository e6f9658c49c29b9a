"""episode: whole episodes by one RunEpisode each, log written, against a FastAPI server that is asked step by step.

The policy is the default model on both sides, and one Go program asks both servers: it reads our stream, or runs the maze itself and posts
every observation. Server and client have one core each. The bars stand on held-out 10 × 10 mazes with 64 clients at a time, a busy server;
one client alone, larger mazes and a peer that has left FastAPI behind are shown beside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from served import BothServers, Report, both_servers
from side_by_side import Row, Sample, Turns, say

TIME_BAR, CPU_BAR = 12.0, 30.0
PEER_NAME = "FastAPI + uvicorn[standard] + onnxruntime, a POST a step"


@dataclass(frozen=True)
class Case:
    """One comparison: which mazes, how many clients at a time, which of the peer's routes, and whether the bars stand here."""

    maze_set: str
    size: str
    clients: int
    route: str = "/act"
    barred: bool = False

    @property
    def who(self) -> str:
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        return f"{self.size}, {clients}" + (", the peer's raw route" if self.route == "/act.raw" else "")


CASES = [
    Case("heldout", "10 × 10", 64, barred=True),
    Case("heldout", "10 × 10", 64, route="/act.raw"),
    Case("heldout", "10 × 10", 1),
    Case("large30", "30 × 30", 8),
]


def main() -> None:
    quick = "--quick" in sys.argv
    with both_servers() as servers:
        for case in CASES:
            rounds = 2 if quick else 16 if case.barred else 6
            compare(case, servers, rounds, window="1s" if quick else "2s")


def compare(case: Case, servers: BothServers, rounds: int, window: str) -> None:
    asked = {"set": case.maze_set, "clients": case.clients, "window": window, "warm_up": "500ms"}
    say(f"episode: {case.who}, {case.route}, {window} a turn")
    turns, ours, theirs = servers.take_turns(
        lambda: servers.ask_product("episodes", **asked), lambda: servers.ask_peer("episodes", case.route, **asked), sample, rounds
    )
    walked = {report["steps_of_first"] for report in (*ours, *theirs)}
    if len(walked) != 1:
        raise SystemExit(f"episode: the first maze took {' or '.join(map(str, sorted(walked)))} steps: not the same episode")
    for report in ours:
        if report["logged"] != report["episodes"]:
            raise SystemExit(f"episode: {report['logged']} of {report['episodes']} episodes were logged")
    emit(case, turns, ours[-1])


def sample(report: Report) -> Sample:
    if report["successes"] != report["episodes"]:
        say(f"  {report['target']}: {report['successes']} of {report['episodes']} episodes reached the goal")
    return {"us": report["wall_us_per_episode"], "cpu_us": report["server_us_per_episode"]}


def emit(case: Case, turns: Turns, ours: Report) -> None:
    time_note = f"{ours['steps'] / ours['episodes']:.1f} steps an episode; ours p95 {ours['latency_ms']['p95']:.1f} ms"
    for figure, what, bar, note in (
        ("us", "time an episode, logged", TIME_BAR, time_note),
        ("cpu_us", "server CPU an episode", CPU_BAR, ""),
    ):
        Row(
            benchmark="episode",
            figure=f"{what}, {case.who}",
            unit="µs",
            ours=turns.median("ours", figure),
            peer=turns.median("peer", figure),
            peer_name=PEER_NAME,
            ratio=turns.ratio(figure),
            cpu_ratio=turns.ratio("cpu_us"),
            bar=f"≥ {bar:g} ×" if case.barred else "",
            passed=turns.ratio(figure) >= bar if case.barred else None,
            control=turns.control(figure),
            note=note,
        ).emit()


if __name__ == "__main__":
    main()
