"""The trainer, with runs that `tests/actor.py` plays in place of PyTorch: where learning is not the subject, it saves seconds."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "trainer"), str(ROOT / "ml"), str(ROOT / "gen" / "python")]

from rlmaze_trainer.app import serve
from rlmaze_trainer.settings import Settings

serve(Settings(trainer_warm=False), (sys.executable, str(ROOT / "trainer" / "tests" / "actor.py")))
