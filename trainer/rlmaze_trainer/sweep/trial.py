"""One trial on disk: a candidate trained with one seed, in a run folder of the trainer with one file more.

    <sweep folder>/<run_id>/trial.json     which trial of the sweep it is, replaced whole in one rename
    <sweep folder>/<run_id>/…              see `run_folder`

What a trial was worth is read from its events, so that nothing is kept twice.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protobuf import Oneof

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingCheckpoint, TrainingState
from rlmaze_trainer.event_log import EventLog, take_record
from rlmaze_trainer.run_folder import Run, RunFolder, replace_file, stored_runs
from rlmaze_trainer.sweep.halving import Standing
from rlmaze_trainer.training_run import TrainingRun

TRIAL_FILE = "trial.json"


@dataclass(frozen=True)
class TrialFacts:
    """Which trial a run folder holds.

    Attributes:
        sweep: Name of the sweep.
        candidate: Number of the candidate when it was run.
        seed: Its seed.
        values: What the candidate changes, by dotted key.
        digest: What it computes; a trial with the same digest need not be run again.
        halved: Why halving ended it, in words; empty when it did not.
        halving: The choice that it was compared by, so that another choice runs it again; None without one.
        best: It is no trial but the training of the best candidate, with export.
    """

    sweep: str
    candidate: int
    seed: int
    values: Mapping[str, Any]
    digest: str
    halved: str = ""
    halving: Mapping[str, Any] | None = None
    best: bool = False

    def save(self, folder: Path) -> None:
        """Writes the facts into a run folder."""
        replace_file(folder / TRIAL_FILE, json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "TrialFacts":
        """Reads the facts of a run folder.

        Raises:
            OSError: There are none.
            ValueError: They are no facts.
        """
        try:
            return cls(**json.loads((folder / TRIAL_FILE).read_text(encoding="utf-8")))
        except TypeError as error:
            raise ValueError(f"no facts of a trial: {error!r}") from error


@dataclass(frozen=True)
class Checkpoint:
    """A validated checkpoint of a trial.

    Attributes:
        timesteps: Steps learned by then.
        successes: Validation mazes solved.
        episodes: Validation mazes.
        spl: Path efficiency on them, 0–1.
    """

    timesteps: int
    successes: int
    episodes: int
    spl: float

    @property
    def standing(self) -> Standing:
        """What is compared."""
        return Standing(self.successes / self.episodes if self.episodes else 0.0, self.spl)

    @classmethod
    def of(cls, message: TrainingCheckpoint) -> "Checkpoint":
        """Takes the figures out of an event."""
        found = message.validation
        if found is None:
            return cls(message.timesteps, 0, 0, 0.0)
        return cls(message.timesteps, found.successes, found.episodes, found.spl)


@dataclass(frozen=True)
class Trial:
    """What a trial came to.

    Attributes:
        facts: Which trial it is.
        run: The facts of its run.
        folder: Its run folder.
        checkpoints: In order.
    """

    facts: TrialFacts
    run: Run
    folder: RunFolder
    checkpoints: tuple[Checkpoint, ...]

    @property
    def best(self) -> Checkpoint | None:
        """The checkpoint that solved most, with the highest SPL among equals, the latest of those."""
        return max(self.checkpoints, key=lambda one: (one.standing, one.timesteps), default=None)

    @property
    def outcome(self) -> str:
        """`finished`, `halved`, `failed` or `unfinished`."""
        match self.run.state:
            case TrainingState.COMPLETED:
                return "finished"
            case TrainingState.STOPPED if self.facts.halved:
                return "halved"
            case TrainingState.FAILED:
                return "failed"
            case _:
                return "unfinished"

    @property
    def seconds(self) -> float:
        """How long it ran."""
        if self.run.started_at is None or self.run.ended_at is None:
            return 0.0
        return (self.run.ended_at - self.run.started_at).total_seconds()


def read_checkpoints(path: Path) -> tuple[Checkpoint, ...]:
    """Reads the checkpoints out of an event log, without opening it for writing."""
    try:
        content = path.read_bytes()
    except OSError:
        return ()
    found, at = [], 0
    while True:
        try:
            record = take_record(content, at)
        except ValueError:
            break
        if record is None:
            break
        event, at = record
        match event.event:
            case Oneof(value=TrainingCheckpoint() as checkpoint):
                found.append(Checkpoint.of(checkpoint))
            case _:
                pass
    return tuple(found)


def stored_trials(folder: Path) -> Iterator[Trial]:
    """Reads all trials of a sweep's folder, the oldest first; what is no trial is left alone."""
    for run, where in stored_runs(folder):
        try:
            facts = TrialFacts.read(where.path)
        except (OSError, ValueError):
            continue
        yield Trial(facts, run, where, read_checkpoints(where.events))


def settle_abandoned(folder: Path, reason: str) -> list[str]:
    """Gives every run of a folder whose process is gone its final state: FAILED, for a reason. Returns the ids of those that had none.

    Only for a folder whose sweep has ended.
    """
    settled = []
    for run, where in stored_runs(folder):
        if run.state not in (TrainingState.QUEUED, TrainingState.RUNNING, TrainingState.STOPPING):
            continue
        log = EventLog.open(where.events)
        TrainingRun(run, where, log).change(TrainingState.FAILED, reason=reason)
        log.close()
        settled.append(run.run_id)
    return settled
