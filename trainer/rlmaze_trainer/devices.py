"""What trainings can run on. One run at a time on each device."""

from rlmaze_api.rlmaze.training.v1.gpu_pb import GpuState
from rlmaze_trainer.gpu import GpuReader


async def find_devices(reader: GpuReader) -> tuple[str, ...]:
    """Returns "cpu", and "cuda:<index>" for each GPU that the driver lists."""
    sample = await reader.read()
    gpus = tuple(f"cuda:{gpu.index}" for gpu in sample.gpus) if sample.state is GpuState.OK else ()
    return ("cpu", *gpus)


def choose_device(wanted: str, devices: tuple[str, ...]) -> str:
    """Turns the device of a configuration into one of this machine: "auto" takes the first GPU, or else the CPU.

    Raises:
        LookupError: There is no GPU.
    """
    gpus = [device for device in devices if device != "cpu"]
    match wanted:
        case "cpu":
            return "cpu"
        case "auto":
            return gpus[0] if gpus else "cpu"
        case _:
            if not gpus:
                raise LookupError("this trainer has no GPU; allowed: cpu, auto")
            return gpus[0]
