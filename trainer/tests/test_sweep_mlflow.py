"""Trials in a real MLflow server: live, each once, and settled whatever happens to the sweep."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sweep_actor_values as act
from mlflow_server import MLflowServer, pairs
from test_sweep_run import ACTOR, LIMIT_S, REAL, Diary, assert_settled, sweep

from rlmaze_trainer.run_folder import stored_runs
from rlmaze_trainer.settings import REPOSITORY
from rlmaze_trainer.sweep.conductor import Conductor
from rlmaze_trainer.sweep.processes import LocalPool
from rlmaze_trainer.sweep.recorder import Recorder


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflowServer]:
    server = MLflowServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.kill()


def until(true: Callable[[], Any], seconds: float = LIMIT_S) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def test_every_trial_is_a_run_of_the_sweeps_experiment(mlflow: MLflowServer, tmp_path: Path) -> None:
    recorder, diary = Recorder(mlflow.address), Diary()
    recorder.open(tmp_path)
    found = sweep([0.2, 0.6], [act.ORDINARY, act.DIVERGES], (1, 2))
    pool = LocalPool(2, ACTOR)
    conductor = Conductor(found, tmp_path, pool, "cpu", [diary, recorder], release=recorder.release, local_command=ACTOR)
    async with asyncio.timeout(LIMIT_S):
        trials = await conductor.run()
        assert await recorder.drain(LIMIT_S)
    await recorder.close()
    runs = {one["info"]["run_name"]: one for one in mlflow.runs("sweep-played")}
    assert set(runs) == {trial.run.run_id for trial in trials}
    for trial in trials:
        run = runs[trial.run.run_id]
        assert run["info"]["status"] == {"finished": "FINISHED", "failed": "FAILED"}[trial.outcome]
        tags = pairs(run["data"]["tags"])
        assert (tags["rlmaze.sweep"], tags["rlmaze.seed"]) == ("played", str(trial.facts.seed))
        assert tags["rlmaze.training_run_id"] == trial.run.run_id
        assert tags.get("rlmaze.failure", "") == trial.run.failure
        assert pairs(run["data"]["params"])["ppo.learning_rate"] == str(trial.facts.values["ppo.learning_rate"])
        wanted = [(checkpoint.timesteps, checkpoint.standing.success) for checkpoint in trial.checkpoints]
        assert mlflow.history(run["info"]["run_id"], "validation_success_rate") == wanted
    # Another start has nothing to write.
    again = Recorder(mlflow.address)
    again.open(tmp_path)
    assert await again.drain(0)
    await again.close()


def test_a_killed_sweep_is_seen_live_and_settled_in_mlflow_within_30_seconds(mlflow: MLflowServer, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(REAL.replace("timesteps: 8192", "timesteps: 100000000"))
    folder = tmp_path / "out"
    path = os.pathsep.join(part for part in sys.path if part)
    words = [sys.executable, "-m", "rlmaze_trainer", "sweep", str(tmp_path / "small.yaml"), "--into", str(folder), "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": path, "MLFLOW_TRACKING_URI": mlflow.address}
    with (
        open(tmp_path / "said", "w") as said,
        subprocess.Popen(words, env=environment, cwd=REPOSITORY, stdout=said, stderr=said) as process,
    ):

        def learns() -> bool:
            assert process.poll() is None, (tmp_path / "said").read_text()
            return any(one["info"]["status"] == "RUNNING" and one["data"].get("metrics") for one in mlflow.runs("sweep-small"))

        until(learns)
        process.send_signal(signal.SIGKILL)
    until(lambda: all(one["info"]["status"] == "FAILED" for one in mlflow.runs("sweep-small")), 30)
    (run,) = mlflow.runs("sweep-small")
    ((facts, _),) = list(stored_runs(folder))
    assert pairs(run["data"]["tags"])["rlmaze.failure"] == facts.failure
    assert_settled(folder)
