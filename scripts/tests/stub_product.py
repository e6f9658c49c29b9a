"""run.py with stand-ins for all programs, so that the supervisor is tested without building or installing the product.

STUB_SERVER says how the server behaves: serve (default), crash, stubborn (does not end on SIGTERM), orphan (leaves a grandchild).
STUB_SETUP says what the installation of the training environment does: nothing (it is installed, default), succeed, fail, full (the disk),
hang (runs a grandchild in a session of its own, as the real one runs uv, and ends it with itself). STUB_TRAINER: serve, crash (ends at once
each time), crash-once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import run
import supervisor
import training_services

SERVE = """
import http.server, os, pathlib, signal, subprocess, sys
name = sys.argv[1]
behaviour = os.environ.get("STUB_" + name.upper(), "serve")
if behaviour == "crash":
    print("can't open the store"); sys.exit(3)
if behaviour == "crash-once":
    mark = pathlib.Path(os.environ["TRAINER_RUNS_DIR"] + ".crashed")
    if not mark.exists():
        mark.touch(); sys.exit(3)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behaviour == "orphan":
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
host, port = {
    "server": lambda: os.environ["RLMAZE_ADDR"].rsplit(":", 1),
    "web": lambda: (os.environ["HOSTNAME"], os.environ["PORT"]),
    "trainer": lambda: os.environ["TRAINER_ADDR"].rsplit(":", 1),
    "mlflow": lambda: os.environ["MLFLOW_ADDR"].rsplit(":", 1),
}[name]()
print("settings", *(f"{name}={os.environ[name]}" for name in sorted(os.environ) if name in (
    "CORS_ORIGINS", "SERVER_URL", "PUBLIC_SERVER_URL", "RLMAZE_PRIVATE_ADDR", "DATA_DIR", "TRAINER_URL", "TRAINER_TOKEN", "TRAINER_RUNS_DIR",
    "MLFLOW_TRACKING_URI", "MLFLOW_DATABASE_URL_FILE", "MLFLOW_ARTIFACTS_DIR", "SETUP_STATE")), flush=True)
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((host, int(port)), Quiet).serve_forever()
"""

SETUP = """
import json, os, signal, subprocess, sys, time
behaviour = os.environ["STUB_SETUP"]
print(json.dumps({"message": "Installing PyTorch and MLflow for trainings, 41 of 130 packages", "progress": 0.41}), flush=True)
if behaviour == "fail":
    print("no route to the index", flush=True)
    sys.exit(1)
if behaviour == "full":
    print(json.dumps({"failed": "the disk is full"}), flush=True)
    sys.exit(1)
if behaviour == "hang":
    children = []
    def end(*_):
        for child in children:
            child.terminate()
        sys.exit(130)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGTERM, end)
    children.append(subprocess.Popen(["sleep", "1000"], start_new_session=True, preexec_fn=lambda: signal.pthread_sigmask(
        signal.SIG_UNBLOCK, {signal.SIGTERM})))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    children[0].wait()
"""


def main() -> int:
    start = supervisor.Supervisor.start

    def start_stub(
        self: supervisor.Supervisor,
        name: str,
        _command: object,
        end_limit_s: float,
        variables: Mapping[str, str],
        required: bool = True,
        nice: int = 0,
    ) -> supervisor.Child:
        code = SETUP if name == "setup" else SERVE
        return start(self, name, [sys.executable, "-c", code, name], min(end_limit_s, 1.0), variables, required, nice)

    supervisor.Supervisor.start = start_stub  # type: ignore[method-assign,assignment]
    run.ensure_built = lambda: None  # type: ignore[attr-defined]
    training_services.training_installed = lambda: "STUB_SETUP" not in os.environ  # type: ignore[attr-defined]
    training_services.FIRST_PAUSE_S = 0.1
    return run.main()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
