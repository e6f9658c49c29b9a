"""The far end of a trial on Ray. It is sent to the machines whole, and imports nothing but Python's own library, so that they find it."""

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


def pack(folder: Path) -> bytes:
    """Puts a folder into an archive."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        archive.add(folder, arcname=".")
    return raw.getvalue()


def unpack(raw: bytes, folder: Path) -> None:
    """Takes a folder out of an archive."""
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        archive.extractall(folder, filter="data")


class Machine:
    """Runs the process of one trial on the machine that Ray chose. One thread reads, others ask for an end.

    Args:
        run_id: Name of the run's folder.
        packed: The folder, as an archive.
        program: Python's arguments that run one folder, which follows them.
        flags: What follows the folder.
        variables: Added to the environment.
    """

    def __init__(self, run_id: str, packed: bytes, program: Sequence[str], flags: Sequence[str], variables: dict[str, str]) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="rlmaze-trial-")
        self._folder = Path(self._place.name) / run_id
        unpack(packed, self._folder)
        with open(self._folder / "process.log", "ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *program, str(self._folder), *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | variables,
            )

    def output(self) -> Iterator[bytes]:
        """Yields what the process writes, as it comes."""
        assert self._process.stdout is not None
        while chunk := os.read(self._process.stdout.fileno(), 1 << 18):
            yield chunk

    def ask_to_stop(self) -> None:
        """Asks the process for an end after its last step."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"stop\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    def end(self) -> tuple[int, bytes]:
        """Waits for the end of the process; returns its exit status and what it left in the folder."""
        status = self._process.wait()
        packed = pack(self._folder)
        self._place.cleanup()
        return status, packed
