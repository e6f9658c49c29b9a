"""go_onnx_validation is a module of its own that passes its checks, and the root module does not see it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab import EXPERIMENTS, ROOT

MODULE = EXPERIMENTS / "go_onnx_validation"
pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go here")


def go(*arguments: str, folder: Path = MODULE) -> str:
    """Runs go; returns what it printed, and fails with what it complained about."""
    variables = {**os.environ, "GOFLAGS": (os.environ.get("GOFLAGS", "") + " -buildvcs=false").strip()}
    answer = subprocess.run(["go", *arguments], cwd=folder, env=variables, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_it_is_formatted() -> None:
    answer = subprocess.run(
        ["gofmt", "-l", *sorted(path.name for path in MODULE.glob("*.go"))], cwd=MODULE, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stdout) == (0, "")


def test_it_passes_vet() -> None:
    go("vet", "./...")


def test_it_passes_its_own_tests() -> None:
    go("test", "-count=1", "./...")


def test_it_needs_nothing_but_the_bridge_to_onnx_runtime_at_the_version_of_the_server() -> None:
    ours = go("list", "-m", "-f", "{{if not .Main}}{{.Path}} {{.Version}}{{end}}", "all").split("\n")
    needed = [line for line in ours if line]
    assert len(needed) == 1
    assert needed[0] in (ROOT / "go.mod").read_text()


def test_the_root_module_does_not_see_it() -> None:
    assert "experiments" not in go("list", "./...", folder=ROOT)
