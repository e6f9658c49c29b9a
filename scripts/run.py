"""Starts the whole product and ends it again: `make run`.

Builds what has changed, starts the server (with its embedded stores unless DATABASE_URL and MONGODB_URI name others) and the web
application, waits until both answer, prints the address of the page and forwards the logs. Then, beside the running page, the environment
of the trainings is installed when it is missing, and the trainer and MLflow are started. Ctrl-C, SIGTERM and a terminal that goes away
end everything that was started; nothing is left behind, not even after a kill -9 of this process.

Variables: PORT and WEB_HOST (page, 3000 on 127.0.0.1), RLMAZE_ADDR (streams and reads, 127.0.0.1:8080), RLMAZE_PRIVATE_ADDR (changes,
127.0.0.1:8081), TRAINER_ADDR (127.0.0.1:8090), MLFLOW_ADDR (127.0.0.1:5000), DATA_DIR (.data). A port that is held is replaced by the
next free one, unless its variable was set: then that is an error. RLMAZE_TRAINING=0 leaves trainer and MLflow out; TRAINER_URL and
MLFLOW_TRACKING_URI name others that run elsewhere. All other variables reach the programs as they are; see the .env.example of each.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

import machine
from addresses import Addresses, answers, pick_addresses, reachable
from build import ensure_built
from machine import ROOT, SERVER_BINARY, STANDALONE
from progress import Failed
from setup_state import SetupState
from supervisor import PR_SET_PDEATHSIG, CannotStart, Supervisor, prctl
from training_services import TrainingServices, wanted_services

START_LIMIT_S = 90.0  # the first start creates the databases; seconds on a quiet machine
SERVER_END_S = 20.0  # the server gives its streams 15 s to end
WEB_END_S = 5.0


def hold_data_folder(folder: Path) -> IO[str]:
    """Locks the data folder for as long as this process lives. Raises CannotStart when another one has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / "run.lock", "a+")  # noqa: SIM115, it is held until the process ends
    except OSError as error:
        raise CannotStart(f"DATA_DIR: can't write to {folder}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        try:
            other = json.loads(lock.read())
            who = f"process {other['pid']}, page {other['page']}"
        except (ValueError, KeyError):
            who = "just starting"
        raise CannotStart(
            f"RL Maze runs already on {folder} ({who}). End it first, or start a second one on its own data: make run DATA_DIR=/another/folder"
        ) from None
    return lock


def name_holder(lock: IO[str], addresses: Addresses) -> None:
    """Writes into the lock who holds it, for the message of a second start."""
    lock.truncate(0)
    lock.write(json.dumps({"pid": os.getpid(), "page": addresses.page}))
    lock.flush()


def main() -> int:
    if "--with-parent" in sys.argv:  # make asks for it: a make that is killed takes us along
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    data = Path(os.environ.get("DATA_DIR") or ROOT / ".data").expanduser().absolute()
    began = time.monotonic()
    try:
        lock = hold_data_folder(data)
        ensure_built()
    except (Failed, machine.Missing, CannotStart) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the next run goes on from here")
        return 130
    supervisor = Supervisor()
    state = SetupState(data / "setup.json")
    status = 1
    try:
        addresses = pick_addresses(supervisor.say)
        name_holder(lock, addresses)
        trainings = TrainingServices(supervisor, state, wanted_services(addresses, data))
        tint = {} if "LOG_FORMAT" in os.environ or not supervisor.colour else {"LOG_FORMAT": "tint"}
        supervisor.start("server", [SERVER_BINARY], SERVER_END_S, {**addresses.for_server(data, state.path), **tint})
        supervisor.start("web", ["node", STANDALONE / "apps" / "web" / "server.js"], WEB_END_S, addresses.for_web())
        health = f"http://{reachable(addresses.public)}/health"
        page = f"http://{reachable(f'{addresses.web_host}:{addresses.web_port}')}/"
        supervisor.wait_until("the server", lambda: answers(health), START_LIMIT_S)
        supervisor.wait_until("the page", lambda: answers(page), START_LIMIT_S)
        if not supervisor.stopping_for:
            supervisor.say(
                f"\n  RL Maze is running:  {addresses.page}\n"
                f"  API for curl:        http://{reachable(addresses.public)}   (started in {time.monotonic() - began:.1f} s, data in {data})\n"
                "  Ctrl-C ends it.\n"
            )
            trainings.install()
            status = supervisor.run(trainings.look)
        else:
            status = 0
    except CannotStart as error:
        supervisor.say(f"\n{error}")
    finally:
        supervisor.stop()
        state.remove()
    return status


if __name__ == "__main__":
    sys.exit(main())
