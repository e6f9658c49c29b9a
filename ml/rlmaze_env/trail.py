"""The table of trail values (law §5). It was computed once; everybody loads the file."""

import math
from functools import cache
from pathlib import Path

import numpy as np

from rlmaze_env.arrays import F32Array
from rlmaze_env.rules import OLDEST_AGE

CONFORMANCE_FOLDER = Path(__file__).resolve().parent.parent / "conformance"
TRAIL_FILE = CONFORMANCE_FOLDER / "trail_ages.f32"


def compute_trail_ages() -> F32Array:
    """Computes the table: (10001,) float32 from −0.8 to −0.2. Only the writer of the conformance files calls this."""
    whole = math.log(OLDEST_AGE + 1)
    return np.array([-0.8 + 0.6 * math.log(1 + age) / whole for age in range(OLDEST_AGE + 1)], dtype="<f4")


@cache
def trail_ages() -> F32Array:
    """Loads the table. The result is shared and read-only."""
    table = np.fromfile(TRAIL_FILE, dtype="<f4")
    if table.shape != (OLDEST_AGE + 1,):
        raise ValueError(f"{TRAIL_FILE.name} must hold {OLDEST_AGE + 1} float32, got {table.shape[0]}")
    table.flags.writeable = False
    return table
