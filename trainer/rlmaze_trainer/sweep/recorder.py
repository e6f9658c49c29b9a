"""Writes the trials of a sweep to MLflow while they run: each is a run of the experiment `sweep-<name>`. The trainer's follower does it."""

import asyncio
import contextlib
import logging
from pathlib import Path

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingProgress
from rlmaze_trainer.event_log import EventLog
from rlmaze_trainer.mlflow_client import MLflowClient
from rlmaze_trainer.mlflow_entries import STATUS
from rlmaze_trainer.mlflow_follower import Follower, read_place
from rlmaze_trainer.run_folder import stored_runs
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.sweep.trial import TRIAL_FILE, Checkpoint, TrialFacts
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1
_REST_LIMIT_S = 20.0  # what a killed sweep left must stand in MLflow within 30 s


def is_written(run: TrainingRun) -> bool:
    """Whether MLflow has all of a run, its end included, or will never take it."""
    place = read_place(run)
    return bool(place.refused) or (place.sequence >= run.log.last_sequence and place.status == STATUS.get(run.state))


class Recorder:
    """Keeps MLflow up to date with the trials of one sweep.

    It is a `Watcher` of the conductor, and keeps the log of a trial open until MLflow has all of it.
    """

    def __init__(self, address: str) -> None:
        self._runs: list[TrainingRun] = []
        self._released: set[str] = set()
        self._follower = Follower(lambda: list(self._runs), MLflowClient(address))

    def open(self, folder: Path) -> None:
        """Starts, first with what earlier starts of the sweep did not get written."""
        for facts, where in stored_runs(folder):
            if not (where.path / TRIAL_FILE).is_file():
                continue
            run = TrainingRun(facts, where, EventLog.open(where.events))
            if is_written(run):
                run.log.close()
            else:
                self._runs.append(run)
                self._released.add(run.run_id)
        self._follower.open()

    def began(self, run: TrainingRun, _: TrialFacts) -> None:
        """Follows a trial from now on."""
        self._runs.append(run)

    def progressed(self, run: TrainingRun, progress: TrainingProgress) -> None:
        """The follower reads it from the log."""

    def validated(self, run: TrainingRun, checkpoint: Checkpoint) -> None:
        """The follower reads it from the log."""

    def ended(self, run: TrainingRun, facts: TrialFacts) -> None:
        """The follower reads it from the log."""

    def release(self, run: TrainingRun) -> None:
        """Nobody else writes to the trial any more."""
        self._released.add(run.run_id)
        self._drop_written()

    def _drop_written(self) -> None:
        for run in list(self._runs):
            if run.run_id in self._released and is_written(run):
                self._runs.remove(run)
                run.log.close()

    async def drain(self, limit_s: float) -> bool:
        """Waits until MLflow has everything; returns False when it has not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while True:
                    self._drop_written()
                    if not self._runs:
                        return True
                    await asyncio.sleep(_LOOK_EVERY_S)
        return False

    async def close(self) -> None:
        """Ends following; what is not written yet is written by the next start of the sweep."""
        await self._follower.close()
        for run in self._runs:
            run.log.close()
        self._runs.clear()


async def record_the_rest(folder: Path) -> None:
    """Writes what a sweep left to MLflow, if there is one and it answers."""
    address = Settings().mlflow_tracking_uri
    if not address:
        return
    recorder = Recorder(address)
    recorder.open(folder)
    if not await recorder.drain(_REST_LIMIT_S):
        log.warning("MLflow does not have all of the sweep in %s yet", folder)
    await recorder.close()
