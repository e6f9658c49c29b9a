"""Two contestants in turns, and the one row of the table that comes of it.

A machine is never the same for two minutes. So the contestants take turns (A B A B …), each figure is the median of its turns, and every
row carries a control: each contestant is compared with *itself*, its odd turns against its even ones. Where that A/A comparison is off by
more than ``CONTROL_LIMIT`` the machine was not quiet enough to say anything, and the row has failed, whatever its ratio.

A benchmark is a folder with a ``run.py`` that prints one JSON object a row, with the fields of :class:`Row`, and everything else on stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median

CONTROL_LIMIT = 0.10
Sample = Mapping[str, float]
"""Figures of one turn, by name; the smaller, the better."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        benchmark: name of the folder, with dashes.
        figure: what is compared.
        unit: of ours and peer.
        ours: our figure; None where the row is a plain check.
        peer: the peer's figure; None without a peer.
        peer_name: who that is, with its version.
        ratio: peer / ours, how many times better ours is; None without a peer.
        cpu_ratio: the same for the CPU time that the contestants used.
        bar: what must be reached, in words; empty for a figure that is shown beside.
        passed: whether it was; None without a bar.
        control: the largest A/A difference of the figures in this row (0.03 is 3 %); None where nothing was repeated.
        note: what else a reader should know.
    """

    benchmark: str
    figure: str
    unit: str = ""
    ours: float | None = None
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    cpu_ratio: float | None = None
    bar: str = ""
    passed: bool | None = None
    control: float | None = None
    note: str = ""

    def emit(self) -> None:
        print(json.dumps(asdict(self)), flush=True)


@dataclass(frozen=True)
class Turns:
    """What both contestants did, turn by turn."""

    ours: list[Sample]
    peer: list[Sample]

    def median(self, who: str, figure: str) -> float:
        return float(median(sample[figure] for sample in getattr(self, who)))

    def ratio(self, figure: str) -> float:
        return self.median("peer", figure) / self.median("ours", figure)

    def control(self, figure: str, peer_figure: str | None = None) -> float:
        """The larger relative difference between odd and even turns of the two contestants, the peer's in its own figure if named."""
        return max(
            _control([sample[figure] for sample in self.ours]),
            _control([sample[peer_figure or figure] for sample in self.peer]),
        )


def _control(values: list[float]) -> float:
    odd, even = median(values[0::2]), median(values[1::2])
    return abs(odd - even) / min(odd, even)


def take_turns(ours: Callable[[], Sample], peer: Callable[[], Sample], rounds: int) -> Turns:
    """Lets the contestants run alternately, ``rounds`` times each (an even number, so that the control is balanced)."""
    turns = Turns([], [])
    for number in range(rounds):
        turns.ours.append(ours())
        turns.peer.append(peer())
        say(f"  turn {number + 1} of {rounds}: ours {_brief(turns.ours[-1])} | peer {_brief(turns.peer[-1])}")
    return turns


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _brief(sample: Sample) -> str:
    return ", ".join(f"{name} {value:,.2f}" for name, value in sample.items())
