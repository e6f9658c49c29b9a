"""A real MLflow server for tests, and what stands in it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

START_S = 600.0  # seconds on a quiet machine


def free_port() -> int:
    """A port of the loopback interface that nobody holds now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class MLflowServer:
    """One server, on a port that it keeps. Without a command it keeps its data in SQLite in its folder."""

    def __init__(self, folder: Path, command: list[str] | None = None, variables: dict[str, str] | None = None, port: int = 0) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._command = command or [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts")),
        ]
        self._variables = {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        } | (variables or {})
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, wait: bool = True) -> None:
        with open(self._folder / "mlflow.log", "ab") as output:
            self.process = subprocess.Popen(
                self._command, env=os.environ | self._variables, stdout=output, stderr=output, start_new_session=True
            )
        if wait:
            try:
                self.wait()
            except BaseException:
                self.kill()
                raise

    def wait(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=2):
                    return
            except OSError:
                assert self.process is not None
                assert self.process.poll() is None, (self._folder / "mlflow.log").read_text()[-2000:]
                assert time.monotonic() < deadline, "MLflow does not answer"
                time.sleep(0.2)

    def kill(self) -> None:
        """Ends it and its workers without a word."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def ask(self, call: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/api/2.0/mlflow/{call}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def runs(self, experiment: str) -> list[dict[str, Any]]:
        """All runs of an experiment; none when there is no such experiment."""
        try:
            found = self.ask(f"experiments/get-by-name?experiment_name={experiment}")["experiment"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        runs: list[dict[str, Any]] = self.ask("runs/search", {"experiment_ids": [found["experiment_id"]], "max_results": 1000}).get(
            "runs", []
        )
        return runs

    def history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        """All points of a metric, in the order of their steps."""
        found = self.ask(f"metrics/get-history?run_id={run_id}&metric_key={key}").get("metrics", [])
        return sorted((int(point.get("step", 0)), float(point["value"])) for point in found)

    def artifacts(self, run_id: str, path: str = "") -> set[str]:
        """Names of the artifacts in a folder of a run."""
        found = self.ask(f"artifacts/list?run_id={run_id}" + (f"&path={path}" if path else "")).get("files", [])
        return {file["path"] for file in found}

    def versions(self, name: str) -> list[dict[str, Any]]:
        """All versions of a registered model."""
        found: list[dict[str, Any]] = self.ask(f"model-versions/search?filter=name%3D%27{name}%27").get("model_versions", [])
        return found


def pairs(found: list[dict[str, str]]) -> dict[str, str]:
    """Turns MLflow's lists of keys and values into a mapping."""
    return {one["key"]: one["value"] for one in found}
