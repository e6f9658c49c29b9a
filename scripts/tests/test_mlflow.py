"""The real MLflow, as ml/experiments/start_mlflow.py starts it, on the server's embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "ml" / "experiments")]

import machine  # noqa: E402
import start_mlflow  # noqa: E402
from supervisor import children_of  # noqa: E402

START_S = 300.0  # it makes its tables, on a machine that may be busy


def free_port() -> int:
    """A port of the loopback interface that nobody holds now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The data folder of a server that runs."""
    variables = {"RLMAZE_ADDR": "127.0.0.1:0", "RLMAZE_PRIVATE_ADDR": "127.0.0.1:0", "DATA_DIR": str(tmp_path), "LOG_LEVEL": "warn"}
    server = subprocess.Popen([machine.SERVER_BINARY], cwd=ROOT, env=machine.environment(variables))
    try:
        yield tmp_path
    finally:
        server.terminate()
        server.wait(20)


class MLflow:
    """A running tracking server, and calls of its REST interface."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        variables = {
            "MLFLOW_ADDR": f"127.0.0.1:{self.port}",
            "MLFLOW_DATABASE_URL": "",
            "MLFLOW_DATABASE_URL_FILE": str(data / "mlflow-database-url"),
            "MLFLOW_ARTIFACTS_DIR": str(data / "mlflow"),
        }
        program = ROOT / "ml" / "experiments" / "start_mlflow.py"
        self.process = subprocess.Popen([sys.executable, program], cwd=data, env=os.environ | variables, start_new_session=True)

    def call(self, path: str, body: Any = None, method: str = "POST", headers: dict[str, str] | None = None) -> Any:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", content, headers or {}, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else text

    def wait(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.call("/health", method="GET")
                return
            except OSError:
                assert self.process.poll() is None, "MLflow ended"
                assert time.monotonic() < deadline, "MLflow does not answer"
                time.sleep(0.2)


def test_it_keeps_runs_in_the_embedded_postgresql_and_artifacts_in_the_folder(data: Path) -> None:
    mlflow = MLflow(data)
    try:
        mlflow.wait()
        experiment = mlflow.call("/api/2.0/mlflow/experiments/create", {"name": "ppo-quick"})["experiment_id"]
        run = mlflow.call("/api/2.0/mlflow/runs/create", {"experiment_id": experiment, "run_name": "ppo-quick-1"})["run"]["info"]
        points = [{"key": "reward", "value": step / 100, "timestamp": 1, "step": step} for step in range(1000)]
        mlflow.call("/api/2.0/mlflow/runs/log-batch", {"run_id": run["run_id"], "metrics": points})
        history = mlflow.call(f"/api/2.0/mlflow/metrics/get-history?run_id={run['run_id']}&metric_key=reward", method="GET")
        assert [point["step"] for point in history["metrics"]] == list(range(1000))

        assert run["artifact_uri"].startswith("mlflow-artifacts:/")
        path = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
        mlflow.call(f"/api/2.0/mlflow-artifacts/artifacts/{path}/config.yaml", b"name: ppo-quick\n", method="PUT")
        assert (data / "mlflow" / path / "config.yaml").read_text() == "name: ppo-quick\n"

        with pytest.raises(urllib.error.HTTPError) as refused:
            mlflow.call("/api/2.0/mlflow/experiments/search", {"max_results": 1}, headers={"Host": "evil.example"})
        assert refused.value.code == 403

        # One process, so that whoever ends it ends the web server itself.
        assert children_of(mlflow.process.pid) == set()
        mlflow.process.send_signal(signal.SIGTERM)
        assert mlflow.process.wait(15) in (0, -signal.SIGTERM)
    finally:
        mlflow.process.kill()
        mlflow.process.wait()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://rlmaze@/mlflow?host=%2Fdata%2Frun", "postgresql+psycopg2://rlmaze@/mlflow?host=%2Fdata%2Frun"),
        ("postgresql://a:b@db:5432/mlflow", "postgresql+psycopg2://a:b@db:5432/mlflow"),
        ("postgresql+psycopg2://a@db/mlflow", "postgresql+psycopg2://a@db/mlflow"),
    ],
)
def test_any_spelling_of_a_postgresql_address_is_understood(given: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DATABASE_URL", given)
    assert start_mlflow.database_url() == wanted


def test_a_file_with_the_address_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mlflow-database-url"
    monkeypatch.setenv("MLFLOW_DATABASE_URL", "")
    monkeypatch.setenv("MLFLOW_DATABASE_URL_FILE", str(file))
    writes = iter([None, "", "postgres://rlmaze@/mlflow\n"])

    def sleep(_seconds: float) -> None:
        text = next(writes)
        if text is not None:
            file.write_text(text)

    monkeypatch.setattr(time, "sleep", sleep)
    assert start_mlflow.database_url() == "postgresql+psycopg2://rlmaze@/mlflow"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MLFLOW_DATABASE_URL", "sqlite:///secret.db", "must start with postgresql://"),
        ("MLFLOW_ADDR", "localhost", "'localhost' is not an address like 127.0.0.1:5000"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_shown(name: str, value: str, words: str) -> None:
    variables = {"MLFLOW_DATABASE_URL": "postgres://db/mlflow", name: value}
    program = ROOT / "ml" / "experiments" / "start_mlflow.py"
    answer = subprocess.run([sys.executable, program], env=os.environ | variables, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert "secret" not in answer.stderr


def test_hosts_are_checked_with_and_without_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOWED_HOSTS", " mlflow ,")
    assert start_mlflow.allowed_hosts(5000).split(",")[-2:] == ["mlflow", "mlflow:5000"]
