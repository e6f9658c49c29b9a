"""Runs in a real MLflow server: all of them, whole, once; and trainings that do not care whether it is there."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import Trainer, config_yaml, supervisor_of
from door import Door
from mlflow_server import MLflowServer, pairs
from pyqwest import Client
from pyqwest.testing import ASGITransport

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState
from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceClient
from rlmaze_api.rlmaze.training.v1.training_service_pb import StartTrainingRequest
from rlmaze_trainer import mlflow_follower
from rlmaze_trainer.app import Application
from rlmaze_trainer.event_log import EventLog
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.mlflow_entries import metrics_of
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.training_run import TrainingRun

LIMIT_S = 120.0
KEYS = ("reward", "episode_length", "success_rate", "steps_per_second", "validation_success_rate", "validation_spl")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflowServer]:
    server = MLflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def trainer_at(folder: Path, address: str) -> AsyncIterator[Trainer]:
    supervisor = supervisor_of(folder)
    application = Application(Settings(mlflow_tracking_uri=address), supervisor, GpuReader("no-such-program"))
    async with (
        ASGITransport(application) as transport,
        TrainingServiceClient("http://trainer", http_client=Client(transport)) as client,
    ):
        yield Trainer(folder, client, supervisor)


async def start(trainer: Trainer, act: str, name: str) -> TrainingRun:
    training = (await trainer.client.start_training(StartTrainingRequest(config_yaml=config_yaml(act, name)))).training
    assert training is not None
    run = trainer.supervisor.get(training.run_id)
    assert run is not None
    return run


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():
            await asyncio.sleep(0.02)


def written(run: TrainingRun) -> bool:
    """Whether the run has ended and the follower has nothing left to do for it."""
    place = mlflow_follower.read_place(run)
    return run.final and place.sequence == run.log.last_sequence and place.status in ("FINISHED", "KILLED", "FAILED")


def points(run: TrainingRun, key: str) -> list[tuple[int, float]]:
    """The points of a curve in the run's own log."""
    log = EventLog.open(run.folder.events)
    found, after = [], 0
    while stored := log.read(after):
        found += [metric for event in stored for metric in metrics_of(event) if metric.key == key]
        after = stored[-1].sequence
    log.close()
    return sorted((metric.step, metric.value) for metric in found)


def agrees(mlflow: MLflowServer, run: TrainingRun, status: str) -> dict[str, str]:
    """Requires MLflow to hold the run once, with every point; returns its tags."""
    (found,) = [one for one in mlflow.runs(run.facts.name) if one["info"]["run_name"] == run.run_id]
    run_id = found["info"]["run_id"]
    assert run_id == run.facts.mlflow_run_id == run.to_message().mlflow_run_id
    assert found["info"]["status"] == status
    for key in KEYS:
        assert mlflow.history(run_id, key) == points(run, key), key
    assert pairs(found["data"]["params"])["ppo.n_steps"] == "16"
    tags = pairs(found["data"]["tags"])
    assert tags["rlmaze.training_run_id"] == run.run_id
    assert tags["rlmaze.config_yaml"] == run.config_yaml
    return tags


async def test_a_run_is_written_whole(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        run = await start(trainer, "complete", "whole")
        await until(lambda: written(run))
        agrees(mlflow, run, "FINISHED")
        run_id = run.facts.mlflow_run_id
        assert mlflow.history(run_id, "held_out_success_rate") == [(run.timesteps, 0.99)]
        assert mlflow.history(run_id, "held_out_spl") == [(run.timesteps, 0.7)]
        assert mlflow.artifacts(run_id) == {"config.yaml", "model"}
        files = {f"model/{name}" for name in ("MLmodel", "config.yaml", "manifest.json", "parity.json", "policy.onnx")}
        assert mlflow.artifacts(run_id, "model") == files
        (version,) = mlflow.versions("whole")
        assert (version["version"], version["run_id"]) == ("1", run_id)
        assert mlflow.ask("registered-models/alias?name=whole&alias=newest")["model_version"]["version"] == "1"
        again = await start(trainer, "complete", "whole")
        await until(lambda: written(again))
        assert mlflow.ask("registered-models/alias?name=whole&alias=newest")["model_version"]["version"] == "2"


async def test_mlflow_loads_the_registered_model(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        run = await start(trainer, "complete", "loaded")
        await until(lambda: written(run))
    program = (
        f"import mlflow, numpy; mlflow.set_tracking_uri('{mlflow.address}');"
        "found = mlflow.pyfunc.load_model('models:/loaded@newest').predict({'observation': numpy.zeros((3, 25), numpy.float32)});"
        "assert found['action_scores'].shape == (3, 4); assert found['state_value'].shape == (3, 1);"
        "mlflow.onnx.load_model('models:/loaded@latest')"
    )
    loading = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True)
    assert loading.returncode == 0, loading.stderr


async def test_a_stopped_run_is_killed_and_a_failed_one_says_why(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        slow = await start(trainer, "slow", "ended")
        await until(lambda: bool(slow.facts.mlflow_run_id))
        await trainer.supervisor.stop(slow)
        failed = await start(trainer, "fail", "ended")
        waiting = await start(trainer, "deaf", "ended")
        never = await start(trainer, "complete", "ended")
        await trainer.supervisor.stop(never)
        await until(lambda: written(slow) and written(failed) and written(never))
        agrees(mlflow, slow, "KILLED")
        assert agrees(mlflow, failed, "FAILED")["rlmaze.failure"] == failed.facts.failure
        agrees(mlflow, never, "KILLED")
        assert mlflow.artifacts(slow.facts.mlflow_run_id) == {"config.yaml"}
        await until(lambda: bool(waiting.facts.mlflow_run_id))
    # The service went down in order, and wrote the end of what it stopped.
    assert waiting.state is TrainingState.STOPPED
    agrees(mlflow, waiting, "KILLED")


async def test_a_training_goes_on_without_mlflow_and_is_caught_up(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with Door(mlflow.port) as door, trainer_at(tmp_path, door.address) as trainer:
        before = await start(trainer, "slow", "away")
        await until(lambda: bool(before.facts.mlflow_run_id))
        await door.close()
        await until(lambda: before.to_message().notices == [mlflow_follower._AWAY])
        steps = before.timesteps
        await until(lambda: before.timesteps > steps)
        await trainer.supervisor.stop(before)
        during = await start(trainer, "complete", "away")
        await until(lambda: during.state is TrainingState.COMPLETED and bool(during.facts.notices))
        assert during.facts.mlflow_run_id == ""
        await door.open()
        await until(lambda: written(before) and written(during))
        agrees(mlflow, before, "KILLED")
        agrees(mlflow, during, "FINISHED")
        assert before.to_message().notices == during.to_message().notices == []


async def test_what_a_crash_repeats_is_there_once(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        run = await start(trainer, "complete", "once")
        await until(lambda: written(run))
    for left in (None, "", '{"run_id": "x", "nonsense": 1}'):
        place = tmp_path / run.run_id / "mlflow.json"
        if left is None:
            place.unlink()
        else:
            place.write_text(left)
        async with trainer_at(tmp_path, mlflow.address) as trainer:
            again = trainer.supervisor.newest_first()[0]
            await until(lambda again=again: written(again))  # type: ignore[misc]
            agrees(mlflow, again, "FINISHED")
            assert mlflow.history(again.facts.mlflow_run_id, "held_out_spl") == [(again.timesteps, 0.7)]
            assert len(mlflow.versions("once")) == 1


async def test_a_run_that_mlflow_lost_is_written_again(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        run = await start(trainer, "complete", "lost")
        await until(lambda: written(run))
    place = tmp_path / run.run_id / "mlflow.json"
    place.write_text('{"run_id": "00000000000000000000000000000000", "status": "RUNNING", "sequence": 2}')
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        again = trainer.supervisor.newest_first()[0]
        await until(lambda: written(again))
        agrees(mlflow, again, "FINISHED")


async def test_the_trainers_word_counts(tmp_path: Path, mlflow: MLflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_follower, "_AGREE_EVERY_S", 0.1)

    def settle(run: TrainingRun) -> None:
        mlflow.ask("runs/update", {"run_id": run.facts.mlflow_run_id, "status": "FAILED", "end_time": 1})

    def status(run: TrainingRun) -> str:
        found: str = mlflow.ask(f"runs/get?run_id={run.facts.mlflow_run_id}")["run"]["info"]["status"]
        return found

    async with trainer_at(tmp_path, mlflow.address) as trainer:
        completed = await start(trainer, "complete", "settled")
        await until(lambda: written(completed))
        slow = await start(trainer, "slow", "settled")
        await until(lambda: bool(slow.facts.mlflow_run_id))
        for run, wanted in ((completed, "FINISHED"), (slow, "RUNNING")):
            await asyncio.to_thread(settle, run)
            async with asyncio.timeout(LIMIT_S):
                while await asyncio.to_thread(status, run) != wanted:
                    await asyncio.sleep(0.1)


async def test_what_mlflow_refuses_is_said_and_harms_nobody(tmp_path: Path, mlflow: MLflowServer) -> None:
    async with trainer_at(tmp_path, mlflow.address) as trainer:
        run = await start(trainer, "slow", "refused")
        await until(lambda: bool(run.facts.mlflow_run_id))
        mlflow.ask("runs/delete", {"run_id": run.facts.mlflow_run_id})
        await until(lambda: any("MLflow refused the run" in notice for notice in run.to_message().notices))
        steps = run.timesteps
        await until(lambda: run.timesteps > steps)
        await trainer.supervisor.stop(run)
        other = await start(trainer, "complete", "refused")
        await until(lambda: written(other))
        agrees(mlflow, other, "FINISHED")
