"""One run on disk: what was asked for, where it stands, its events and its checkpoints.

    <run_id>/run.json         the facts below, replaced whole in one rename
    <run_id>/config.yaml      the configuration as it is used
    <run_id>/events.bin       `event_log`
    <run_id>/process.log      what the process wrote to its standard error
    <run_id>/checkpoints/     <timesteps>.zip (Stable-Baselines3) with <timesteps>.json (what it is worth)
    <run_id>/model/           the exported model, in the form of ml/models/<model_id>/
    <run_id>/mlflow.json      how far the run is written to MLflow (`mlflow_follower`)

A run's folder is written by the service alone, but for checkpoints and model, which its process writes.
"""

import dataclasses
import datetime
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState

FINAL_STATES = frozenset({TrainingState.STOPPED, TrainingState.COMPLETED, TrainingState.FAILED})


def new_run_id(name: str, now_ms: int | None = None) -> str:
    """Returns a run id: the configuration's name, then the time in milliseconds (11 hex digits) and 3 random ones.

    Ids of one name sort by time.
    """
    moment = (time.time_ns() // 1_000_000 if now_ms is None else now_ms) & 0xFFF_FFFF_FFFF
    return f"{name}-{moment:011x}{secrets.randbelow(4096):03x}"


def utc_now() -> datetime.datetime:
    """The time, with its zone."""
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Run:
    """The facts of a run that its events do not tell."""

    run_id: str
    state: TrainingState
    name: str
    title: str
    algorithm: str
    observation: str
    timesteps: int
    seed: int
    device: str
    created_at: datetime.datetime
    started_at: datetime.datetime | None = None
    ended_at: datetime.datetime | None = None
    failure: str = ""
    resumed_from: str = ""
    resumed_checkpoint: str = ""  # path of the checkpoint file inside the run folder of `resumed_from`
    request_id: str = ""
    request_digest: str = ""
    registration: str = ""  # "due" or "refused"; empty when there is nothing to register, or when it is done
    model_id: str = ""
    mlflow_run_id: str = ""
    sweep: str = ""  # that the run is a trial of
    notices: dict[str, str] = field(default_factory=dict)  # by their cause, so that one can be taken back

    @property
    def experiment(self) -> str:
        """The experiment in MLflow that the run belongs to."""
        return f"sweep-{self.sweep}" if self.sweep else self.name

    def to_json(self) -> str:
        """Writes the facts as JSON."""
        values = dataclasses.asdict(self)
        values["state"] = self.state.name
        for key in ("created_at", "started_at", "ended_at"):
            values[key] = values[key].isoformat() if values[key] else None
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Run":
        """Reads the facts.

        Raises:
            ValueError: They are not such facts.
        """
        try:
            values = json.loads(text)
            values["state"] = TrainingState[values["state"]]
            for key in ("created_at", "started_at", "ended_at"):
                values[key] = datetime.datetime.fromisoformat(values[key]) if values[key] else None
            return cls(**values)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no facts of a run: {error!r}") from error


def replace_file(path: Path, content: str, sync: bool = True) -> None:
    """Replaces a file in one rename; with `sync`, safe on the disk before it is seen."""
    fresh = path.with_name(path.name + ".fresh")
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    os.replace(fresh, path)


@dataclass(frozen=True)
class SavedCheckpoint:
    """A checkpoint whose file and figures are both there."""

    timesteps: int
    path: Path


class RunFolder:
    """The paths of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts = path / "run.json"
        self.config = path / "config.yaml"
        self.events = path / "events.bin"
        self.process_log = path / "process.log"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.mlflow = path / "mlflow.json"

    def create(self, run: Run, config_yaml: str) -> None:
        """Makes the folder; the facts come last, so that a folder with facts is whole."""
        self.checkpoints.mkdir(parents=True)
        replace_file(self.config, config_yaml)
        self.save(run)

    def save(self, run: Run) -> None:
        """Writes the facts."""
        replace_file(self.facts, run.to_json())

    def saved_checkpoints(self) -> list[SavedCheckpoint]:
        """The checkpoints, oldest first. One without figures was cut short and does not count."""
        found = [
            SavedCheckpoint(int(figures.stem), figures.with_suffix(".zip"))
            for figures in self.checkpoints.glob("*.json")
            if figures.stem.isdigit() and figures.with_suffix(".zip").is_file()
        ]
        return sorted(found, key=lambda checkpoint: checkpoint.timesteps)

    def exported_model(self) -> Path | None:
        """The folder of the exported and measured model; None before it is whole."""
        found = sorted(self.model.glob("*/manifest.json"))
        return found[0].parent if found else None

    def drop_model(self) -> None:
        """Removes what was exported: a run that did not complete has no model."""
        shutil.rmtree(self.model, ignore_errors=True)

    def tail_of_process_log(self, most: int = 2_000) -> str:
        """The end of what the process wrote to its standard error."""
        try:
            with open(self.process_log, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - most))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""


def stored_runs(folder: Path) -> Iterator[tuple[Run, RunFolder]]:
    """Reads all runs of a folder, the oldest first; what is no run, or was cut short while it was made, is left alone."""
    found = []
    for facts in folder.glob("*/run.json"):
        try:
            found.append((Run.from_json(facts.read_text(encoding="utf-8")), RunFolder(facts.parent)))
        except (OSError, ValueError):
            continue
    yield from sorted(found, key=lambda pair: (pair[0].created_at, pair[0].run_id))
