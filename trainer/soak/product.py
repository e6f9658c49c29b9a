"""Server, MLflow and trainer as three programs that can be killed one by one, and what stands in each of them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil
from connectrpc.errors import ConnectError
from mlflow_server import MLflowServer, free_port, pairs

from rlmaze_api.rlmaze.model.v1.model_list_pb import ListModelsRequest
from rlmaze_api.rlmaze.model.v1.model_pb import Model
from rlmaze_api.rlmaze.model.v1.model_service_connect import ModelServiceClientSync
from rlmaze_api.rlmaze.training.v1.training_pb import Training, TrainingState
from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceClientSync
from rlmaze_api.rlmaze.training.v1.training_service_pb import ListTrainingsRequest, StartTrainingRequest, StopTrainingRequest

ROOT = Path(__file__).resolve().parents[2]
SERVER_BINARY = Path(os.environ.get("RLMAZE_SERVER") or ROOT / ".tools" / "build" / "rlmaze")
START_S = 300.0  # seconds on a quiet machine
# What the acceptance list allows for all sides to agree.
AGREE_S = 30.0
STATUS = {TrainingState.COMPLETED: "FINISHED", TrainingState.STOPPED: "KILLED", TrainingState.FAILED: "FAILED"}


def wait_until(what: str, true: Callable[[], bool], limit_s: float = START_S) -> float:
    """Waits for something to be true; returns how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit_s, f"{what}: not within {limit_s:g} s"
        time.sleep(0.05)
    return time.monotonic() - began


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2):
            return True
    except OSError:
        return False


class Program:
    """One program with its port and its log."""

    def __init__(self, name: str, command: list[str], variables: dict[str, str], health: str, folder: Path) -> None:
        self.name, self._command, self._variables, self._health, self._log = name, command, variables, health, folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=os.environ | self._variables, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(f"{self.name} answers", self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended: {self._log.read_text()[-2000:]}"
        return answers(self._health)

    def end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None


class Product:
    """The three programs, with data of their own."""

    def __init__(self) -> None:
        # A short path: PostgreSQL's socket lies in it.
        self.folder = Path(tempfile.mkdtemp(prefix="rlmaze-soak-"))
        # The embedded PostgreSQL runs as another user where this is root.
        self.folder.chmod(0o755)
        public, private, trainer, mlflow = (f"http://127.0.0.1:{free_port()}" for _ in range(4))
        data, common = self.folder / "data", {"TRAINER_TOKEN": "soak-trainer", "MLFLOW_TRACKING_URI": mlflow}
        self.server = Program(
            "server",
            [str(SERVER_BINARY)],
            common
            | {
                "RLMAZE_ADDR": public.removeprefix("http://"),
                "RLMAZE_PRIVATE_ADDR": private.removeprefix("http://"),
                "DATA_DIR": str(data),
                "TRAINER_URL": trainer,
                "LOG_LEVEL": "warn",
            },
            public,
            self.folder,
        )
        self.trainer = Program(
            "trainer",
            [sys.executable, str(Path(__file__).with_name("trainer_with_actors.py"))],
            common
            | {
                "TRAINER_ADDR": trainer.removeprefix("http://"),
                "TRAINER_RUNS_DIR": str(self.folder / "runs"),
                "TRAINER_QUEUE_LIMIT": "100",
                "SERVER_URL": private,
            },
            trainer,
            self.folder,
        )
        self.mlflow = MLflowServer(
            self.folder,
            [sys.executable, str(ROOT / "ml" / "experiments" / "start_mlflow.py")],
            {
                "MLFLOW_DATABASE_URL": "",
                "MLFLOW_DATABASE_URL_FILE": str(data / "mlflow-database-url"),
                "MLFLOW_ARTIFACTS_DIR": str(self.folder / "mlflow"),
                "MLFLOW_ADDR": mlflow.removeprefix("http://"),
            },
            int(mlflow.rpartition(":")[2]),
        )
        self.trainings = TrainingServiceClientSync(public)
        self.models = ModelServiceClientSync(public)
        # Runs are started at the trainer, so that a server that is away keeps nobody from starting one.
        self.at_trainer = TrainingServiceClientSync(trainer)
        self.headers = {"authorization": "Bearer soak-trainer"}

    def __enter__(self) -> Self:
        try:
            self.server.start()
            self.mlflow.start(wait=False)
            self.trainer.start()
            self.mlflow.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.trainer.end(signal.SIGKILL)
        self.mlflow.kill()
        self.server.end(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_run(self, act: str, name: str) -> str:
        text = (
            f"name: {name}\ntitle: {act}\ndescription: For the soak.\nalgorithm: PPO\nobservation: memory/1\n"
            "timesteps: 1000\ndevice: cpu\nppo:\n  n_steps: 16\n"
        )
        training = self.at_trainer.start_training(StartTrainingRequest(config_yaml=text), headers=self.headers).training
        assert training is not None
        return training.run_id

    def stop_run(self, run_id: str) -> None:
        self.at_trainer.stop_training(StopTrainingRequest(run_id=run_id), headers=self.headers)

    def run(self, run_id: str) -> Training:
        """The run as the trainer knows it."""
        listed = self.at_trainer.list_trainings(ListTrainingsRequest(page_size=200), headers=self.headers).trainings
        return next(training for training in listed if training.run_id == run_id)

    def wait_for_learning(self, run_id: str) -> None:
        wait_until(f"{run_id} learns", lambda: self.run(run_id).best_checkpoint is not None)

    def run_processes(self) -> list[psutil.Process]:
        """The processes of runs, whoever their parent is by now."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                command = process.cmdline()
                if any("actor.py" in part for part in command) and any(str(self.folder) in part for part in command):
                    found.append(process)
        return found

    def at_server(self) -> dict[str, Training]:
        """All runs as the server knows them."""
        found: dict[str, Training] = {}
        token = ""
        while True:
            page = self.trainings.list_trainings(ListTrainingsRequest(page_size=200, page_token=token))
            found |= {training.run_id: training for training in page.trainings}
            token = page.next_page_token
            if not token:
                return found

    def at_mlflow(self, names: set[str]) -> dict[str, str]:
        """The state of each run in MLflow; a run that is there twice fails."""
        found: dict[str, str] = {}
        for name in names:
            for run in self.mlflow.runs(name):
                run_id = pairs(run["data"]["tags"])["rlmaze.training_run_id"]
                assert run_id not in found, f"{run_id} is in MLflow twice"
                found[run_id] = run["info"]["status"]
        return found

    def registered(self) -> dict[str, Model]:
        """The models of the server, by id."""
        return {model.model_id: model for model in self.models.list_models(ListModelsRequest()).models}

    def disagreement(self, run_ids: list[str]) -> str:
        """Says what is not settled, or not the same on all sides; empty when all is well."""
        try:
            server = self.at_server()
            mlflow = self.at_mlflow({run_id.rpartition("-")[0] for run_id in run_ids})
            models = self.registered()
        except (ConnectError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        for run_id in run_ids:
            training = server.get(run_id)
            if training is None:
                return f"{run_id} is not at the server"
            if training.state not in STATUS:
                return f"{run_id} is {training.state.name} at the server"
            if mlflow.get(run_id) != STATUS[training.state]:
                return f"{run_id} is {training.state.name} at the server and {mlflow.get(run_id)} in MLflow"
            if training.state is TrainingState.COMPLETED and training.model_id not in models:
                return f"{run_id} is completed, and its model {training.model_id or '(none)'} is not registered"
            if training.notices:
                return f"{run_id} still says {training.notices}"
        return ""

    def wait_for_agreement(self, run_ids: list[str]) -> float:
        """Requires all sides to agree on runs, within what the acceptance list allows; returns how long it took."""
        began = time.monotonic()
        while found := self.disagreement(run_ids):
            assert time.monotonic() - began < AGREE_S, f"after {AGREE_S:g} s: {found}"
            time.sleep(0.2)
        return time.monotonic() - began
