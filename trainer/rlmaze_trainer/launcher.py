"""Makes the processes of runs. One that has PyTorch imported and the mazes generated waits for the next run, which then learns at once."""

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import IO

from rlmaze_trainer.run_folder import RunFolder

RUN_PROCESS = (sys.executable, "-m", "rlmaze_trainer.run_process")

log = logging.getLogger(__name__)


class Launcher:
    """Starts one program for one folder, again and again.

    Args:
        command: The program. It takes the folder as its argument, or `--wait` and later the line `run <folder>`.
        keep_warm: Whether a process waits for the next run.
    """

    def __init__(self, command: Sequence[str], keep_warm: bool) -> None:
        self._command = tuple(command)
        self._keep_warm = keep_warm
        self._waiting: Process | None = None
        self._warming: asyncio.Task[None] | None = None

    async def start(self, folder: RunFolder) -> Process:
        """Starts the process of a run: the one that waits, if there is one, even when it is still getting ready."""
        process, self._waiting = self._waiting, None
        if process is not None and process.returncode is None and process.stdin is not None:
            process.stdin.write(f"run {folder.path.resolve()}\n".encode())
            return process
        with open(folder.process_log, "ab") as errors:
            return await self._spawn(str(folder.path), errors)

    def warm_up(self) -> None:
        """Has a process wait for the next run, unless one does."""
        if self._keep_warm and (self._waiting is None or self._waiting.returncode is not None) and self._warming is None:
            self._warming = asyncio.create_task(self._warm_up(), name="warm process")

    async def _warm_up(self) -> None:
        try:
            self._waiting = await self._spawn("--wait", DEVNULL)
        except OSError:
            log.exception("no process can wait for the next run; it will start a little later")
        finally:
            self._warming = None

    async def _spawn(self, argument: str, errors: IO[bytes] | int) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            argument,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            start_new_session=True,
            # The process finds the modules that this one found.
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    async def close(self) -> None:
        """Ends the process that waits."""
        self._keep_warm = False
        if self._warming is not None:
            await self._warming
        if self._waiting is not None:
            with contextlib.suppress(ProcessLookupError):
                self._waiting.kill()
            await self._waiting.wait()
            self._waiting = None
