"""`make run`: ports, the data folder, the services that are optional, and above all that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import addresses
import setup_state
import supervisor
import training_services

STUB = Path(__file__).with_name("stub_product.py")
# What a shell may have set for a product of its own.
OF_THE_PRODUCT = {
    "PORT",
    "CORS_ORIGINS",
    "SERVER_URL",
    "PUBLIC_SERVER_URL",
    "TRAINER_URL",
    "TRAINER_TOKEN",
    "TRAINER_RUNS_DIR",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_DATABASE_URL",
    "MLFLOW_ARTIFACTS_DIR",
    "DATABASE_URL",
    "MONGODB_URI",
}


class Product:
    """One supervisor in a session of its own, with free ports."""

    def __init__(self, data: Path, **variables: str):
        self.mark = f"RLMAZE_TEST_MARK={data}-{time.monotonic_ns()}"
        name, value = self.mark.split("=", 1)
        env = {key: text for key, text in os.environ.items() if key not in OF_THE_PRODUCT}
        env |= {name: value, "DATA_DIR": str(data), "PORT": "0", "RLMAZE_TRAINING": "0"}
        env |= dict.fromkeys(("RLMAZE_ADDR", "RLMAZE_PRIVATE_ADDR", "TRAINER_ADDR", "MLFLOW_ADDR"), "127.0.0.1:0")
        env |= variables
        self.process = subprocess.Popen(
            [sys.executable, str(STUB)],
            env={k: v for k, v in env.items() if v},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def wait_for(self, *texts: str) -> None:
        """Reads until each of the texts was printed, in any order."""
        assert self.process.stdout is not None
        missing = set(texts)
        for line in self.process.stdout:
            self.output += line
            missing = {text for text in missing if text not in line}
            if not missing:
                return
        raise AssertionError(f"{missing} was never printed:\n{self.output}")

    def end(self, number: int = signal.SIGINT) -> int:
        os.kill(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        assert self.process.stdout is not None
        self.output += self.process.stdout.read()
        return self.process.wait(timeout=20)

    def left(self) -> list[str]:
        """Every process that carries this product's mark in its environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_text().replace("\0", " ")[:80])
            except OSError:
                continue
        return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(data: Path, number: int) -> None:
    product = Product(data)
    product.wait_for("RL Maze is running")
    assert len(product.left()) == 3
    assert product.end(number) == 0
    assert product.left() == []
    assert "no process is left" in product.output


def test_a_killed_supervisor_takes_its_children_along(data: Path) -> None:
    product = Product(data)
    product.wait_for("RL Maze is running")
    product.end(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while product.left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert product.left() == []


def test_a_child_that_ignores_the_signal_is_killed(data: Path) -> None:
    product = Product(data, STUB_SERVER="stubborn")
    product.wait_for("RL Maze is running")
    assert product.end() == 0
    assert product.left() == []
    assert "server did not end in time" in product.output


def test_a_grandchild_in_its_own_session_is_ended(data: Path) -> None:
    product = Product(data, STUB_SERVER="orphan")
    product.wait_for("RL Maze is running")
    assert len(product.left()) == 4
    assert product.end() == 0
    assert product.left() == []


def test_a_child_that_dies_is_named_and_ends_the_rest(data: Path) -> None:
    product = Product(data, STUB_SERVER="crash")
    assert product.wait() == 1
    assert "server │ can't open the store" in product.output
    assert "server ended with status 3" in product.output
    assert product.left() == []


def test_a_held_port_is_replaced_unless_it_was_asked_for(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        product = Product(data, PORT=str(port))
        assert product.wait() == 1
        assert f"port {port} on 127.0.0.1, set by PORT for the page, is held by another program" in product.output
        product = Product(data, RLMAZE_ADDR=f"127.0.0.1:{port}")
        assert product.wait() == 1
        assert "set by RLMAZE_ADDR" in product.output


def test_the_default_port_moves_on_and_both_programs_are_told(data: Path) -> None:
    holders = []
    for port in (3000, 8080):
        try:
            holders.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            pass  # somebody holds it already, which serves as well
    try:
        product = Product(data, PORT="", RLMAZE_ADDR="")
        product.wait_for("RL Maze is running")
        assert product.end() == 0
    finally:
        for holder in holders:
            holder.close()
    assert "port 3000 is held by another program: the page takes 30" in product.output
    assert "port 8080 is held by another program: the server takes 80" in product.output
    page = product.output.split("RL Maze is running:")[1].split()[0]
    settings = [line for line in product.output.splitlines() if "settings" in line]
    assert any(f"CORS_ORIGINS=http://127.0.0.1:{page.rpartition(':')[2]},{page}" in line for line in settings)
    public = product.output.split("API for curl:")[1].split()[0]
    assert any(f"PUBLIC_SERVER_URL={public}" in line for line in settings)


def test_a_second_start_on_the_same_data_is_refused_with_the_address_of_the_first(data: Path) -> None:
    first = Product(data)
    first.wait_for("RL Maze is running")
    second = Product(data)
    assert second.wait() == 1
    page = first.output.split("RL Maze is running:")[1].split()[0]
    assert f"RL Maze runs already on {data}" in second.output
    assert page in second.output
    assert first.end() == 0


def test_a_wrong_address_is_named(data: Path) -> None:
    product = Product(data, RLMAZE_ADDR="localhost")
    assert product.wait() == 1
    assert "RLMAZE_ADDR='localhost' is not an address like 127.0.0.1:8080" in product.output


def test_a_free_port_that_somebody_takes_meanwhile_is_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        free = addresses.any_free_port("127.0.0.1")
        chosen = iter([held.getsockname()[1], free])
        monkeypatch.setattr(addresses, "any_free_port", lambda _host: next(chosen))
        assert addresses.Ports(print).pick("the page", "PORT", "127.0.0.1", 0, insisted=True) == free


# --- trainer and MLflow ----------------------------------------------------------------------------------------------------------------


def settings_of(product: Product, name: str) -> dict[str, str]:
    """What a stand-in was told by its environment."""
    line = next(line for line in product.output.splitlines() if line.startswith(f"{name:>7} │ settings"))
    return dict(word.split("=", 1) for word in line.split("settings")[1].split())


def test_trainer_and_mlflow_are_started_after_the_page_and_told_about_each_other(data: Path) -> None:
    product = Product(data, RLMAZE_TRAINING="1")
    product.wait_for("trainings can be started", "MLflow answers")
    assert product.output.index("RL Maze is running") < product.output.index("trainer │")
    assert len(product.left()) == 5
    assert not (data / "setup.json").exists() or json.loads((data / "setup.json").read_text()) == {}
    assert product.end() == 0
    assert product.left() == []
    server, trainer, mlflow = (settings_of(product, name) for name in ("server", "trainer", "mlflow"))
    assert server["SETUP_STATE"] == str(data / "setup.json")
    assert trainer["TRAINER_RUNS_DIR"] == str(data / "trainings")
    assert trainer["SERVER_URL"] == f"http://{server['RLMAZE_PRIVATE_ADDR']}"
    assert trainer["TRAINER_TOKEN"] == server["TRAINER_TOKEN"] != ""
    assert trainer["MLFLOW_TRACKING_URI"] == server["MLFLOW_TRACKING_URI"]
    assert mlflow["MLFLOW_DATABASE_URL_FILE"] == str(data / "mlflow-database-url")
    assert mlflow["MLFLOW_ARTIFACTS_DIR"] == str(data / "mlflow")


def test_trainings_can_be_left_out(data: Path) -> None:
    product = Product(data)
    product.wait_for("RL Maze is running")
    assert len(product.left()) == 3
    assert product.end() == 0
    assert settings_of(product, "server")["TRAINER_URL"] == ""
    assert not (data / "setup.json").exists()


def test_services_that_run_elsewhere_are_not_started_here(data: Path) -> None:
    elsewhere = {"TRAINER_URL": "http://gpu:8090", "MLFLOW_TRACKING_URI": "http://mlflow:5000", "STUB_SETUP": "hang"}
    product = Product(data, RLMAZE_TRAINING="1", **elsewhere)
    product.wait_for("RL Maze is running")
    assert len(product.left()) == 3
    assert product.end() == 0
    server = settings_of(product, "server")
    assert (server["TRAINER_URL"], server["MLFLOW_TRACKING_URI"]) == ("http://gpu:8090", "http://mlflow:5000")
    assert "are installed now" not in product.output


def test_mlflow_needs_a_database_when_the_stores_are_elsewhere(data: Path) -> None:
    stores = {"DATABASE_URL": "postgres://db/rlmaze", "MONGODB_URI": "mongodb://db/rlmaze"}
    product = Product(data, RLMAZE_TRAINING="1", **stores)
    product.wait_for("trainings can be started")
    assert product.end() == 0
    assert "MLflow is left out: it needs a database of its own" in product.output
    assert "mlflow │" not in product.output


def test_the_installation_is_told_on_the_page_and_then_the_services_start(data: Path) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_SETUP="succeed")
    product.wait_for("trainings can be started")
    assert product.end() == 0
    words = product.output
    assert (
        words.index("RL Maze is running")
        < words.index("they are installed now")
        < words.index("are installed\n")
        < words.index("trainer │")
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_installation_ends_it_at_once(data: Path, number: int) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_SETUP="hang")
    product.wait_for("they are installed now")
    wait_until(lambda: len(product.left()) == 5)  # server, page, supervisor, installer and what it runs
    state = json.loads((data / "setup.json").read_text())
    assert set(state) == {"trainer", "mlflow"}
    wait_until(lambda: "41 of 130 packages" in (data / "setup.json").read_text())
    assert json.loads((data / "setup.json").read_text())["trainer"]["progress"] == 0.41
    assert product.end(number) == 0
    assert product.left() == []
    assert not (data / "setup.json").exists()


def test_a_supervisor_that_is_killed_takes_the_installation_along(data: Path) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_SETUP="hang")
    product.wait_for("they are installed now")
    wait_until(lambda: len(product.left()) == 5)
    product.end(signal.SIGKILL)
    wait_until(lambda: product.left() == [])


@pytest.mark.parametrize(
    ("behaviour", "words"), [("full", "Trainings can't be prepared: the disk is full."), ("fail", "the installation ended with status 1.")]
)
def test_an_installation_that_fails_is_told_and_the_product_goes_on(data: Path, behaviour: str, words: str) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_SETUP=behaviour)
    product.wait_for("the next start tries again")
    assert words in product.output
    entry = json.loads((data / "setup.json").read_text())["trainer"]
    assert words in entry["message"]
    assert entry["failed"]
    assert len(product.left()) == 3
    assert product.end() == 0
    assert product.left() == []


def test_a_service_that_ends_is_started_again_and_the_product_goes_on(data: Path) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_TRAINER="crash-once")
    product.wait_for("trainings can be started")
    assert "The trainer ended with status 3 and is started again in" in product.output
    assert product.end() == 0
    assert product.left() == []


def test_a_service_that_keeps_ending_is_started_again_more_and_more_rarely(data: Path) -> None:
    product = Product(data, RLMAZE_TRAINING="1", STUB_TRAINER="crash")
    for _ in range(3):
        product.wait_for("The trainer ended with status 3")
    assert product.end() == 0
    assert product.left() == []


def test_the_pause_before_a_restart_doubles_up_to_a_limit(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(supervisor.Supervisor, "__init__", lambda _self: None)
    boss = supervisor.Supervisor()
    monkeypatch.setattr(boss, "say", lambda _text: None, raising=False)
    data.mkdir()
    service = training_services.Service("trainer", "The trainer", [], {}, "http://nowhere", 1.0)
    services = training_services.TrainingServices(boss, setup_state.SetupState(data / "setup.json"), [service])
    pauses = []
    for _ in range(8):
        services._wait(service, now, "The trainer ended")
        pauses.append(service.start_at - now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    state = json.loads((data / "setup.json").read_text())
    assert state == {"trainer": {"message": "The trainer ended and is started again in 60 s"}}


def wait_until(reached: Callable[[], bool]) -> None:
    """Polls a state of another process; the limit is a safety net."""
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, "never reached"
        time.sleep(0.02)
