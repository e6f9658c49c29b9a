"""Sweeps on real Ray, started on two cores of this machine. Ray is the part `sweep` of the installation; without it these tests fail."""

import asyncio
import csv
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sweep_actor_values as act
from test_sweep_run import ACTOR, LIMIT_S, REAL, Diary, assert_settled, running_trial, start, sweep

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState
from rlmaze_trainer.run_folder import FINAL_STATES, stored_runs
from rlmaze_trainer.sweep import ray_cluster
from rlmaze_trainer.sweep.conductor import Conductor
from rlmaze_trainer.sweep.ray_cluster import NoRay, RayCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    found = RayCluster("", 2, gpu=False, command=ACTOR)
    yield found
    asyncio.run(found.close())


async def test_a_trial_on_ray_is_stopped_and_one_that_does_not_listen_is_ended(cluster: RayCluster, tmp_path: Path) -> None:
    diary = Diary()
    conducted = Conductor(sweep([0.5], [act.ENDLESS, act.DEAF], (1,)), tmp_path, cluster, "cpu", watchers=[diary], stop_grace_s=1)
    running = asyncio.create_task(conducted.run())
    async with asyncio.timeout(LIMIT_S):
        while len(diary.began_) < 2 or not all(where.events.stat().st_size > 500 for _, where in stored_runs(tmp_path)):
            await asyncio.sleep(0.05)
        conducted.interrupt()
        trials = await running
    assert [trial.run.state for trial in trials] == [TrainingState.STOPPED] * 2
    assert_settled(tmp_path)


async def test_a_lost_machine_is_a_failed_trial(cluster: RayCluster, tmp_path: Path) -> None:
    diary = Diary()
    conducted = Conductor(sweep([0.5], [act.ENDLESS], (1,)), tmp_path, cluster, "cpu", watchers=[diary])
    running = asyncio.create_task(conducted.run())
    async with asyncio.timeout(LIMIT_S):
        await diary.learning.wait()
        run_id = next(stored_runs(tmp_path))[0].run_id
        process = next(one for one in psutil.process_iter(["cmdline"]) if run_id in " ".join(one.info["cmdline"] or ()))
        machine = process.parent()
        assert machine is not None
        machine.kill()
        trials = await running
    assert trials[0].run.state is TrainingState.FAILED
    assert "Ray lost the machine of this trial" in trials[0].run.failure
    # Its process was a child of the lost machine, and ends with it.
    gone, left = psutil.wait_procs([process], timeout=30)
    assert not left, gone


def test_a_cluster_that_is_not_there_and_ray_that_is_not_installed_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(NoRay, match=r"Ray is not installed.*bootstrap\.py sweep"):
        ray_cluster.RayCluster("", 1, gpu=False)


@pytest.mark.parametrize("number", [None, signal.SIGKILL])
def test_a_real_sweep_on_a_ray_cluster(cluster: RayCluster, tmp_path: Path, number: signal.Signals | None) -> None:
    """Two candidates, two seeds, two cores; and one that is killed: nothing is left RUNNING, and no process of it."""
    (tmp_path / "small.yaml").write_text(REAL if number is None else REAL.replace("timesteps: 8192", "timesteps: 100000000"))
    folder = tmp_path / "out"
    with start(tmp_path / "small.yaml", folder, "--workers", "2", "--no-export", "--on", f"ray:{cluster.address}") as process:
        if number is None:
            said, _ = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 0, said
            assert "2 at a time on Ray." in said
            assert {line["outcome"] for line in csv.DictReader((folder / "results.csv").open())} == {"finished"}
            # Checkpoints and logs came back from where the trials ran.
            assert all(where.saved_checkpoints() and where.process_log.is_file() for _, where in stored_runs(folder))
            assert json.loads((folder / "results.json").read_text())["best"]["candidate"] in (1, 2)
        else:
            running_trial(folder, process)
            process.send_signal(number)
            process.wait()
            deadline = time.monotonic() + 30
            while any(facts.state not in FINAL_STATES for facts, _ in stored_runs(folder)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    assert_settled(folder)
