"""The trainer and MLflow beside the running product: installed when they are missing, started, watched, started again.

The page and the server never wait for them. Whatever happens here is said, in the terminal and, through DATA_DIR/setup.json, on the page;
nothing here ends the product. All of it happens in the supervisor's loop, which calls look at least once a second: no thread, no wait.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from addresses import Addresses, answers, reachable
from bootstrap import training_installed
from machine import ROOT, TRAIN
from setup_state import SetupState
from supervisor import Child, Supervisor, describe

TRAINER_END_S = 10.0  # it stops the run that it has, which keeps its last checkpoint
MLFLOW_END_S = 5.0
SETUP_END_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0  # before a service that ended is started again; doubles
STEADY_S = 60.0  # one that ran so long begins with the shortest pause again
ASK_EVERY_S = 1.0  # whether it answers; asking blocks the loop for ANSWER_S at most
ANSWER_S = 0.3
SAY_EVERY_S = 15.0  # how the installation goes, in the terminal
STEP_BACK = 5  # the page comes first: MLflow alone takes 12 s of CPU to start
NOT_PREPARED = "Trainings can't be prepared: {reason}. Everything else works; the next start tries again."


@dataclass
class Service:
    """One optional program."""

    name: str
    title: str  # for sentences
    command: list[str | Path]
    variables: dict[str, str]
    health: str
    end_limit_s: float
    nice: int = 0
    then: str = ""  # what can be done now
    child: Child | None = None
    ready: bool = False
    started: float = 0.0
    ask_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = field(default_factory=lambda: FIRST_PAUSE_S)


class TrainingServices:
    """Installs, starts and restarts the services. Owned by the supervisor's loop."""

    def __init__(self, supervisor: Supervisor, state: SetupState, services: list[Service]) -> None:
        self.supervisor = supervisor
        self.state = state
        self.services = services
        self.setup: Child | None = None
        self.installed = False
        self.gave_up = False
        self.failure = ""
        self.said_at = time.monotonic()
        for service in services:
            state.tell(service.name, "Waiting for the page")

    def look(self) -> None:
        """Does what is due now, and returns at once."""
        if not self.services or self.gave_up:
            return
        if not self.installed:
            self._look_after_installation()
            return
        for service in self.services:
            self._look_after(service)

    # --- the installation ----------------------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Starts what installs the environment, where it is missing. Called once, when the page is up."""
        if not self.services:
            return
        if training_installed():
            self.installed = True
            return
        self.supervisor.say("  Trainings need PyTorch and MLflow (5 GB): they are installed now, beside the running page.\n")
        self._tell_all("Installing PyTorch and MLflow for trainings")
        self.setup = self.supervisor.start(
            "setup", [sys.executable, ROOT / "scripts" / "install_training.py"], SETUP_END_S, {}, required=False, nice=STEP_BACK
        )
        self.setup.on_line = self._read_setup

    def _read_setup(self, line: str) -> bool:
        """Takes the JSON lines of install_training.py; what it prints beside them is for the reader of the terminal."""
        try:
            facts = json.loads(line)
            if "failed" in facts:
                self.failure = str(facts["failed"])
                return True
            message, progress = str(facts["message"]), float(facts["progress"])
        except (ValueError, KeyError, TypeError):
            return False
        self._tell_all(message, progress)
        if time.monotonic() - self.said_at > SAY_EVERY_S:
            self.said_at = time.monotonic()
            self.supervisor.say(f"  …     {message} ({progress:.0%})")
        return True

    def _look_after_installation(self) -> None:
        if self.setup is None or self.setup.process.poll() is None:
            return
        setup, self.setup = self.setup, None
        self.supervisor.forget(setup)
        code = setup.process.returncode
        if code == 0:
            self.supervisor.say("  done  PyTorch and MLflow are installed")
            self.installed = True
            return
        self.gave_up = True
        sentence = NOT_PREPARED.format(reason=self.failure or f"the installation ended with {describe(code)}")
        for service in self.services:
            self.state.tell(service.name, sentence, failed=True)
        self.supervisor.say(f"\n  {sentence}\n")

    def _tell_all(self, message: str, progress: float | None = None) -> None:
        for service in self.services:
            self.state.tell(service.name, message, progress)

    # --- the services --------------------------------------------------------------------------------------------------------------

    def _look_after(self, service: Service) -> None:
        now = time.monotonic()
        if service.child is None:
            if now >= service.start_at:
                self._start(service, now)
        elif service.child.process.poll() is not None:
            self._plan_restart(service, now)
        elif not service.ready and now >= service.ask_at:
            service.ask_at = now + ASK_EVERY_S
            if answers(service.health, ANSWER_S):
                service.ready = True
                self.state.done(service.name)
                self.supervisor.say(f"  done  {service.title} answers after {now - service.started:.0f} s{service.then}")

    def _start(self, service: Service, now: float) -> None:
        self.supervisor.reap_orphans()  # what the one before left
        service.started, service.ask_at = now, now + ASK_EVERY_S
        self.state.tell(service.name, f"{service.title} is starting")
        try:
            service.child = self.supervisor.start(
                service.name, service.command, service.end_limit_s, service.variables, required=False, nice=service.nice
            )
        except OSError as error:
            self._wait(service, now, f"{service.title} can't be started: {error.strerror}")

    def _plan_restart(self, service: Service, now: float) -> None:
        assert service.child is not None
        child, service.child, service.ready = service.child, None, False
        self.supervisor.forget(child)
        if now - service.started > STEADY_S:
            service.pause_s = FIRST_PAUSE_S
        self._wait(service, now, f"{service.title} ended with {describe(child.process.returncode)}")

    def _wait(self, service: Service, now: float, what: str) -> None:
        sentence = f"{what} and is started again in {service.pause_s:.0f} s"
        self.state.tell(service.name, sentence)
        self.supervisor.say(f"\n  {sentence}; the page goes on without it.\n")
        service.start_at = now + service.pause_s
        service.pause_s = min(2 * service.pause_s, LONGEST_PAUSE_S)


def wanted_services(addresses: Addresses, data: Path) -> list[Service]:
    """The services that are started here; MLflow first, so that it ends after the trainer, which writes its last words into it."""
    services: list[Service] = []
    if addresses.mlflow:
        services.append(
            Service(
                "mlflow",
                "MLflow",
                [TRAIN / "bin" / "python", ROOT / "ml" / "experiments" / "start_mlflow.py"],
                addresses.for_mlflow(data),
                f"http://{reachable(addresses.mlflow)}/health",
                MLFLOW_END_S,
                nice=STEP_BACK,
            )
        )
    if addresses.trainer:
        services.append(
            Service(
                "trainer",
                "The trainer",
                [TRAIN / "bin" / "python", "-m", "rlmaze_trainer"],
                addresses.for_trainer(data),
                f"http://{reachable(addresses.trainer)}/health",
                TRAINER_END_S,
                then=f": trainings can be started, {addresses.page}/training",
            )
        )
    return services
