"""Settles a sweep that was killed: `python -m rlmaze_trainer.sweep.keeper <sweep folder>`, a child of the sweep.

It waits on its standard input. The line `done` says that the sweep settled everything itself. The end of the input without it says that the
sweep is gone: its processes end by themselves, for the same reason, and this one gives every run that was left RUNNING its final state, in
its folder and in MLflow. It imports nothing large before that.
"""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import TextIO

LOCK = "sweep.lock"
ABANDONED = "The sweep was killed while this trial was learning; the next start of it runs this trial again."
_DONE = b"done"
# The kernel closes what a killed process had open in an order of its own: the lock of one with much to close, as on Ray, outlives its pipe.
_LOCK_LIMIT_S = 10.0


def main() -> int:
    """Waits and settles; returns the exit status."""
    folder = Path(sys.argv[1])
    told = b""
    while chunk := os.read(0, 64):
        told += chunk
    if _DONE in told:
        return 0
    with open(folder / LOCK, "a") as lock:
        if not _locked(lock):
            return 0  # the sweep was started again, and settles what it finds
        import asyncio

        from rlmaze_trainer.sweep.recorder import record_the_rest
        from rlmaze_trainer.sweep.trial import settle_abandoned

        settle_abandoned(folder, ABANDONED)
        asyncio.run(record_the_rest(folder))
    return 0


def _locked(lock: TextIO) -> bool:
    deadline = time.monotonic() + _LOCK_LIMIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
