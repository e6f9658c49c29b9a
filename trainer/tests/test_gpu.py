"""Readings of GPUs against programs that behave as nvidia-smi does, on good days and bad ones."""

from pathlib import Path

import pytest

from rlmaze_api.rlmaze.training.v1.gpu_pb import GpuState
from rlmaze_trainer.devices import choose_device, find_devices
from rlmaze_trainer.gpu import GpuReader

ONE = "0, NVIDIA GeForce RTX 5070, 37, 2048, 12288, 61, 142.50, 250.00"
TWO = ONE + "\n1, NVIDIA H200, 0, 0, 143771, 30, 70.1, 700.00"


def fake(folder: Path, body: str) -> GpuReader:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return GpuReader(str(program), limit_s=5)


async def test_two_gpus_are_read(tmp_path: Path) -> None:
    sample = await fake(tmp_path, f"cat <<'END'\n{TWO}\nEND").read()
    assert (sample.state, sample.message, len(sample.gpus)) == (GpuState.OK, "", 2)
    first = sample.gpus[0]
    assert (first.index, first.name, first.utilisation) == (0, "NVIDIA GeForce RTX 5070", 0.37)
    assert (first.memory_used_bytes, first.memory_total_bytes) == (2048 << 20, 12288 << 20)
    assert (first.temperature_celsius, first.power_watts, first.power_limit_watts) == (61, 142.5, 250)
    assert await find_devices(fake(tmp_path, f"cat <<'END'\n{TWO}\nEND")) == ("cpu", "cuda:0", "cuda:1")


async def test_what_is_not_available_is_unset(tmp_path: Path) -> None:
    sample = await fake(tmp_path, "echo '0, Tesla T4, [N/A], 10, 100, N/A, [Not Supported], [N/A]'").read()
    gpu = sample.gpus[0]
    assert sample.state is GpuState.OK
    assert not any(gpu.has_field(name) for name in ("utilisation", "temperature_celsius", "power_watts", "power_limit_watts"))


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("echo 'No devices were found'", GpuState.NO_GPU),
        ("true", GpuState.NO_GPU),
        ("echo 'NVIDIA-SMI has failed' >&2; exit 9", GpuState.UNREADABLE),
        ("echo '<html>garbage</html>'", GpuState.UNREADABLE),
        ("echo '0, A, 1, 2'", GpuState.UNREADABLE),
        (f"echo '{ONE}, 7'", GpuState.UNREADABLE),
        ("echo 'x, A, 1, 2, 3, 4, 5, 6'", GpuState.UNREADABLE),
        ("echo '0, A, nan, 2, 3, 4, 5, 6'", GpuState.UNREADABLE),
        ("head -c 4096 /dev/urandom", GpuState.UNREADABLE),
    ],
)
async def test_bad_days_are_states_with_a_message(tmp_path: Path, body: str, state: GpuState) -> None:
    reader = fake(tmp_path, body)
    sample = await reader.read()
    assert sample.state is state
    assert sample.message
    assert not sample.gpus
    assert await find_devices(reader) == ("cpu",)


async def test_a_driver_that_hangs_is_left(tmp_path: Path) -> None:
    reader = fake(tmp_path, "exec sleep 600")
    reader._limit_s = 0.2
    assert (await reader.read()).state is GpuState.TIMED_OUT


async def test_no_driver() -> None:
    assert (await GpuReader("no-such-program").read()).state is GpuState.NO_DRIVER


def test_the_device_is_chosen_from_what_is_there() -> None:
    assert choose_device("auto", ("cpu",)) == "cpu"
    assert choose_device("auto", ("cpu", "cuda:0")) == "cuda:0"
    assert choose_device("cpu", ("cpu", "cuda:0")) == "cpu"
    with pytest.raises(LookupError, match="no GPU; allowed: cpu, auto"):
        choose_device("cuda", ("cpu",))
