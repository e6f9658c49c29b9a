"""Starts the MLflow tracking server of RL Maze: `make run`, compose.yaml and the tests all start it with this program.

    python ml/experiments/start_mlflow.py

| variable                 | meaning                                                                        | default        |
|--------------------------|--------------------------------------------------------------------------------|----------------|
| MLFLOW_DATABASE_URL      | PostgreSQL database of MLflow's own: postgresql://user:password@host:5432/name   |                |
| MLFLOW_DATABASE_URL_FILE | a file that holds it, when the variable is empty; it is waited for               |                |
| MLFLOW_ARTIFACTS_DIR     | folder of the artifacts                                                        | .data/mlflow   |
| MLFLOW_ADDR              | where it listens; beyond loopback set MLFLOW_ALLOWED_HOSTS and a wall around it  | 127.0.0.1:5000 |
| MLFLOW_ALLOWED_HOSTS     | names under which it may be asked, beside loopback, separated by commas          |                |

MLflow has no users of its own here: whoever reaches it may read and change all experiments. So it listens on loopback, or on a network
that only server and trainer are in, and it checks the Host of every request.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

FILE_PATIENCE_S = 120.0  # the server makes its databases first

SETTINGS = {
    # One process of 0.3 GB. A second one would serve no one: trainer and server are its only clients, and both send batches.
    "MLFLOW_WORKERS": "1",
    # Jobs of large language models, with processes and a queue of their own.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # It looks for git to tag runs that it starts itself; it starts none.
    "GIT_PYTHON_REFRESH": "quiet",
    # Clients send artifacts to the server, so that only it needs the folder.
    "MLFLOW_SERVE_ARTIFACTS": "true",
    # No line for each request: the server and the trainer log their own calls.
    "MLFLOW_UVICORN_OPTS": "--log-level warning --no-access-log --timeout-graceful-shutdown 2 --timeout-keep-alive 65",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # PostgreSQL serves the registry and the episode log as well.
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "5",
    "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "5",
}


class SettingError(Exception):
    """A setting is wrong or missing; the text names it."""


def database_url() -> str:
    """The address of the database, in the spelling of MLflow's driver. Waits for the file, when one is named."""
    text = os.environ.get("MLFLOW_DATABASE_URL", "").strip()
    if not text:
        named = os.environ.get("MLFLOW_DATABASE_URL_FILE", "")
        if not named:
            raise SettingError("set MLFLOW_DATABASE_URL, or MLFLOW_DATABASE_URL_FILE to a file that holds it")
        text = wait_for(Path(named))
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg2"):
        raise SettingError("MLFLOW_DATABASE_URL must start with postgresql:// (its value is not shown: it may hold a password)")
    return f"postgresql+psycopg2://{rest}"


def wait_for(file: Path) -> str:
    """The content of a file that another program is about to write."""
    deadline = time.monotonic() + FILE_PATIENCE_S
    while True:
        try:
            if text := file.read_text().strip():
                return text
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SettingError(f"MLFLOW_DATABASE_URL_FILE: {file} was not written within {FILE_PATIENCE_S:.0f} s")
        time.sleep(0.1)


def listen_address() -> tuple[str, int]:
    """Host and port."""
    text = os.environ.get("MLFLOW_ADDR") or "127.0.0.1:5000"
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise SettingError(f"MLFLOW_ADDR={text!r} is not an address like 127.0.0.1:5000")
    return host.strip("[]") or "0.0.0.0", int(port)


def allowed_hosts(port: int) -> str:
    """The Host headers that are answered: loopback, and what the environment adds, each with and without the port."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    names += [name.strip() for name in os.environ.get("MLFLOW_ALLOWED_HOSTS", "").split(",") if name.strip()]
    return ",".join(spelling for name in names for spelling in (name, f"{name}:{port}"))


def create_missing_database(url: str) -> None:
    """Makes the database when the PostgreSQL is there and the database is not, as with one whose volume is older than MLflow's part."""
    import psycopg2
    from psycopg2 import errorcodes, sql

    plain = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    name = urlsplit(plain).path.strip("/")
    try:
        psycopg2.connect(plain, connect_timeout=5).close()
        return
    except psycopg2.OperationalError as error:
        if error.pgcode != errorcodes.INVALID_CATALOG_NAME and f'database "{name}" does not exist' not in str(error):
            return  # MLflow waits for a database that is away, and says so
    connection = psycopg2.connect(urlsplit(plain)._replace(path="/postgres").geturl(), connect_timeout=5)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    finally:
        connection.close()


def migrate_older_database() -> None:
    """Brings the tables of an older MLflow up to date: the server would refuse them. Those of an empty database it makes itself."""
    from mlflow.store.db import utils

    engine = utils.create_sqlalchemy_engine_with_retry(os.environ["MLFLOW_BACKEND_STORE_URI"])
    if not utils._is_empty_database(engine) and utils._get_schema_version(engine) != utils._get_latest_schema_revision():
        print("MLflow's tables are of an older version and are migrated", flush=True)
        utils._upgrade_db(engine)
    engine.dispose()


def serve_here(command: list[str], extra_env: dict[str, str] | None = None, **_: Any) -> NoReturn:
    """Takes the place of MLflow's own way to start its web server: a second interpreter, for which the first one only waits.

    That saves 0.2 GB and half of the CPU of a start. And a signal reaches the web server itself, so that nothing is left when whoever
    started this is killed. command is [python, "-m", "uvicorn", …].
    """
    from uvicorn.main import main as uvicorn

    os.environ.update(extra_env or {})
    uvicorn.main(args=command[command.index("uvicorn") + 1 :], prog_name="uvicorn", standalone_mode=False)
    sys.exit(0)


def main() -> int:
    """Starts the server in the place of this process; returns only a status of failure."""
    try:
        url = database_url()
        host, port = listen_address()
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    artifacts = Path(os.environ.get("MLFLOW_ARTIFACTS_DIR") or ".data/mlflow").absolute()
    artifacts.mkdir(parents=True, exist_ok=True)
    os.environ.update({name: value for name, value in SETTINGS.items() if name not in os.environ})
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # that of clients; the server would talk to itself
    # By the environment, so that no list of processes shows a password.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = os.environ["MLFLOW_REGISTRY_STORE_URI"] = url
    warnings.filterwarnings("ignore", category=Warning, module="mlflow")  # about what MLflow itself imports
    create_missing_database(url)

    # Late, because importing MLflow takes seconds.
    import mlflow.server
    from mlflow.cli import cli

    migrate_older_database()
    mlflow.server._exec_cmd = serve_here
    where = ["--host", host, "--port", str(port), "--artifacts-destination", artifacts.as_uri()]
    cli(["server", *where, "--allowed-hosts", allowed_hosts(port)], standalone_mode=False)
    return 1  # serve_here never returns


if __name__ == "__main__":
    sys.exit(main())
