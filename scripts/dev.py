"""The product with reload: `make dev`, or `pnpm dev` once the packages are installed.

The page runs under `next dev`, which reloads by itself; the server is built and started again whenever one of its sources changes.
A server that does not compile says so and the old one runs on. Trainer and MLflow run beside them when their environment is installed
(`make trainer` or `make run` install it); after a change of the trainer's code start it again by ending it: it comes back by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import machine
from addresses import answers, pick_addresses, reachable
from bootstrap import ensure, training_packages_installed
from build import SERVER_INPUTS, files, go_build
from machine import PNPM, ROOT, TOOLS, environment
from progress import Failed
from run import SERVER_END_S, WEB_END_S, hold_data_folder, name_holder
from setup_state import SetupState
from supervisor import CannotStart, Supervisor, describe
from training_services import TrainingServices, wanted_services

LOOK_EVERY_S = 0.7
START_LIMIT_S = 300.0  # next dev compiles the page when it is asked for the first time
BINARY = TOOLS / "build" / "rlmaze-dev"


def newest_change() -> int:
    """The time of the latest change of a source of the server, in nanoseconds, and the number of sources, as one comparable number."""
    return hash(tuple((str(path), path.stat().st_mtime_ns) for path in files(SERVER_INPUTS) if path.exists()))


def build(supervisor: Supervisor) -> bool:
    """Compiles the server; says what is wrong and returns False when it can't be."""
    started = time.monotonic()
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    answer = subprocess.run(
        [str(word) for word in go_build(BINARY.with_suffix(".fresh"), "dev")], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    if answer.returncode != 0:
        supervisor.say(f"  FAIL  the server does not compile:\n{answer.stderr}")
        return False
    os.replace(BINARY.with_suffix(".fresh"), BINARY)
    supervisor.say(f"  done  the server ({time.monotonic() - started:.1f} s)")
    return True


def main() -> int:
    data = Path(os.environ.get("DATA_DIR") or ROOT / ".data").expanduser().absolute()
    try:
        lock = hold_data_folder(data)
        # Of the training environment only what takes seconds: the project's own packages, after a change of their dependencies.
        with_trainings = training_packages_installed()
        ensure("light", "web", *(["train"] if with_trainings else []))
    except (Failed, machine.Missing, CannotStart) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    if not with_trainings:
        os.environ["RLMAZE_TRAINING"] = "0"
        print("  Trainings are left out: `make trainer` or `make run` installs what they need (5 GB)")
    supervisor = Supervisor()
    state = SetupState(data / "setup.json")
    status = 1
    try:
        if not build(supervisor):
            return 1
        addresses = pick_addresses(supervisor.say)
        name_holder(lock, addresses)
        trainings = TrainingServices(supervisor, state, wanted_services(addresses, data))
        tint = {} if "LOG_FORMAT" in os.environ or not supervisor.colour else {"LOG_FORMAT": "tint"}

        def start_server() -> None:
            supervisor.start("server", [BINARY], SERVER_END_S, {**addresses.for_server(data, state.path), **tint})

        start_server()
        next_dev = ["--filter", "./apps/web", "exec", "next", "dev", "--hostname", addresses.web_host, "--port", str(addresses.web_port)]
        supervisor.start("web", [PNPM, *next_dev], WEB_END_S, addresses.for_web())
        page = f"http://{reachable(f'{addresses.web_host}:{addresses.web_port}')}/"
        supervisor.wait_until("the page", lambda: answers(page), START_LIMIT_S)
        supervisor.say(f"\n  RL Maze is running with reload:  {addresses.page}\n  Ctrl-C ends it.\n")
        trainings.install()
        seen, looked = newest_change(), time.monotonic()
        while not supervisor.stopping_for:
            supervisor.forward(0.2)
            trainings.look()
            if child := supervisor.ended():
                supervisor.drain()
                supervisor.say(f"  {child.name} ended with {describe(child.process.returncode)}")
                if child.name == "web":
                    return 1
                supervisor.children.remove(child)
            if time.monotonic() - looked < LOOK_EVERY_S:
                continue
            now, looked = newest_change(), time.monotonic()
            if now == seen:
                continue
            seen = now
            if build(supervisor):
                for child in [child for child in supervisor.children if child.name == "server"]:
                    child.signal(signal.SIGTERM)
                    try:
                        child.process.wait(SERVER_END_S)
                    except subprocess.TimeoutExpired:
                        child.signal(signal.SIGKILL)
                        child.process.wait()
                    supervisor.drain()
                    supervisor.children.remove(child)
                start_server()
        status = 0
    except CannotStart as error:
        supervisor.say(f"\n{error}")
    finally:
        supervisor.stop()
        state.remove()
    return status


if __name__ == "__main__":
    sys.exit(main())
