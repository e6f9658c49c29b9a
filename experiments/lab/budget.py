"""How much a run may cost: `RLMAZE_NOTEBOOK_BUDGET=small` makes seconds of minutes, for the tests."""

import importlib.metadata
import os
import platform
import time
from typing import Literal, TypeVar

import torch

from lab.figures import say, use_colours

Budget = Literal["full", "small"]
T = TypeVar("T")


def budget() -> Budget:
    """Reads the budget from the environment; full when nothing is said.

    Raises:
        ValueError: Another word than small or full.
    """
    said = os.environ.get("RLMAZE_NOTEBOOK_BUDGET", "full")
    if said == "small":
        return "small"
    if said == "full":
        return "full"
    raise ValueError(f"RLMAZE_NOTEBOOK_BUDGET must be small or full, got {said!r}")


def by_budget(*, full: T, small: T) -> T:
    """Returns the value for this run's budget."""
    return full if budget() == "full" else small


def begin(seed: int, *packages: str) -> None:
    """Begins a notebook: the colours, one thread, and a line that says with what it was run.

    Args:
        seed: From which everything random in the notebook follows.
        packages: Distributions whose version matters here.
    """
    # Gymnasium's drawings are made in memory: pygame shall open no window and greet nobody.
    for name, value in {
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        "SDL_VIDEODRIVER": "dummy",
        "SDL_AUDIODRIVER": "dummy",
    }.items():
        os.environ.setdefault(name, value)
    torch.set_num_threads(1)  # such small networks are faster on one thread
    torch.manual_seed(seed)
    use_colours()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    little = "" if budget() == "full" else " **The small budget shows that every cell runs; its figures mean nothing.**"
    say(f"Run with the {budget()} budget and seed {seed}, on Python {platform.python_version()}, {versions}.{little}")


def cpu_seconds() -> float:
    """CPU time of this process in seconds: how long others kept the machine busy is not in it."""
    return time.process_time()
