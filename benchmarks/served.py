"""Our server and the peer side by side with the default model, asked by one load generator: what ``episode`` and ``live-fan-out`` share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine_under_test import Peer, Product, ask_load, build, default_model, end_servers_on_signals
from side_by_side import Sample, Turns, take_turns

Report = Mapping[str, Any]
"""What the load generator prints of one turn (server/bench/load)."""


@dataclass(frozen=True)
class BothServers:
    """The two contestants, started, and the load generator."""

    product: Product
    peer: Peer
    load: Path

    def ask_product(self, command: str, **flags: Any) -> Report:
        return ask_load(self.load, command, url=self.product.url, pid=self.product.pid, target="rlmaze", **flags)

    def ask_peer(self, command: str, route: str, **flags: Any) -> Report:
        return ask_load(self.load, command, url=self.peer.url, pid=self.peer.pid, target="peer", peer_route=route, **flags)

    def take_turns(
        self, ask_ours: Callable[[], Report], ask_theirs: Callable[[], Report], sample: Callable[[Report], Sample], rounds: int
    ) -> tuple[Turns, list[Report], list[Report]]:
        """Lets both be asked in turns; returns the figures, and the whole reports of ours and of the peer."""
        ours: list[Report] = []
        theirs: list[Report] = []

        def turn(ask: Callable[[], Report], reports: list[Report]) -> Callable[[], Sample]:
            def asked() -> Sample:
                reports.append(ask())
                return sample(reports[-1])

            return asked

        return take_turns(turn(ask_ours, ours), turn(ask_theirs, theirs), rounds), ours, theirs


@contextmanager
def both_servers() -> Iterator[BothServers]:
    """Starts both with the model that a first start of ours activates, and ends them."""
    end_servers_on_signals()
    _, folder = default_model()
    observation = json.loads((folder / "manifest.json").read_text())["observation"]
    load = build("./server/bench/load")[0]
    with Product() as product, Peer(observation, folder / "policy.onnx") as peer:
        yield BothServers(product, peer, load)
