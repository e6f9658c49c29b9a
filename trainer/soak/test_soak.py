"""Processes are killed, services are away, and every run ends settled, the same at the server and in MLflow, with no process left over.

Samples by default; RLMAZE_SOAK=1 takes the full counts.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from product import AGREE_S, Product, wait_until

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState

FULL = os.environ.get("RLMAZE_SOAK") == "1"
PROCESS_KILLS = 50 if FULL else 3
SERVICE_KILLS = 20 if FULL else 2
TERMS = 20 if FULL else 2
AWAY_S = 60.0 if FULL else 4.0
# Kills come at any moment of a run, but the same ones each time.
CHANCE = random.Random(5)
# The acts of a run that is killed: it learns, or it has just exported its model.
ACTS = ("slow", "half", "deaf")


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with Product() as found:
        yield found


@pytest.fixture
def run_ids() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def nothing_is_left(product: Product, run_ids: list[str]) -> Iterator[None]:
    """After each test: all sides agree on its runs, no process is left, and no model but those of completed runs."""
    yield
    took = product.wait_for_agreement(run_ids)
    wait_until("no process of a run is left", lambda: not product.run_processes(), 5)
    found = product.at_server()
    completed = {training.model_id for training in found.values() if training.state is TrainingState.COMPLETED}
    models = {model_id: model for model_id, model in product.registered().items() if model.name.startswith("soak-")}
    assert set(models) == completed
    versions = [version for name in {run_id.rpartition("-")[0] for run_id in found} for version in product.mlflow.versions(name)]
    assert len(versions) == len(completed)
    assert len({version["run_id"] for version in versions}) == len(versions)
    print(f"agreed on {len(run_ids)} runs after {took:.1f} s")


def kill_some_time(product: Product, run_id: str, kill: Callable[[], None]) -> None:
    """Waits until a run learns, then a moment more."""
    product.wait_for_learning(run_id)
    time.sleep(CHANCE.random() * 0.3)
    kill()


def test_killed_processes(product: Product, run_ids: list[str]) -> None:
    for number in range(PROCESS_KILLS):
        run_id = product.start_run(ACTS[number % len(ACTS)], "soak-process")
        run_ids.append(run_id)

        def kill() -> None:
            (process,) = product.run_processes()
            process.kill()

        kill_some_time(product, run_id, kill)
        wait_until("the trainer has settled it", lambda run_id=run_id: product.run(run_id).state is TrainingState.FAILED, 5)  # type: ignore[misc]
        found = product.run(run_id)
        assert "killed by the system" in found.failure
        assert "The checkpoint of 500 steps is kept." in found.failure
        assert found.resumable
    completed = product.start_run("complete", "soak-process")
    run_ids.append(completed)
    wait_until("a run completes after all that", lambda: product.run(completed).state is TrainingState.COMPLETED)


@pytest.mark.parametrize(("number", "count"), [(signal.SIGKILL, SERVICE_KILLS), (signal.SIGTERM, TERMS)], ids=["SIGKILL", "SIGTERM"])
def test_ended_services(product: Product, run_ids: list[str], number: signal.Signals, count: int) -> None:
    for turn in range(count):
        running = product.start_run(ACTS[turn % len(ACTS)], "soak-service")
        waiting = product.start_run("complete", "soak-service")
        run_ids += [running, waiting]
        kill_some_time(product, running, lambda: product.trainer.end(number))
        wait_until("the process went with its service", lambda: not product.run_processes(), 5)
        product.trainer.start()
        wanted = TrainingState.STOPPED if number is signal.SIGTERM else TrainingState.FAILED
        assert product.run(running).state is wanted
        wait_until("what waited runs now", lambda waiting=waiting: product.run(waiting).state is TrainingState.COMPLETED)  # type: ignore[misc]


def test_a_trainer_that_does_not_come_back_for_a_while(product: Product, run_ids: list[str]) -> None:
    running = product.start_run("slow", "soak-lost")
    run_ids.append(running)
    product.wait_for_learning(running)
    wait_until("the server knows of it", lambda: running in product.at_server(), AGREE_S)
    # Only the trainer knows a run's id in MLflow; what it never told the server is caught up when it is back.
    wait_until("the server knows it in MLflow", lambda: product.at_server()[running].mlflow_run_id != "", AGREE_S)
    product.trainer.end(signal.SIGKILL)
    try:
        wait_until("the server has settled it", lambda: product.at_server()[running].state is TrainingState.FAILED, AGREE_S)
        wait_until("MLflow agrees", lambda: product.at_mlflow({"soak-lost"}).get(running) == "FAILED", AGREE_S)
    finally:
        product.trainer.start()


def test_a_server_that_is_away(product: Product, run_ids: list[str]) -> None:
    running = product.start_run("slow", "soak-server")
    run_ids.append(running)
    product.wait_for_learning(running)
    product.server.end(signal.SIGKILL)
    # PostgreSQL went with it, and so MLflow has no database either.
    steps = product.run(running).latest
    began = time.monotonic()
    product.stop_run(running)
    completed = product.start_run("complete", "soak-server")
    run_ids.append(completed)
    wait_until("a run completes without the server", lambda: product.run(completed).state is TrainingState.COMPLETED)
    assert steps is not None
    assert product.run(completed).model_id == ""
    assert any("server does not answer" in notice for notice in product.run(completed).notices)
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - began)))
    product.server.start()


def test_mlflow_that_is_away(product: Product, run_ids: list[str]) -> None:
    running = product.start_run("slow", "soak-mlflow")
    run_ids.append(running)
    product.wait_for_learning(running)
    product.mlflow.kill()
    began = time.monotonic()
    latest = product.run(running).latest
    assert latest is not None
    wait_until("the run says that MLflow is away", lambda: any("MLflow does not answer" in n for n in product.run(running).notices), 30)
    assert product.run(running).latest.timesteps > latest.timesteps  # type: ignore[union-attr]
    product.stop_run(running)
    completed = product.start_run("complete", "soak-mlflow")
    run_ids.append(completed)
    wait_until("a run completes and is registered without MLflow", lambda: bool(product.run(completed).model_id))
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - began)))
    product.mlflow.start()


def test_nothing_is_left_when_all_is_over(product: Product) -> None:
    product.trainer.end(signal.SIGTERM)
    with contextlib.suppress(psutil.Error):
        assert product.run_processes() == []
    product.trainer.start()
