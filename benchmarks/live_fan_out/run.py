"""live-fan-out: what a delivered step costs the server while 200 people watch, each an episode of their own, at 30 steps a second.

Server and load generator have one core each and both stay under 70 % busy, so that nothing queues and CPU time is the honest currency. The
peer sends one message a step over a WebSocket; ours sends the same over Connect, and again with ``share_ms`` 100. The bars stand on 50 × 50
mazes, whose episodes last half a minute and so outlast a turn: what is measured is the stream, not its beginning and end. Where 200 viewers
keep a contestant busier than that, the row has failed, and the largest number of viewers that does not is shown below it. Shown beside are
the 10 × 10 mazes, where a new episode begins and is logged every 1.2 seconds, and a peer that steps all viewers by one timer. At last 1,000
viewers watch ours for a minute, and every step of every episode must arrive once and in order.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from served import BothServers, Report, both_servers
from side_by_side import Row, Sample, Turns, say

PACE = 30  # steps a second
BUSY_LIMIT = 0.70
FEWER_VIEWERS = (160, 120, 80)  # to try in turn where 200 are too many
CROWD = 1000
PEER_NAME = "FastAPI + uvicorn[standard] + onnxruntime, WebSockets"


@dataclass(frozen=True)
class Case:
    """One comparison; without a bar it is shown beside."""

    maze_set: str
    size: str
    share_ms: int
    age_limit_ms: int
    bar: float | None = None
    viewers: int = 200
    route: str = "/ws"

    @property
    def what(self) -> str:
        sharing = f"share_ms {self.share_ms}" if self.share_ms else "own messages"
        clock = ", the peer on one shared timer" if self.route != "/ws" else ""
        return f"{self.viewers} viewers, {self.size}, {sharing}{clock}"


CASES = [
    Case("large50", "50 × 50", 0, 50, bar=2.5),
    Case("large50", "50 × 50", 100, 200, bar=8.0),
    Case("large50", "50 × 50", 0, 50, route="/ws.shared-clock"),
    Case("large50", "50 × 50", 100, 200, route="/ws.shared-clock"),
    Case("heldout", "10 × 10", 0, 50),
    Case("heldout", "10 × 10", 100, 200),
]


def main() -> None:
    quick = "--quick" in sys.argv
    with both_servers() as servers:
        for case in CASES:
            rounds = 2 if quick else 10 if case.bar else 4
            busiest = compare(case, servers, rounds)
            for viewers in FEWER_VIEWERS if case.bar and not quick else ():
                if busiest < BUSY_LIMIT:
                    break
                busiest = compare(replace(case, viewers=viewers), servers, 6)
        watch_crowd(servers, 0, 10 if quick else 60)
        watch_crowd(servers, 100, 10 if quick else 30)


def compare(case: Case, servers: BothServers, rounds: int) -> float:
    """Emits the rows of one comparison; returns how busy the busiest of the four processes was, in the median of its turns."""
    asked = {"set": case.maze_set, "viewers": case.viewers, "steps_per_second": PACE, "window": "2s", "warm_up": "1500ms"}
    say(f"live-fan-out: {case.what}, {PACE} steps a second")
    turns, ours, theirs = servers.take_turns(
        lambda: servers.ask_product("viewers", share_ms=case.share_ms, **asked),
        lambda: servers.ask_peer("viewers", case.route, **asked),
        sample,
        rounds,
    )
    busy = {(who, process): turns.median(who, process) for who in ("ours", "peer") for process in ("server_busy", "load_busy")}
    emit(case, turns, busy)
    if case.route == "/ws":  # ours is the same beside the other peer
        emit_age(case, max(report["age_ms"]["p99"] for report in ours), max(report["age_ms"]["p99"] for report in theirs))
    return max(busy.values())


def sample(report: Report) -> Sample:
    """Takes the figures of a turn. Nothing that was lost may count as cheap."""
    if report["out_of_order"] or report["errors"]:
        raise SystemExit(
            f"live-fan-out: {report['target']}: {report['out_of_order']} steps out of order, {report['errors']} errors ({report.get('first_error', '')})"
        )
    return {"cpu_us": report["server_us_per_step"], "server_busy": report["server_busy"], "load_busy": report["load_busy"]}


def emit(case: Case, turns: Turns, busy: dict[tuple[str, str], float]) -> None:
    ratio = turns.ratio("cpu_us")
    Row(
        benchmark="live-fan-out",
        figure=f"server CPU a delivered step, {case.what}",
        unit="µs",
        ours=turns.median("ours", "cpu_us"),
        peer=turns.median("peer", "cpu_us"),
        peer_name=PEER_NAME,
        ratio=ratio,
        cpu_ratio=ratio,
        bar=f"≥ {case.bar:g} ×, all < {BUSY_LIMIT:.0%} busy" if case.bar else "",
        passed=ratio >= case.bar and max(busy.values()) < BUSY_LIMIT if case.bar else None,
        control=turns.control("cpu_us"),
        note="busy: server "
        + ", ".join(
            f"{busy[who, 'server_busy']:.0%} (load {busy[who, 'load_busy']:.0%}) {name}"
            for who, name in (("ours", "ours"), ("peer", "the peer's"))
        ),
    ).emit()


def emit_age(case: Case, ours: float, theirs: float) -> None:
    Row(
        benchmark="live-fan-out",
        figure=f"age of a step on arrival, p99, {case.what}",
        unit="ms",
        ours=ours,
        peer=theirs,
        peer_name=PEER_NAME,
        bar=f"< {case.age_limit_ms} ms",
        passed=ours < case.age_limit_ms,
        note="worst turn",
    ).emit()


def watch_crowd(servers: BothServers, share_ms: int, seconds: int) -> None:
    say(f"live-fan-out: {CROWD} viewers for {seconds} s, share_ms {share_ms}")
    report = servers.ask_product(
        "viewers", set="heldout", viewers=CROWD, steps_per_second=PACE, share_ms=share_ms, window=f"{seconds}s", warm_up="5s"
    )
    lost = report["out_of_order"] + report["errors"]
    wanted = 0.9 * PACE  # an episode of 1.2 s ends with its log entry, and the next begins: a tenth of a second at most
    Row(
        benchmark="live-fan-out",
        figure=f"{CROWD:,} viewers for {seconds} s, share_ms {share_ms}: steps lost, doubled or out of order",
        ours=lost,
        bar=f"0, ≥ {wanted:.1f} steps a second",
        passed=lost == 0 and report["steps_per_second_per_viewer"] >= wanted,
        note=(
            f"{report['steps']:,} steps in {report['episodes']:,} episodes, {report['steps_per_second_per_viewer']:.1f} a second a viewer, "
            f"p99 {report['age_ms']['p99']:.0f} ms old, server {report['server_busy']:.0%} busy, load {report['load_busy']:.0%}"
        ),
    ).emit()


if __name__ == "__main__":
    main()
