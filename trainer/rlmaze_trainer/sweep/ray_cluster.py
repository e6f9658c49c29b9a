"""Processes of trials on Ray: on the cores of this machine, or on a cluster. The only module that imports Ray.

An actor (`ray_machine`) holds one core (or one GPU) for each trial. It unpacks the run folder on its machine, runs the process of the run
there, and streams what the process writes back as it comes; at the end the folder travels back. The sweep stays the only writer of its
run folders. An actor ends with the program that made it, and its end closes the standard input of its process, which ends the process:
nothing is left.

Machines of a cluster need this repository's environment; the modules that this program found are looked for under the same paths there.
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from rlmaze_trainer.run_folder import RunFolder
from rlmaze_trainer.sweep import ray_machine
from rlmaze_trainer.sweep.processes import RUN_PROCESS, ProcessLost, TrialProcess, process_environment
from rlmaze_trainer.sweep.ray_machine import pack, unpack

LOCAL = "ray"
_NO_RAY = (
    "Ray is not installed: it is an optional part of the trainer. Install it with "
    "`python3 scripts/bootstrap.py sweep` (requirements/sweep.lock), or leave out --on ray."
)
_ATTEMPTS = 5
_CLOSE_LIMIT_S = 20.0


class NoRay(Exception):
    """Ray can't be used; the message says what to do."""


class _RayProcess:
    """The near end: see `TrialProcess`."""

    def __init__(self, ray: Any, actor: Any, folder: RunFolder) -> None:
        self._ray = ray
        self._actor = actor
        self._folder = folder

    async def output(self) -> AsyncIterator[bytes]:
        try:
            async for reference in self._actor.output.remote():
                yield await reference
        except self._ray.exceptions.RayError as error:
            raise ProcessLost(self._lost(error)) from error

    @staticmethod
    def _lost(error: Exception) -> str:
        words = str(error).strip().splitlines()
        return f"Ray lost the machine of this trial: {words[-1] if words else type(error).__name__}"

    def ask_to_stop(self) -> None:
        self._actor.ask_to_stop.remote()

    def kill(self) -> None:
        self._actor.kill.remote()

    async def end(self) -> int:
        try:
            status, packed = await self._actor.end.remote()
        except self._ray.exceptions.RayError as error:
            raise ProcessLost(self._lost(error)) from error
        finally:
            self._ray.kill(self._actor)
        with tempfile.TemporaryDirectory(prefix="rlmaze-trial-", dir=self._folder.path) as place:
            await asyncio.to_thread(unpack, packed, Path(place))
            self._take(Path(place))
        return int(status)

    def _take(self, place: Path) -> None:
        """Takes what the process writes, and nothing that the sweep writes itself."""
        for part in (self._folder.checkpoints, self._folder.model):
            came = place / part.name
            for file in sorted(path for path in came.rglob("*") if path.is_file()) if came.is_dir() else ():
                kept = part / file.relative_to(came)
                kept.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, kept)
        came = place / self._folder.process_log.name
        if came.is_file():
            os.replace(came, self._folder.process_log)


class RayCluster:
    """Processes on Ray, one actor each.

    Args:
        address: Empty starts Ray on this machine; else the address of a cluster (`auto`, `host:6379`, `ray://host:10001`).
        slots: How many trials at a time; None: as many as the cluster has cores, or GPUs.
        gpu: Whether a trial needs a GPU.
        command: Python and the program that runs one folder; each machine puts its own Python. Tests put another program.

    Raises:
        NoRay: It is not installed, or there is no cluster at the address.
    """

    def __init__(self, address: str, slots: int | None, gpu: bool, command: Sequence[str] = RUN_PROCESS) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        # Ray would start what it runs with niceness 15, behind everything else on this machine.
        os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            import ray
        except ImportError as error:
            raise NoRay(_NO_RAY) from error
        self._ray: Any = ray
        self._ray.cloudpickle.register_pickle_by_value(ray_machine)
        self._gpu = gpu
        self._command = tuple(command)
        given: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address:
            given["address"] = address
        else:
            given["include_dashboard"] = False
            if slots is not None:
                given["num_cpus"] = slots
        self._begin(given, address)
        found = int(self._ray.cluster_resources().get("GPU" if gpu else "CPU", 0))
        if found == 0:
            self._ray.shutdown()
            raise NoRay(f"the Ray cluster has no {'GPU' if gpu else 'CPU'}")
        self.address: str = self._ray.get_runtime_context().gcs_address
        self.slots = found if slots is None else min(slots, found)

    def _begin(self, given: dict[str, Any], address: str) -> None:
        """Connects, or starts Ray here: it gives itself 30 seconds, which a busy machine may need more than once."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._ray.init(**given)
            except Exception as error:  # Ray raises plain ones, too
                self._ray.shutdown()
                if address or attempt == _ATTEMPTS:
                    raise NoRay(f"Ray does not start{f' with the cluster {address}' if address else ''}: {error}") from error
            else:
                return

    async def start(self, folder: RunFolder, learn_only: bool) -> TrialProcess:
        """See `Executor`."""
        # Threads of the actor: one streams the output and then waits for the end, the others ask for a stop and kill meanwhile.
        options = {"num_cpus": 0 if self._gpu else 1, "num_gpus": 1 if self._gpu else 0, "max_concurrency": 3, "max_restarts": 0}
        machine = self._ray.remote(**options)(ray_machine.Machine)
        flags = ["--learn-only"] if learn_only else []
        kept = ("PYTHONPATH", "PYTHONUNBUFFERED", "OMP_NUM_THREADS")
        variables = {name: value for name, value in process_environment().items() if name in kept}
        packed = await asyncio.to_thread(pack, folder.path)
        return _RayProcess(self._ray, machine.remote(folder.path.name, packed, self._command[1:], flags, variables), folder)

    async def close(self) -> None:
        """Ends the actors, and Ray where it was started here."""
        await asyncio.wait_for(asyncio.to_thread(self._ray.shutdown), _CLOSE_LIMIT_S)
