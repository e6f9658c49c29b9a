"""The whole chain of a training for the benchmarks: trainer, our server with its stores, and MLflow on the same PostgreSQL."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine_under_test import ROOT, START_LIMIT_S, Product, ServerProcess, end_servers_on_signals, free_port, load_core

sys.path[:0] = [str(ROOT / name) for name in ("trainer", "ml", "gen/python")]

from rlmaze_trainer.sweep.processes import process_environment  # noqa: E402  (found by the line above)

RUN_PROCESS = (sys.executable, "-m", "rlmaze_trainer.run_process")


class MLflow(ServerProcess):
    """MLflow's tracking server, as `make run` starts it."""

    name = "MLflow"

    def __init__(self, database_url: str, port: int, core: int) -> None:
        super().__init__(core)
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        variables = {
            "MLFLOW_DATABASE_URL": database_url,
            "MLFLOW_ARTIFACTS_DIR": str(self.folder / "artifacts"),
            "MLFLOW_ADDR": f"127.0.0.1:{port}",
        }
        self.launch([sys.executable, str(ROOT / "ml" / "experiments" / "start_mlflow.py")], os.environ | variables, ROOT)


class Trainer(ServerProcess):
    """The training service, with the given program in place of that of a run (benchmarks/bench_trainer.py)."""

    name = "the trainer"

    def __init__(self, port: int, mlflow_url: str, command: Sequence[str], core: int) -> None:
        super().__init__(core)
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.runs = self.folder / "runs"
        variables = {
            "TRAINER_ADDR": f"127.0.0.1:{port}",
            "TRAINER_RUNS_DIR": str(self.runs),
            "MLFLOW_TRACKING_URI": mlflow_url,
            "BENCH_RUN_COMMAND": json.dumps(list(command)),
        }
        self.launch([sys.executable, str(ROOT / "benchmarks" / "bench_trainer.py")], process_environment() | variables, ROOT)


@dataclass(frozen=True)
class Chain:
    """All of them, started."""

    product: Product
    mlflow: MLflow
    trainer: Trainer

    def ask(self, service: str, procedure: str, content: dict[str, Any]) -> dict[str, Any]:
        """Asks our server's private listener.

        Raises:
            RuntimeError: It answered with an error.
        """
        request = urllib.request.Request(
            f"{self.product.private_url}/rlmaze.training.v1.{service}/{procedure}",
            data=json.dumps(content).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{procedure}: {error.code} {error.read().decode(errors='replace')}") from error

    def start(self, config_yaml: str, seed: int = 1) -> str:
        """Starts a training as the page does, as soon as the server has found the trainer; returns its run id."""
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                answer = self.ask("TrainingService", "StartTraining", {"configYaml": config_yaml, "seed": seed})
            except RuntimeError as error:
                if "unavailable" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
            else:
                run_id: str = answer["training"]["runId"]
                return run_id

    def pids(self) -> dict[str, int]:
        """The processes of the chain, by name."""
        return {"server": self.product.pid, "MLflow": self.mlflow.pid, "trainer": self.trainer.pid}


@contextmanager
def training_chain(command: Sequence[str], server_core: int | None = None, mlflow_core: int | None = None) -> Iterator[Chain]:
    """Starts the chain; what has no core of its own runs on the load generator's."""
    end_servers_on_signals()
    mlflow_port, trainer_port = free_port(), free_port()
    addresses = {"TRAINER_URL": f"http://127.0.0.1:{trainer_port}", "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow_port}"}
    beside = load_core()
    with (
        Product(addresses, beside if server_core is None else server_core) as product,
        MLflow(product.stores["MLFLOW_DATABASE_URL"], mlflow_port, beside if mlflow_core is None else mlflow_core) as mlflow,
        Trainer(trainer_port, mlflow.url, command, beside) as trainer,
    ):
        yield Chain(product, mlflow, trainer)


def read_events(run_folder: Path) -> Iterator[Any]:
    """Yields the events of a run's log."""
    from rlmaze_trainer.event_log import take_record

    content, at = (run_folder / "events.bin").read_bytes(), 0
    while (record := take_record(content, at)) is not None:
        event, at = record
        yield event
