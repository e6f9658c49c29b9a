"""One run inside the service: its facts, its events, and what they add up to."""

import dataclasses
import datetime
import json

from protobuf import Oneof
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.model.v1.model_pb import Algorithm, SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodesEnded,
    LogLevel,
    LogLine,
    StateChange,
    Training,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingFacts,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_train.interval import wilson
from rlmaze_trainer import events
from rlmaze_trainer.event_log import EventLog
from rlmaze_trainer.run_folder import FINAL_STATES, Run, RunFolder, utc_now


def timestamp(moment: datetime.datetime | None) -> Timestamp | None:
    """Puts a time into the contract's form."""
    return None if moment is None else Timestamp.from_datetime(moment)


class TrainingRun:
    """A run of this trainer. Everything happens on the event loop."""

    def __init__(self, facts: Run, folder: RunFolder, log: EventLog) -> None:
        self.facts = facts
        self.folder = folder
        self.log = log
        self.phase = TrainingPhase.UNSPECIFIED
        self._latest: TrainingProgress | None = None
        self._best: TrainingCheckpoint | None = None
        self._held_out: SuccessRate | None = None
        self._last_error = ""
        self.told_state = TrainingState.UNSPECIFIED  # of the last event that told one
        self._config_yaml = folder.config.read_text(encoding="utf-8")
        after = 0
        while stored := log.read(after):
            for event in stored:
                self._take(event)
            after = stored[-1].sequence
        if self._held_out is None and facts.state is TrainingState.COMPLETED:
            self._held_out = self._read_held_out()

    @property
    def run_id(self) -> str:
        """Its name."""
        return self.facts.run_id

    @property
    def state(self) -> TrainingState:
        """Where it is."""
        return self.facts.state

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.facts.state in FINAL_STATES

    @property
    def latest(self) -> TrainingProgress | None:
        """The last progress; None before the first."""
        return self._latest

    @property
    def held_out(self) -> SuccessRate | None:
        """What the exported file reached on held-out mazes; None before it is measured."""
        return self._held_out

    @property
    def timesteps(self) -> int:
        """Steps learned so far."""
        return 0 if self._latest is None else self._latest.timesteps

    @property
    def config_yaml(self) -> str:
        """The configuration as it is used."""
        return self._config_yaml

    @property
    def last_error(self) -> str:
        """The last line of level ERROR that its process wrote."""
        return self._last_error

    @property
    def resumable(self) -> bool:
        """Whether a new run can go on from here."""
        if self.state not in (TrainingState.STOPPED, TrainingState.FAILED):
            return False
        checkpoints = self.folder.saved_checkpoints()
        return bool(checkpoints) and 0 < checkpoints[-1].timesteps < self.facts.timesteps

    def _take(self, event: TrainingEvent) -> None:
        match event.event:
            case Oneof(value=EpisodesEnded() as ended):
                self._latest = ended.progress
            case Oneof(value=TrainingCheckpoint() as checkpoint):
                if self._best is None or self._rank(checkpoint) >= self._rank(self._best):
                    self._best = checkpoint
            case Oneof(value=LogLine() as line) if line.level is LogLevel.ERROR:
                self._last_error = line.text
            case Oneof(value=StateChange() as change):
                self.phase, self.told_state = change.phase, change.state
            case Oneof(value=TrainingFacts(held_out=found)):
                self._held_out = found
            case _:
                pass

    @staticmethod
    def _rank(checkpoint: TrainingCheckpoint) -> tuple[int, float]:
        validation = checkpoint.validation
        return (0, 0.0) if validation is None else (validation.successes, validation.spl)

    def append(self, event: TrainingEvent) -> None:
        """Adds an event of the run's process, or of the service.

        Raises:
            OSError: The disk is full.
        """
        if event.happened_at is None:
            event.happened_at = Timestamp.now()
        self.log.append(event)
        self._take(event)

    def say(self, text: str, level: LogLevel = LogLevel.INFO) -> None:
        """Writes a line of the run's log."""
        self.append(events.log_line(text, level))

    def change(self, state: TrainingState, phase: TrainingPhase = TrainingPhase.UNSPECIFIED, reason: str = "") -> None:
        """Changes the state. It is told only when the facts are on the disk.

        Raises:
            OSError: The disk is full; the state is as it was before.
        """
        before = dataclasses.replace(self.facts)
        if state in FINAL_STATES and self.facts.ended_at is None:
            self.facts.ended_at = utc_now()
        if state is TrainingState.RUNNING and self.facts.started_at is None:
            self.facts.started_at = utc_now()
        self.facts.state = state
        self.facts.failure = reason if state is TrainingState.FAILED else ""
        if state in (TrainingState.STOPPED, TrainingState.FAILED):
            self.folder.drop_model()
        try:
            self.folder.save(self.facts)
            self.append(events.state_change(state, phase, reason))
            self.log.sync()
        except OSError:
            self.facts = before
            raise

    def notify(self, cause: str, text: str) -> None:
        """Says that something is not as it should be while the run goes on; an empty text takes it back. Told once, not each time."""
        if self.facts.notices.get(cause, "") == text:
            return
        if text:
            self.facts.notices[cause] = text
        else:
            del self.facts.notices[cause]
        self.tell_facts()

    def measure(self) -> None:
        """Reads what the exported file reached on held-out mazes, and tells it."""
        self._held_out = self._read_held_out()
        self.tell_facts()

    def tell_facts(self) -> None:
        """Keeps the facts and tells them."""
        self.folder.save(self.facts)
        known = TrainingFacts(
            model_id=self.facts.model_id,
            mlflow_run_id=self.facts.mlflow_run_id,
            held_out=self._held_out,
            notices=list(self.facts.notices.values()),
        )
        self.append(events.facts(known))

    def _read_held_out(self) -> SuccessRate | None:
        folder = self.folder.exported_model()
        if folder is None:
            return None
        for found in json.loads((folder / "manifest.json").read_text()).get("success", []):
            if found["set_id"] == "heldout":
                low, high = wilson(found["successes"], found["episodes"])
                return SuccessRate(**found, rate=found["successes"] / found["episodes"], interval_low=low, interval_high=high)
        return None

    def to_message(self, queue_position: int = 0) -> Training:
        """Puts the run into the contract's form."""
        facts = self.facts
        return Training(
            run_id=facts.run_id,
            state=facts.state,
            phase=self.phase if facts.state in (TrainingState.RUNNING, TrainingState.STOPPING) else TrainingPhase.UNSPECIFIED,
            failure=facts.failure,
            name=facts.name,
            title=facts.title,
            algorithm=Algorithm[facts.algorithm],
            observation=facts.observation,
            total_timesteps=facts.timesteps,
            seed=facts.seed,
            device=facts.device,
            config_yaml=self._config_yaml,
            queue_position=queue_position,
            created_at=timestamp(facts.created_at),
            started_at=timestamp(facts.started_at),
            ended_at=timestamp(facts.ended_at),
            last_sequence=self.log.last_sequence,
            latest=self._latest,
            best_checkpoint=self._best,
            held_out=self._held_out,
            model_id=facts.model_id,
            mlflow_run_id=facts.mlflow_run_id,
            resumed_from=facts.resumed_from,
            resumable=self.resumable,
            notices=list(facts.notices.values()),
        )
