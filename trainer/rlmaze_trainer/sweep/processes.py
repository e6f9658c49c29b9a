"""Where the processes of trials run. This machine here; another machine in `ray_cluster`."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from rlmaze_trainer.run_folder import RunFolder

RUN_PROCESS = (sys.executable, "-m", "rlmaze_trainer.run_process")


class TrialProcess(Protocol):
    """The process of one trial, wherever it runs. Its stream is that of `run_process`."""

    def output(self) -> AsyncIterator[bytes]:
        """Yields what it writes to its standard output, until it ends or is lost."""
        ...

    def ask_to_stop(self) -> None:
        """Asks for an end after the last step."""
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...

    async def end(self) -> int:
        """Waits for its end, brings what it wrote into the run folder, and returns its exit status; below 0 is a signal.

        Raises:
            ProcessLost: Nobody knows how it ended.
        """
        ...


class ProcessLost(Exception):
    """The machine that a process ran on is gone; the message says what is known."""


class Executor(Protocol):
    """Starts the processes of trials, so many at a time."""

    slots: int

    async def start(self, folder: RunFolder, learn_only: bool) -> TrialProcess:
        """Starts the process of a run folder.

        Raises:
            OSError: It can't be started.
        """
        ...

    async def close(self) -> None:
        """Gives everything back; no process is left."""
        ...


def process_environment() -> dict[str, str]:
    """The variables of a run process: it finds the modules that this one found, and uses one thread."""
    path = os.pathsep.join(path for path in sys.path if path)
    return os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


class LocalProcess:
    """A process on this machine. Its standard input is its lead: it ends when the sweep does, however that happens."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def output(self) -> AsyncIterator[bytes]:
        """See `TrialProcess`."""
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(1 << 18):
            yield chunk

    def ask_to_stop(self) -> None:
        """See `TrialProcess`."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(b"stop\n")

    def kill(self) -> None:
        """See `TrialProcess`."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> int:
        """See `TrialProcess`."""
        return await self._process.wait()


class LocalPool:
    """Processes on the cores of this machine, each spawned anew, with one thread.

    Args:
        slots: How many run at a time.
        command: The program that runs one folder; tests put another one.
    """

    def __init__(self, slots: int, command: Sequence[str] = RUN_PROCESS) -> None:
        self.slots = slots
        self._command = tuple(command)

    async def start(self, folder: RunFolder, learn_only: bool) -> TrialProcess:
        """See `Executor`."""
        with open(folder.process_log, "ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(folder.path),
                *(["--learn-only"] if learn_only else []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C reaches the sweep alone, which stops its trials in order
                env=process_environment(),
            )
        return LocalProcess(process)

    async def close(self) -> None:
        """Nothing is kept between trials."""
