"""The machine of the benchmarks: which cores, which programs, and the servers on them.

Server and load generator get one core each. The stores of our server (PostgreSQL, and what speaks MongoDB's protocol) run in processes of
their own, as in a deployment, on the load generator's core: the server's core is the server's alone, and CPU time says whose it is.

On a machine that others use as well, ``RLMAZE_BENCH_REALTIME=1`` (``run.py --realtime``; root only) runs all contestants with real-time
priority, so that other work waits for them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".tools" / "build" / "bench"
PEER = ROOT / "benchmarks" / "peer"
sys.path.insert(0, str(ROOT / "scripts"))

from machine import environment  # noqa: E402  (the repository's own scripts; found by the line above)

CORES = sorted(os.sched_getaffinity(0))
PRIORITY = ["chrt", "--rr", "5"] if os.environ.get("RLMAZE_BENCH_REALTIME") == "1" else []
START_LIMIT_S = 180  # a first start makes a database cluster, and MLflow its tables


def end_servers_on_signals() -> None:
    """Lets SIGTERM and SIGINT end the program by an exception, so that the servers that it started end with it, also where a shell ignores SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: sys.exit(128 + which))


class NotReady(Exception):
    """The benchmark can't run here; the text says why."""


def server_core() -> int:
    if len(CORES) < 2:
        raise NotReady("server and load generator need a core each; this process may use one only")
    return CORES[0]


def load_core() -> int:
    server_core()
    return CORES[1]


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command on one core. taskset and chrt replace themselves by it, so the process that is started is the command's."""
    return [*PRIORITY, "taskset", "-c", str(core), *command]


def build(*packages: str) -> list[Path]:
    """Compiles Go programs and returns where they are."""
    BUILD.mkdir(parents=True, exist_ok=True)
    programs = [BUILD / Path(package).name for package in packages]
    for package, program in zip(packages, programs, strict=True):
        subprocess.run(["go", "build", "-o", str(program), package], cwd=ROOT, env=environment(), check=True)
    return programs


def default_model() -> tuple[str, Path]:
    """Id and folder of the model that a first start activates."""
    models = ROOT / "ml" / "models"
    default = models / "default.json"
    if not default.is_file():
        raise NotReady("ml/models/default.json is missing: no model is shipped yet")
    model_id = json.loads(default.read_text())["model_id"]
    return model_id, models / model_id


def ask_load(program: Path, command: str, *, pid: int, url: str, **flags: Any) -> dict[str, Any]:
    """Runs the load generator on its core and returns its report."""
    arguments = [str(program), command, "-url", url, "-pid", str(pid)]
    for name, value in flags.items():
        arguments += ["-" + name.replace("_", "-"), str(value)]
    done = subprocess.run(pinned(load_core(), arguments), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


class ServerProcess:
    """A server process on one core, the server's unless another is given, with its output in a file."""

    name = ""

    def __init__(self, core: int | None = None) -> None:
        self._core = server_core() if core is None else core
        self.folder = Path(tempfile.mkdtemp(prefix="rlmaze-bench-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (self.folder / "server.log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, command: list[str], env: Mapping[str, str], cwd: Path) -> None:
        self._process = subprocess.Popen(pinned(self._core, command), cwd=cwd, env=env, stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self._await_health()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _await_health(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/health", timeout=1) as response:
                    if response.status == 200:
                        return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                pass
            time.sleep(0.1)
        log = (self.folder / "server.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} did not become healthy:\n{log}")

    @staticmethod
    def end(process: subprocess.Popen[Any] | None) -> None:
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        self.end(self._process)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Product(ServerProcess):
    """Our server with the default model and the access log written as JSON, as ``make run`` starts it, and its stores beside it."""

    name = "our server"

    def __init__(self, variables: Mapping[str, str] | None = None, core: int | None = None) -> None:
        """Starts both; variables are added to the server's environment."""
        program, stores = build("./server/cmd/rlmaze", "./server/bench/stores")
        super().__init__(core)
        self.private_url = f"http://127.0.0.1:{free_port()}"
        self.stores: dict[str, str] = {}  # addresses, by variable
        self._variables = variables or {}
        os.chmod(self.folder, 0o755)  # PostgreSQL runs as another user and must reach its folder
        self._stores = subprocess.Popen(
            pinned(load_core(), [str(stores), str(self.folder / "stores")]),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        try:
            self._launch_beside_stores(program)
        except BaseException:
            self.close()
            raise

    def _launch_beside_stores(self, program: Path) -> None:
        assert self._stores.stdout is not None
        addresses = self._stores.stdout.readline()
        if not addresses:
            raise RuntimeError("the stores did not start")
        self.stores = json.loads(addresses)
        env = environment() | {
            "RLMAZE_ADDR": f"127.0.0.1:{self.port}",
            "RLMAZE_PRIVATE_ADDR": self.private_url.removeprefix("http://"),
            "DATA_DIR": str(self.folder / "data"),
            "LOG_FORMAT": "json",
            **self.stores,
            **self._variables,
        }
        self.launch([str(program)], env, ROOT)

    def close(self) -> None:
        self.end(self._process)
        self.end(self._stores)
        super().close()


class Peer(ServerProcess):
    """The FastAPI server of benchmarks/peer with the same model."""

    name = "the peer"

    def __init__(self, observation: str, model: Path) -> None:
        super().__init__()
        env = dict(
            os.environ,
            PEER_MODEL=str(model),
            PEER_OBSERVATION=observation,
            PEER_TRAIL_AGES=str(ROOT / "ml" / "conformance" / "trail_ages.f32"),
        )
        options = "--loop uvloop --http httptools --ws websockets-sansio --ws-per-message-deflate false --no-access-log --log-level warning"
        self.launch([sys.executable, "-m", "uvicorn", "server:app", "--port", str(self.port), *options.split()], env, PEER)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
