"""Readings of the GPUs by nvidia-smi, which is asked in a process of its own: a driver that hangs takes nobody with it."""

import asyncio
import contextlib
import csv
import io
import shutil

from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.training.v1.gpu_pb import Gpu, GpuSample, GpuState

_COLUMNS = ("index", "name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw", "power.limit")
_MIB = 1 << 20
_NOT_AVAILABLE = ("", "n/a", "[n/a]", "[not supported]", "[unknown error]", "[insufficient permissions]")


def _number(text: str) -> float | None:
    if text.strip().lower() in _NOT_AVAILABLE:
        return None
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _bytes(text: str) -> int | None:
    number = _number(text)
    return None if number is None else int(number * _MIB)


def parse_table(text: str) -> list[Gpu]:
    """Reads the table that nvidia-smi prints.

    Raises:
        ValueError: It is no such table.
    """
    gpus = []
    for row in csv.reader(io.StringIO(text), skipinitialspace=True):
        if not row:
            continue
        if len(row) != len(_COLUMNS):
            raise ValueError(f"{len(row)} columns instead of {len(_COLUMNS)}")
        utilisation = _number(row[2])
        gpus.append(
            Gpu(
                index=int(row[0]),
                name=row[1].strip(),
                utilisation=None if utilisation is None else utilisation / 100,
                memory_used_bytes=_bytes(row[3]),
                memory_total_bytes=_bytes(row[4]),
                temperature_celsius=_number(row[5]),
                power_watts=_number(row[6]),
                power_limit_watts=_number(row[7]),
            )
        )
    return sorted(gpus, key=lambda gpu: gpu.index)


class GpuReader:
    """Asks the driver.

    Args:
        program: The program to ask.
        limit_s: Seconds that it may take.
    """

    def __init__(self, program: str = "nvidia-smi", limit_s: float = 2.0) -> None:
        self._program = program
        self._limit_s = limit_s

    async def read(self) -> GpuSample:
        """Takes one reading; whatever goes wrong is a state of it."""
        state, message, gpus = await self._ask()
        return GpuSample(taken_at=Timestamp.now(), state=state, message=message, gpus=gpus)

    async def _ask(self) -> tuple[GpuState, str, list[Gpu]]:
        program = shutil.which(self._program)
        if program is None:
            return GpuState.NO_DRIVER, "No NVIDIA driver is installed here (nvidia-smi is missing). Trainings run on the CPU.", []
        process = await asyncio.create_subprocess_exec(
            program,
            f"--query-gpu={','.join(_COLUMNS)}",
            "--format=csv,noheader,nounits",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), self._limit_s)
        except TimeoutError:
            return GpuState.TIMED_OUT, f"The driver did not answer within {self._limit_s:g} s; it may hang. See `nvidia-smi`.", []
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        text = out.decode(errors="replace")
        if "no devices were found" in text.lower():
            return GpuState.NO_GPU, "The driver finds no GPU. Trainings run on the CPU.", []
        if process.returncode != 0:
            return GpuState.UNREADABLE, f"nvidia-smi ended with status {process.returncode}. Trainings run on the CPU.", []
        try:
            gpus = parse_table(text)
        except (ValueError, csv.Error):
            return GpuState.UNREADABLE, "nvidia-smi answered something that is no table of GPUs.", []
        if not gpus:
            return GpuState.NO_GPU, "The driver finds no GPU. Trainings run on the CPU.", []
        return GpuState.OK, "", gpus
