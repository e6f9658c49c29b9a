"""Resolves requirements/*.lock again. The locks hold versions and hashes, and no address: a clone installs from whatever index its machine uses."""

from __future__ import annotations

import sys

import machine
from bootstrap import REQUIREMENTS, pip_index, uv_step
from machine import ROOT, UV
from progress import Failed, Step, run_chains

LOCKS: dict[str, list[str]] = {
    "installer": ["requirements/installer.in"],
    "light": ["--no-deps", "requirements/light.in"],
    "tools": ["requirements/tools.in"],
    "train": ["ml/pyproject.toml", "--group", "ml/pyproject.toml:dev", "trainer/pyproject.toml", "--group", "trainer/pyproject.toml:dev"],
    # Constrained by train.lock, so after it.
    "bench": ["requirements/bench.in"],
    "sweep": ["requirements/sweep.in"],
    "notebooks": ["requirements/notebooks.in"],
    "mlflow": ["requirements/mlflow.in"],
}


def compile_all(step: Step) -> None:
    index = pip_index()
    for name, sources in LOCKS.items():
        step.run(
            [
                UV,
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--python-version",
                "3.11",
                "--generate-hashes",
                "--no-emit-index-url",
                "--no-annotate",
                "--custom-compile-command",
                "make lock",
                *sources,
                "--output-file",
                REQUIREMENTS / f"{name}.lock",
            ],
            cwd=ROOT,
            variables=index,
        )


if __name__ == "__main__":
    try:
        machine.check()
        run_chains([uv_step(), Step("the Python locks", compile_all)])
    except (Failed, machine.Missing) as error:
        sys.exit(f"\n{error}")
