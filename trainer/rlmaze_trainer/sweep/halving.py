"""Asynchronous successive halving: which trials are worth going on with. Pure.

Source: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht, Talwalkar: A system for massively parallel hyperparameter tuning (MLSys 2020), in
the form that ends trials instead of pausing them, as Ray Tune has it: a trial that reaches a rung is compared with those that reached it
before and ends unless it is among the best `keep` of them. So the first ones are compared with few, and nobody ever waits.

Only trials of the same seed are compared, so that no candidate wins by its seed.
"""

from dataclasses import dataclass

from rlmaze_trainer.sweep.sweep_file import HalvingChoice


@dataclass(frozen=True, order=True)
class Standing:
    """What a trial was worth so far, by its best checkpoint: success rate on validation mazes (0–1), then SPL."""

    success: float
    spl: float


@dataclass(frozen=True)
class Verdict:
    """Why a trial ends."""

    rung: int
    rank: int
    of: int

    @property
    def text(self) -> str:
        """In words."""
        return f"ended by halving: number {self.rank} of {self.of} after {self.rung:,} steps"


class Halving:
    """The rungs of a sweep and who reached them with what."""

    def __init__(self, choice: HalvingChoice | None) -> None:
        self._choice = choice
        self._reached: dict[tuple[int, int], dict[int, Standing]] = {}  # (rung, seed) → candidate → standing

    def rungs(self, timesteps: int) -> list[int]:
        """The steps after which trials of so many steps are compared."""
        found: list[int] = []
        if self._choice is not None:
            at = float(self._choice.first)
            while at < timesteps:
                found.append(round(at))
                at /= self._choice.keep
        return found

    def report(self, candidate: int, seed: int, timesteps: int, total: int, standing: Standing) -> Verdict | None:
        """Takes a checkpoint of a trial; returns a verdict when it is not worth going on."""
        if self._choice is None or timesteps >= total:
            return None
        verdict = None
        for rung in self.rungs(total):
            reached = self._reached.setdefault((rung, seed), {})
            if timesteps < rung or candidate in reached:
                continue
            reached[candidate] = standing
            better = sum(other >= standing for name, other in reached.items() if name != candidate)  # among equals the earlier one stays
            if better >= max(1, int(len(reached) * self._choice.keep)):
                verdict = verdict or Verdict(rung, better + 1, len(reached))
        return verdict
