"""A trainer in this process, whose runs are played by `actor.py` instead of PyTorch."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pyqwest import Client
from pyqwest.testing import ASGITransport

from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceClient
from rlmaze_trainer.app import Application
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.supervisor import Supervisor

ACTOR = (sys.executable, str(Path(__file__).with_name("actor.py")))


def supervisor_of(folder: Path, *, queue_limit: int = 2, stop_grace_s: float = 0.5, devices: tuple[str, ...] = ("cpu",)) -> Supervisor:
    return Supervisor(folder, devices, queue_limit, stop_grace_s, ACTOR)


class Trainer:
    """A trainer and a client of it."""

    def __init__(self, folder: Path, client: TrainingServiceClient, supervisor: Supervisor) -> None:
        self.folder = folder
        self.client = client
        self.supervisor = supervisor


@pytest_asyncio.fixture
async def trainer(tmp_path: Path) -> AsyncIterator[Trainer]:
    supervisor = supervisor_of(tmp_path)
    application = Application(Settings(), supervisor, GpuReader("no-such-program"))
    async with (
        ASGITransport(application) as transport,
        TrainingServiceClient("http://trainer", http_client=Client(transport)) as client,
    ):
        yield Trainer(tmp_path, client, supervisor)


@pytest.fixture
def config() -> str:
    return config_yaml("complete")


def config_yaml(act: str, name: str = "a-run", device: str = "cpu") -> str:
    return (
        f"name: {name}\ntitle: {act}\ndescription: For a test.\nalgorithm: PPO\nobservation: memory/1\n"
        f"timesteps: 1000\ndevice: {device}\nppo:\n  n_steps: 16\n"
    )
