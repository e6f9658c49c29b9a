"""What is written to MLflow for a run, without MLflow."""

import math

from conftest import config_yaml
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.model.v1.model_pb import SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import EpisodesEnded, TrainingCheckpoint, TrainingProgress, TrainingState
from rlmaze_trainer import events
from rlmaze_trainer.event_log import frame, take_record
from rlmaze_trainer.mlflow_client import LONGEST_PARAM, LONGEST_TAG
from rlmaze_trainer.mlflow_entries import metrics_of, params_of, tags_of
from rlmaze_trainer.run_folder import Run, utc_now


def run(**more: str) -> Run:
    return Run("a-run-1", TrainingState.RUNNING, "a-run", "A", "PPO", "memory/1", 1000, 7, "cpu", utc_now(), **more)  # type: ignore[arg-type]


def test_progress_and_checkpoints_are_points_at_their_steps() -> None:
    ended = EpisodesEnded(progress=TrainingProgress(timesteps=500, reward=0.5, episode_length=20, success_rate=1, steps_per_second=9))
    progress = events.episodes_ended(ended)
    progress.happened_at = Timestamp(seconds=3, nanos=4_000_000)
    found = {(metric.key, metric.value, metric.step, metric.timestamp_ms) for metric in metrics_of(progress)}
    assert found == {
        ("reward", 0.5, 500, 3004),
        ("episode_length", 20, 500, 3004),
        ("success_rate", 1, 500, 3004),
        ("steps_per_second", 9, 500, 3004),
    }
    validation = SuccessRate(set_id="validation", rate=0.25, spl=0.125)
    checkpoint = events.checkpoint(TrainingCheckpoint(timesteps=700, validation=validation))
    assert [(m.key, m.value, m.step) for m in metrics_of(checkpoint)] == [
        ("validation_success_rate", 0.25, 700),
        ("validation_spl", 0.125, 700),
    ]
    assert metrics_of(events.log_line("words")) == []


def test_what_is_no_number_is_left_out() -> None:
    progress = TrainingProgress(timesteps=1, loss=math.nan, reward=math.inf, steps_per_second=-math.inf)
    assert metrics_of(events.episodes_ended(EpisodesEnded(progress=progress))) == []


def test_the_same_event_is_the_same_points() -> None:
    event = events.episodes_ended(EpisodesEnded(progress=TrainingProgress(timesteps=5, loss=0.1, steps_per_second=3)))
    event.happened_at = Timestamp.now()
    stored = take_record(frame(event), 0)
    assert stored is not None
    assert metrics_of(stored[0]) == metrics_of(event)


def test_a_configuration_is_flat() -> None:
    found = params_of(config_yaml("x") + "evaluation: {sets: [heldout]}\nearly_checkpoint: 0\n")
    assert found["name"] == "a-run"
    assert found["ppo.n_steps"] == "16"
    assert found["evaluation.sets"] == '["heldout"]'
    assert found["timesteps"] == "1000"
    assert len(params_of(f"title: {'x' * 7000}")["title"]) == LONGEST_PARAM


def test_tags_name_the_run_and_hold_what_is_known() -> None:
    text = config_yaml("x")
    assert tags_of(run(), text) == {
        "rlmaze.training_run_id": "a-run-1",
        "rlmaze.seed": "7",
        "rlmaze.config_yaml": text,
        "mlflow.source.name": "rlmaze-trainer",
        "mlflow.source.type": "JOB",
    }
    more = tags_of(run(failure="It broke.", model_id="a-run-3", resumed_from="a-run-0"), text)
    assert (more["rlmaze.failure"], more["rlmaze.model_id"], more["rlmaze.resumed_from"]) == ("It broke.", "a-run-3", "a-run-0")
    long = tags_of(run(), "description: " + "x" * 9000)["rlmaze.config_yaml"]
    assert len(long) == LONGEST_TAG
    assert long.endswith("the artifact config.yaml holds all of it.\n")
