"""Where everything listens: ports are picked before anything is started, so that every program can be told about the others."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine import ROOT
from supervisor import CannotStart

DEFAULT_PORTS = {3000, 8080, 8081, 8090, 5000}
LOOPBACK_NAMES = "127.0.0.1,localhost,::1"


def is_free(host: str, port: int) -> bool:
    """Whether a listener can be opened on this address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise CannotStart(f"can't listen on {host}:{port}: {error.strerror}") from None
    return True


def any_free_port(host: str) -> int:
    """A port that the system chooses."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Ports:
    """Picks the ports: the wanted one, or the next free one when it is held and nobody insisted."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.taken: set[int] = set()
        self.say = say

    def pick(self, what: str, variable: str, host: str, wanted: int, insisted: bool) -> int:
        if not 0 <= wanted <= 65535:
            raise CannotStart(f"{variable}: port {wanted} is not between 0 and 65535")
        if insisted and wanted and not is_free(host, wanted):
            raise CannotStart(
                f"port {wanted} on {host}, set by {variable} for {what}, is held by another program: end that, or set another {variable}"
            )
        port = wanted or any_free_port(host)
        while port in self.taken or not is_free(host, port):
            if not wanted:  # somebody was quicker
                port = any_free_port(host)
                continue
            port += 1
            while port in DEFAULT_PORTS:  # the others look there first
                port += 1
            if port > min(65535, wanted + 200):
                raise CannotStart(f"no free port for {what} between {wanted} and {port - 1} on {host}; set {variable}")
        if wanted and port != wanted:
            self.say(f"  port {wanted} is held by another program: {what} takes {port} (set {variable} to choose)")
        self.taken.add(port)
        return port

    def listener(self, what: str, variable: str, default: str) -> str:
        """The address, host:port, of the listener that a variable stands for."""
        host, wanted, insisted = address(variable, default)
        port = self.pick(what, variable, host, wanted, insisted)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address(variable: str, default: str) -> tuple[str, int, bool]:
    """Host, port and whether the user set it, of a variable that holds host:port or :port."""
    text = os.environ.get(variable, "")
    host, _, port = (text or default).rpartition(":")
    if not port.isdigit():
        raise CannotStart(f"{variable}={text!r} is not an address like {default}")
    return host.strip("[]"), int(port), bool(text)


def reachable(listen: str) -> str:
    """The address under which a listener is reached from this machine."""
    host, _, port = listen.rpartition(":")
    return f"{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{port}"


def answers(url: str, timeout_s: float = 5.0) -> bool:
    """Whether a page or a health check answers; a degraded server (503) answers too. Blocks for timeout_s at most."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=timeout_s):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@dataclass(frozen=True)
class Addresses:
    """Where everything listens, and what the programs are told about each other.

    trainer and mlflow are empty where they are not started here: the user left them out, or named others by TRAINER_URL and
    MLFLOW_TRACKING_URI.
    """

    web_host: str
    web_port: int
    public: str
    private: str
    page: str
    trainer: str = ""
    mlflow: str = ""
    trainer_token: str = ""

    def mlflow_uri(self) -> str:
        return f"http://{reachable(self.mlflow)}" if self.mlflow else os.environ.get("MLFLOW_TRACKING_URI", "")

    def for_server(self, data: Path, setup_state: Path) -> dict[str, str]:
        origins = {self.page, f"http://127.0.0.1:{self.web_port}", f"http://localhost:{self.web_port}"}
        return {
            "RLMAZE_ADDR": self.public,
            "RLMAZE_PRIVATE_ADDR": self.private,
            "DATA_DIR": str(data),
            "CORS_ORIGINS": os.environ.get("CORS_ORIGINS") or ",".join(sorted(origins)),
            "MODEL_STORE": os.environ.get("MODEL_STORE") or str(ROOT / "ml" / "models"),
            "TRAINER_URL": f"http://{reachable(self.trainer)}" if self.trainer else os.environ.get("TRAINER_URL", ""),
            "TRAINER_TOKEN": self.trainer_token,
            "MLFLOW_TRACKING_URI": self.mlflow_uri(),
            "SETUP_STATE": str(setup_state),
        }

    def for_web(self) -> dict[str, str]:
        return {
            "PORT": str(self.web_port),
            "HOSTNAME": self.web_host,
            "SERVER_URL": os.environ.get("SERVER_URL") or f"http://{reachable(self.private)}",
            "PUBLIC_SERVER_URL": os.environ.get("PUBLIC_SERVER_URL") or f"http://{reachable(self.public)}",
        }

    def for_trainer(self, data: Path) -> dict[str, str]:
        return {
            "TRAINER_ADDR": self.trainer,
            "TRAINER_TOKEN": self.trainer_token,
            "TRAINER_RUNS_DIR": os.environ.get("TRAINER_RUNS_DIR") or str(data / "trainings"),
            "SERVER_URL": os.environ.get("SERVER_URL") or f"http://{reachable(self.private)}",
            "MLFLOW_TRACKING_URI": self.mlflow_uri(),
            "PYTHONPATH": str(ROOT / "gen" / "python"),
            **without_proxy(),
        }

    def for_mlflow(self, data: Path) -> dict[str, str]:
        return {
            "MLFLOW_ADDR": self.mlflow,
            "MLFLOW_DATABASE_URL_FILE": str(data / "mlflow-database-url"),
            "MLFLOW_ARTIFACTS_DIR": os.environ.get("MLFLOW_ARTIFACTS_DIR") or str(data / "mlflow"),
            **without_proxy(),
        }


def without_proxy() -> dict[str, str]:
    """Python's HTTP clients would send calls to this machine through a proxy that the environment names."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    value = f"{named},{LOOPBACK_NAMES}" if named else LOOPBACK_NAMES
    return {"NO_PROXY": value, "no_proxy": value}


def pick_addresses(say: Callable[[str], None]) -> Addresses:
    ports = Ports(say)
    # HOSTNAME is no setting: containers and shells fill it with the machine's name.
    web_host = os.environ.get("WEB_HOST", "127.0.0.1")
    port_text = os.environ.get("PORT", "")
    if port_text and not port_text.isdigit():
        raise CannotStart(f"PORT={port_text!r} is not a number")
    web_port = ports.pick("the page", "PORT", web_host, int(port_text or 3000), bool(port_text))
    public = ports.listener("the server", "RLMAZE_ADDR", "127.0.0.1:8080")
    private = ports.listener("the server's private listener", "RLMAZE_PRIVATE_ADDR", "127.0.0.1:8081")
    trainer = mlflow = ""
    if wants_training():
        if not os.environ.get("TRAINER_URL"):
            trainer = ports.listener("the trainer", "TRAINER_ADDR", "127.0.0.1:8090")
        if os.environ.get("DATABASE_URL") and os.environ.get("MONGODB_URI") and not os.environ.get("MLFLOW_DATABASE_URL"):
            say("  MLflow is left out: it needs a database of its own beside DATABASE_URL, named by MLFLOW_DATABASE_URL")
        elif not os.environ.get("MLFLOW_TRACKING_URI"):
            mlflow = ports.listener("MLflow", "MLFLOW_ADDR", "127.0.0.1:5000")
    # Other users of this machine reach loopback as well; a secret keeps the trainer to the server.
    token = os.environ["TRAINER_TOKEN"] if "TRAINER_TOKEN" in os.environ else secrets.token_hex(16) if trainer else ""
    shown = "localhost" if web_host in ("127.0.0.1", "0.0.0.0", "::", "::1") else web_host
    return Addresses(web_host, web_port, public, private, f"http://{shown}:{web_port}", trainer, mlflow, token)


def wants_training() -> bool:
    """RLMAZE_TRAINING=0 leaves trainer and MLflow out."""
    text = os.environ.get("RLMAZE_TRAINING", "1")
    if text not in ("", "0", "1"):
        raise CannotStart(f"RLMAZE_TRAINING={text!r} is neither 0 nor 1")
    return text != "0"
