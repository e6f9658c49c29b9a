"""Models reach the server: at once, later, never twice, and a server that is away stops nobody."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest_asyncio
import uvicorn
from conftest import ACTOR, config_yaml
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from door import Door
from mlflow_server import free_port

from rlmaze_api.rlmaze.model.v1.model_pb import Model
from rlmaze_api.rlmaze.model.v1.model_service_connect import ModelService, ModelServiceASGIApplication
from rlmaze_api.rlmaze.model.v1.model_service_pb import RegisterModelRequest, RegisterModelResponse
from rlmaze_api.rlmaze.training.v1.training_pb import TrainingPhase, TrainingState
from rlmaze_trainer.configuration import read_config, written_out
from rlmaze_trainer.registration import Registrar
from rlmaze_trainer.supervisor import Order, Supervisor
from rlmaze_trainer.training_run import TrainingRun

LIMIT_S = 60.0


class Registry(ModelService):
    """Behaves as the contract says that the server does; the server itself is met in the soak."""

    def __init__(self) -> None:
        self.models: dict[tuple[str, str], str] = {}
        self.calls = 0
        self.error: ConnectError | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def register_model(self, request: RegisterModelRequest, ctx: Any) -> RegisterModelResponse:
        self.calls += 1
        if ctx.request_headers.get("authorization") != "Bearer secret":
            raise ConnectError(Code.UNAUTHENTICATED, "a token is needed")
        if self.error is not None:
            raise self.error
        await self.answers.wait()
        digest = hashlib.sha256(request.policy_onnx).hexdigest()
        assert json.loads(request.manifest_json)["sha256"] == digest
        assert json.loads(request.parity_json)["vectors"]
        created = (request.name, digest) not in self.models
        model_id = self.models.setdefault((request.name, digest), f"{request.name}-{len(self.models) + 1}")
        return RegisterModelResponse(model=Model(model_id=model_id), created=created)


@pytest_asyncio.fixture
async def registry() -> AsyncIterator[tuple[Registry, int]]:
    found, port = Registry(), free_port()
    config = uvicorn.Config(ModelServiceASGIApplication(found), port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    yield found, port
    server.should_exit = True
    await serving


@asynccontextmanager
async def trainer_of(folder: Path, port: int, token: str = "secret") -> AsyncIterator[Supervisor]:
    registrar = Registrar(f"http://127.0.0.1:{port}", token, patience_s=0.5, pause_s=0.05)
    supervisor = Supervisor(folder, ("cpu",), 4, 0.5, ACTOR, registrar=registrar)
    supervisor.open()
    yield supervisor
    await supervisor.close()
    supervisor.release()


def order(act: str) -> Order:
    config = read_config(config_yaml(act))
    return Order(config, written_out(config), 1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():
            await asyncio.sleep(0.01)


def phases(run: TrainingRun) -> list[TrainingPhase]:
    found = []
    for event in run.log.read(0):
        assert event.event is not None
        if event.event.field == "state_change":
            found.append(event.event.value.phase)
    return found


async def test_a_completed_run_has_its_model_registered(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    async with trainer_of(tmp_path, port) as supervisor:
        run = supervisor.start(order("complete"))
        await until(lambda: run.final)
        assert run.state is TrainingState.COMPLETED
        assert run.to_message().model_id == "a-run-1"
        assert run.to_message().notices == []
        assert phases(run)[-2:] == [TrainingPhase.REGISTERING, TrainingPhase.UNSPECIFIED]
        facts = [event.event.value for event in run.log.read(0) if event.event is not None and event.event.field == "facts"]
        assert [one.model_id for one in facts] == ["", "a-run-1"]
        assert facts[0].held_out is not None
        assert facts[0].held_out.successes == 990
        assert (server.calls, len(server.models)) == (1, 1)


async def test_a_stopped_or_failed_run_registers_nothing(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    async with trainer_of(tmp_path, port) as supervisor:
        half = supervisor.start(order("half"))
        await until(lambda: half.folder.exported_model() is not None)
        await supervisor.stop(half)
        failed = supervisor.start(order("fail"))
        await until(lambda: failed.final)
        assert half.state is TrainingState.STOPPED
        assert half.folder.exported_model() is None
        assert server.calls == 0


async def test_a_server_that_is_away_gets_the_model_later(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    door = Door(port)
    await door.open()
    await door.close()
    async with trainer_of(tmp_path, door.port) as supervisor:
        run = supervisor.start(order("complete"))
        await until(lambda: run.final)
        assert run.state is TrainingState.COMPLETED
        assert run.facts.model_id == ""
        assert ["registered when the server is back" in notice for notice in run.to_message().notices] == [True]
        await door.open()
        await until(lambda: bool(run.facts.model_id))
        assert run.to_message().notices == []
    await door.close()
    assert len(server.models) == 1


async def test_a_restart_in_between_registers_what_is_due(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    async with trainer_of(tmp_path, free_port()) as supervisor:
        away = supervisor.start(order("complete"))
        await until(lambda: away.final)
        run = supervisor.start(order("complete"))
        await until(lambda: run.phase is TrainingPhase.REGISTERING)
        left = shutil.copytree(run.folder.path, tmp_path / "left")  # what a kill -9 of the service leaves now
        await until(lambda: run.final)
    shutil.rmtree(run.folder.path)
    left.rename(run.folder.path)
    async with trainer_of(tmp_path, port) as supervisor:
        runs = supervisor.newest_first()
        await until(lambda: all(one.facts.model_id for one in runs))
        assert {one.state for one in runs} == {TrainingState.COMPLETED}
        assert not any(one.facts.notices for one in runs)
    assert len(server.models) == 2
    async with trainer_of(tmp_path, port):
        pass
    assert server.calls == 2


async def test_what_the_server_refuses_is_offered_once(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    server.error = ConnectError(Code.INVALID_ARGUMENT, "policy.onnx: it has no output action_scores")
    async with trainer_of(tmp_path, port) as supervisor:
        run = supervisor.start(order("complete"))
        await until(lambda: run.final and bool(run.facts.notices))
        assert run.state is TrainingState.COMPLETED
        assert run.to_message().notices == ["The server refused the model: policy.onnx: it has no output action_scores"]
    async with trainer_of(tmp_path, port):
        pass
    assert server.calls == 1


async def test_a_wrong_token_is_said_and_cured_by_a_right_one(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    _, port = registry
    async with trainer_of(tmp_path, port, token="wrong") as supervisor:
        run = supervisor.start(order("complete"))
        await until(lambda: run.final)
        assert "see SERVER_URL and SERVER_TOKEN" in run.to_message().notices[0]
    async with trainer_of(tmp_path, port) as supervisor:
        again = supervisor.newest_first()[0]
        await until(lambda: bool(again.facts.model_id))


async def test_a_stop_does_not_wait_for_the_server(tmp_path: Path) -> None:
    registrar = Registrar(f"http://127.0.0.1:{free_port()}", patience_s=3600, pause_s=0.05)
    supervisor = Supervisor(tmp_path, ("cpu",), 4, 0.5, ACTOR, registrar=registrar)
    supervisor.open()
    run = supervisor.start(order("complete"))
    await until(lambda: run.phase is TrainingPhase.REGISTERING)
    async with asyncio.timeout(LIMIT_S):
        await supervisor.stop(run)
    # All of its work was done before.
    assert run.state is TrainingState.COMPLETED
    await supervisor.close()
    supervisor.release()


async def test_the_end_of_the_service_does_not_wait_for_an_offer_under_way(tmp_path: Path, registry: tuple[Registry, int]) -> None:
    server, port = registry
    server.answers.clear()
    async with trainer_of(tmp_path, port) as supervisor:
        run = supervisor.start(order("complete"))
        await until(lambda: run.final and server.calls > 0)
        async with asyncio.timeout(LIMIT_S):
            await supervisor.close()
    server.answers.set()
    assert run.facts.model_id == ""
    async with trainer_of(tmp_path, port) as supervisor:
        again = supervisor.newest_first()[0]
        await until(lambda: bool(again.facts.model_id))
