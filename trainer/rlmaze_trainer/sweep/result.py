"""What a sweep found: each candidate's mean over its seeds with its interval, their order, and the files of it. Pure but for `write`."""

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from rlmaze_trainer.configuration import written_out
from rlmaze_trainer.run_folder import replace_file
from rlmaze_trainer.sweep.sweep_file import Candidate, Sweep, value_text
from rlmaze_trainer.sweep.trial import Checkpoint, Trial

INTERVAL = "95 % interval of the mean over seeds by Student's t"

# Student's t, 97.5 %, by degrees of freedom from 1; beyond the table the normal distribution's value is within 3 %.
_T = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
    2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
    2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
)  # fmt: skip
_NORMAL = 1.9600


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Returns the 95 % interval of a mean of rates, cut to 0–1; None when one value says nothing about the others."""
    count = len(values)
    if count < 2:
        return None
    mean = math.fsum(values) / count
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = (_T[count - 2] if count - 2 < len(_T) else _NORMAL) * deviation / math.sqrt(count)
    return max(0.0, mean - half), min(1.0, mean + half)


@dataclass(frozen=True)
class CandidateResult:
    """A candidate and its trials.

    Attributes:
        candidate: The candidate.
        trials: Its trials, by seed; a seed that was not begun is missing.
        outcome: `finished` when every seed is; else `failed`, `halved` or `unfinished`.
        success: Mean over seeds of the best validation success rate; None before the first checkpoint.
        interval: Of that mean; None unless two seeds have finished.
        spl: Mean over seeds of the SPL of the same checkpoints.
    """

    candidate: Candidate
    trials: Mapping[int, Trial]
    outcome: str
    success: float | None
    interval: tuple[float, float] | None
    spl: float | None


@dataclass(frozen=True)
class SweepResult:
    """All candidates, the best first."""

    sweep: Sweep
    candidates: Sequence[CandidateResult]

    @property
    def best(self) -> CandidateResult | None:
        """The best candidate of which every seed has finished."""
        return next((one for one in self.candidates if one.outcome == "finished"), None)

    @property
    def best_trial(self) -> Trial | None:
        """The trial of the best candidate whose checkpoint solved most."""
        if self.best is None:
            return None
        return max(self.best.trials.values(), key=lambda trial: trial.best.standing if trial.best else Checkpoint(0, 0, 0, 0.0).standing)


def sum_up(sweep: Sweep, trials: Sequence[Trial]) -> SweepResult:
    """Puts the trials of a sweep together. Of several trials that are the same, a finished one counts, else the latest."""
    latest: dict[str, Trial] = {}
    for trial in trials:
        known = latest.get(trial.facts.digest)
        if not trial.facts.best and (known is None or known.outcome != "finished"):
            latest[trial.facts.digest] = trial
    found = []
    for candidate in sweep.candidates:
        by_seed = {seed: latest[candidate.digest(seed)] for seed in sweep.file.seeds if candidate.digest(seed) in latest}
        best = [trial.best for trial in by_seed.values() if trial.best is not None]
        outcome = _outcome(sweep, by_seed)
        rates = [checkpoint.standing.success for checkpoint in best]
        found.append(
            CandidateResult(
                candidate=candidate,
                trials=by_seed,
                outcome=outcome,
                success=math.fsum(rates) / len(rates) if rates else None,
                interval=mean_interval(rates) if outcome == "finished" else None,
                spl=math.fsum(checkpoint.spl for checkpoint in best) / len(best) if best else None,
            )
        )

    # Those whose every seed has finished come first: the mean of the others is of fewer seeds, or of fewer steps.
    order = ("finished", "unfinished", "halved", "failed")
    found.sort(key=lambda one: (order.index(one.outcome), -(one.success or 0.0), -(one.spl or 0.0), one.candidate.number))
    return SweepResult(sweep, found)


def _outcome(sweep: Sweep, by_seed: Mapping[int, Trial]) -> str:
    outcomes = [trial.outcome for trial in by_seed.values()]
    for outcome in ("failed", "halved"):
        if outcome in outcomes:
            return outcome
    return "finished" if outcomes.count("finished") == len(sweep.file.seeds) else "unfinished"


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{100 * rate:.2f} %"


def table_of(result: SweepResult) -> Table:
    """Makes the table that ends a sweep."""
    file = result.sweep.file
    table = Table(
        title=f"{file.title}: {len(result.candidates)} candidates, {len(file.seeds)} seeds",
        caption=f"Success on the 500 validation mazes, greedy, by each trial's best checkpoint; {INTERVAL}.",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("", justify="right")
    for key in file.space:
        table.add_column(key, justify="right")
    for name in ("success", "95 % interval", "SPL", "steps", "seeds"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    for place, one in enumerate(result.candidates, 1):
        best = [trial.best for trial in one.trials.values() if trial.best is not None]
        finished = sum(trial.outcome == "finished" for trial in one.trials.values())
        steps = max((checkpoint.timesteps for checkpoint in best), default=0)
        table.add_row(
            str(place),
            *(value_text(one.candidate.values[key]) for key in file.space),
            _percent(one.success),
            "" if one.interval is None else f"{_percent(one.interval[0])} – {_percent(one.interval[1])}",
            "" if one.spl is None else f"{one.spl:.3f}",
            f"{steps:,}" if best else "",
            f"{finished} of {len(file.seeds)}",
            one.outcome,
            style="bold" if one is result.best else "",
        )
    return table


_COLUMNS = (
    "place", "candidate", "seed", "outcome", "reason", "run_id", "seconds", "timesteps", "validation_success_rate", "validation_successes",
    "validation_episodes", "validation_spl",
)  # fmt: skip


def as_csv(result: SweepResult) -> str:
    """Writes one line a trial, the best candidate's first."""
    text = io.StringIO()
    keys = list(result.sweep.file.space)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *keys])
    for place, one in enumerate(result.candidates, 1):
        for seed, trial in one.trials.items():
            best = trial.best
            figures = ["", "", "", "", ""]
            if best is not None:
                figures = [
                    str(n) for n in (best.timesteps, f"{best.standing.success:.6f}", best.successes, best.episodes, f"{best.spl:.6f}")
                ]
            reason = trial.facts.halved or trial.run.failure
            head = [place, one.candidate.number, seed, trial.outcome, reason, trial.run.run_id, f"{trial.seconds:.1f}"]
            writer.writerow([*head, *figures, *(value_text(one.candidate.values[key]) for key in keys)])
    return text.getvalue()


def as_json(result: SweepResult, exported: Mapping[str, Any] | None = None) -> str:
    """Writes everything that was found."""

    def trial_json(seed: int, trial: Trial) -> dict[str, Any]:
        return {
            "seed": seed,
            "run_id": trial.run.run_id,
            "outcome": trial.outcome,
            "reason": trial.facts.halved or trial.run.failure,
            "seconds": round(trial.seconds, 1),
            "checkpoints": [dataclasses.asdict(checkpoint) for checkpoint in trial.checkpoints],
        }

    values = {
        "sweep": result.sweep.name,
        "title": result.sweep.file.title,
        "experiment": result.sweep.experiment,
        "seeds": list(result.sweep.file.seeds),
        "interval": INTERVAL,
        "best": None if result.best is None else {"candidate": result.best.candidate.number, **(exported or {})},
        "candidates": [
            {
                "candidate": one.candidate.number,
                "values": dict(one.candidate.values),
                "outcome": one.outcome,
                "validation_success_rate": one.success,
                "interval": one.interval,
                "validation_spl": one.spl,
                "trials": [trial_json(seed, trial) for seed, trial in one.trials.items()],
            }
            for one in result.candidates
        ],
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def write(result: SweepResult, folder: Path, exported: Mapping[str, Any] | None = None) -> list[Path]:
    """Writes results.csv, results.json and, when there is a best candidate, best.yaml. Returns what was written."""
    files = {"results.csv": as_csv(result), "results.json": as_json(result, exported)}
    if result.best is not None:
        config = result.sweep.best_config(result.best.candidate)
        files["best.yaml"] = f"# {config.description}\n{written_out(config)}"
    for name, text in files.items():
        replace_file(folder / name, text)
    return [folder / name for name in files]
