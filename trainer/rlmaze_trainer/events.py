"""Makes events: one function for each kind."""

from typing import Literal

from protobuf import Oneof

from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodesEnded,
    LogLevel,
    LogLine,
    StateChange,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingFacts,
    TrainingPhase,
    TrainingState,
)


def state_change(state: TrainingState, phase: TrainingPhase = TrainingPhase.UNSPECIFIED, reason: str = "") -> TrainingEvent:
    """State or phase changed."""
    change = StateChange(state=state, phase=phase, reason=reason)
    return TrainingEvent(event=Oneof[Literal["state_change"], StateChange]("state_change", change))


def episodes_ended(ended: EpisodesEnded) -> TrainingEvent:
    """Episodes ended, or only the progress moved."""
    return TrainingEvent(event=Oneof[Literal["episodes_ended"], EpisodesEnded]("episodes_ended", ended))


def checkpoint(saved: TrainingCheckpoint) -> TrainingEvent:
    """A checkpoint was saved and validated."""
    return TrainingEvent(event=Oneof[Literal["checkpoint"], TrainingCheckpoint]("checkpoint", saved))


def log_line(text: str, level: LogLevel = LogLevel.INFO) -> TrainingEvent:
    """Something to read for people."""
    return TrainingEvent(event=Oneof[Literal["log_line"], LogLine]("log_line", LogLine(level=level, text=text)))


def facts(known: TrainingFacts) -> TrainingEvent:
    """What is known of the run beside its learning changed."""
    return TrainingEvent(event=Oneof[Literal["facts"], TrainingFacts]("facts", known))
