"""What stands in MLflow for a run: its events as metrics, its configuration as parameters, its facts as tags. Nothing is sent here."""

import datetime
import json
import math
from collections.abc import Iterator
from typing import Any

import yaml
from protobuf import Oneof
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.model.v1.model_pb import SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodesEnded,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingProgress,
    TrainingState,
)
from rlmaze_trainer.mlflow_client import LONGEST_PARAM, LONGEST_TAG, TRAINING_RUN_TAG, Metric
from rlmaze_trainer.run_folder import Run

STATUS = {TrainingState.COMPLETED: "FINISHED", TrainingState.STOPPED: "KILLED", TrainingState.FAILED: "FAILED"}
_CUT = "\n# The rest is cut here; the artifact config.yaml holds all of it.\n"


def milliseconds(moment: Timestamp | None) -> int:
    """Milliseconds since 1970; 0 for no time."""
    return 0 if moment is None else moment.seconds * 1000 + moment.nanos // 1_000_000


def metrics_of(event: TrainingEvent) -> list[Metric]:
    """Returns the points of an event. They are a function of the event alone, so that writing them twice leaves them once."""
    moment = milliseconds(event.happened_at)
    return [Metric(key, value, step, moment) for key, value, step in _points(event) if math.isfinite(value)]


def held_out_metrics(found: SuccessRate, timesteps: int, ended: datetime.datetime) -> list[Metric]:
    """Returns the final figures of a run, at the step and time of its end."""
    moment = int(ended.timestamp() * 1000)
    return [Metric("held_out_success_rate", found.rate, timesteps, moment), Metric("held_out_spl", found.spl, timesteps, moment)]


def _points(event: TrainingEvent) -> Iterator[tuple[str, float, int]]:
    match event.event:
        case Oneof(value=EpisodesEnded(progress=TrainingProgress() as progress)):
            for key in ("reward", "episode_length", "success_rate", "loss"):
                if progress.has_field(key):
                    yield key, getattr(progress, key), progress.timesteps
            yield "steps_per_second", progress.steps_per_second, progress.timesteps
        case Oneof(value=TrainingCheckpoint(timesteps=at, validation=found)) if found is not None:
            yield "validation_success_rate", found.rate, at
            yield "validation_spl", found.spl, at
        case _:
            pass


def params_of(config_yaml: str) -> dict[str, str]:
    """Flattens a configuration: `ppo.n_steps` and so on."""
    found: dict[str, str] = {}

    def flatten(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                flatten(f"{path}.{key}" if path else str(key), inner)
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            found[path] = text[:LONGEST_PARAM]

    flatten("", yaml.safe_load(config_yaml))
    return found


def tags_of(run: Run, config_yaml: str) -> dict[str, str]:
    """Returns the tags that a run has in MLflow; those that are not known yet are left out."""
    whole = len(config_yaml) <= LONGEST_TAG
    tags = {
        TRAINING_RUN_TAG: run.run_id,
        "rlmaze.seed": str(run.seed),
        "rlmaze.sweep": run.sweep,
        "rlmaze.config_yaml": config_yaml if whole else config_yaml[: LONGEST_TAG - len(_CUT)] + _CUT,
        "rlmaze.model_id": run.model_id,
        "rlmaze.failure": run.failure[:LONGEST_TAG],
        "rlmaze.resumed_from": run.resumed_from,
        "mlflow.source.name": "rlmaze-trainer",
        "mlflow.source.type": "JOB",
    }
    return {key: value for key, value in tags.items() if value}
