"""What the five notebooks share: budget of a run, look of figures, drawings of the two games, recorded curves.

Nothing here learns or decides: the algorithms stand in the notebooks themselves, the maze in `ml/rlmaze_env`, its
training in `ml/rlmaze_train`.
"""

import importlib.util
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parent.parent
ROOT = EXPERIMENTS.parent

# `make` installs ml/ into .venv; an environment made from requirements.txt alone finds it beside this folder.
if importlib.util.find_spec("rlmaze_env") is None:
    sys.path.insert(0, str(ROOT / "ml"))

from lab.budget import begin, by_budget, cpu_seconds  # noqa: E402 - after the path
from lab.figures import animate, picture, say, show, table  # noqa: E402
from lab.processes import in_processes  # noqa: E402

__all__ = [
    "EXPERIMENTS",
    "ROOT",
    "animate",
    "begin",
    "by_budget",
    "cpu_seconds",
    "in_processes",
    "picture",
    "say",
    "show",
    "table",
]
