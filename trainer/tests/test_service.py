"""The contract of the training service, over a client, with runs that another program plays."""

import asyncio
import errno
import sys
import uuid
from pathlib import Path

import pytest
from conftest import Trainer, config_yaml, supervisor_of
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from protobuf import Oneof
from pyqwest import Client
from pyqwest.testing import ASGITransport

from rlmaze_api.rlmaze.training.v1.gpu_pb import GpuState
from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodesEnded,
    StateChange,
    Training,
    TrainingEvent,
    TrainingPhase,
    TrainingState,
)
from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceClient
from rlmaze_api.rlmaze.training.v1.training_service_pb import (
    GetTrainingDefaultsRequest,
    GetTrainingRequest,
    ListTrainingsRequest,
    StartTrainingRequest,
    StopTrainingRequest,
    TrainingBusy,
    TrainingEvents,
    WatchGpuRequest,
    WatchTrainingRequest,
)
from rlmaze_trainer.app import Application
from rlmaze_trainer.configuration import read_config
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.settings import Settings

LIMIT_S = 60.0


async def start(trainer: Trainer, act: str, **kind: str) -> Training:
    training = (await trainer.client.start_training(StartTrainingRequest(config_yaml=config_yaml(act, **kind)))).training
    assert training is not None
    return training


async def watch(trainer: Trainer, run_id: str, after: int = 0) -> list[TrainingEvent]:
    """Watches a run to its end."""
    events: list[TrainingEvent] = []
    async with asyncio.timeout(LIMIT_S):
        async for response in trainer.client.watch_training(WatchTrainingRequest(run_id=run_id, after_sequence=after)):
            match response.message:
                case Oneof(value=TrainingEvents() as found):
                    events += found.events
    return events


async def get(trainer: Trainer, run_id: str) -> Training:
    training = (await trainer.client.get_training(GetTrainingRequest(run_id=run_id))).training
    assert training is not None
    return training


async def until(trainer: Trainer, run_id: str, state: TrainingState) -> Training:
    async with asyncio.timeout(LIMIT_S):
        while (training := await get(trainer, run_id)).state is not state:
            await asyncio.sleep(0.01)
    return training


def test_torch_is_not_needed() -> None:
    assert "torch" not in sys.modules


async def test_a_run_is_watched_to_its_end(trainer: Trainer) -> None:
    training = await start(trainer, "complete")
    assert training.state in (TrainingState.RUNNING, TrainingState.QUEUED)
    events = await watch(trainer, training.run_id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    states = [event.event.value.state for event in events if event.event is not None and isinstance(event.event.value, StateChange)]
    assert states[0] is TrainingState.QUEUED
    assert states[-1] is TrainingState.COMPLETED
    columns = [event.event.value.episodes for event in events if event.event is not None and isinstance(event.event.value, EpisodesEnded)]
    numbers = [found.first_episode + i for found in columns if found is not None for i in range(len(found.lengths))]
    assert numbers == [1, 2, 3, 4, 5]
    final = await get(trainer, training.run_id)
    assert (final.state, final.phase, final.failure) == (TrainingState.COMPLETED, TrainingPhase.UNSPECIFIED, "")
    assert final.held_out is not None
    assert (final.held_out.successes, final.held_out.rate) == (990, 0.99)
    assert 0.98 < final.held_out.interval_low < 0.99 < final.held_out.interval_high
    assert final.best_checkpoint is not None
    assert final.best_checkpoint.timesteps == 500
    assert not final.resumable
    assert final.started_at is not None
    assert final.ended_at is not None


async def test_a_watcher_comes_back_anywhere(trainer: Trainer) -> None:
    training = await start(trainer, "complete")
    events = await watch(trainer, training.run_id)
    for after in range(len(events) + 1):
        assert await watch(trainer, training.run_id, after) == events[after:]
    with pytest.raises(ConnectError, match=f"has {len(events)} events so far") as refused:
        await watch(trainer, training.run_id, len(events) + 1)
    assert refused.value.code is Code.INVALID_ARGUMENT


async def test_many_watchers_see_the_same(trainer: Trainer) -> None:
    training = await start(trainer, "slow")
    watchers = [asyncio.create_task(watch(trainer, training.run_id)) for _ in range(10)]
    async with asyncio.timeout(LIMIT_S):
        while (await get(trainer, training.run_id)).last_sequence < 20:
            await asyncio.sleep(0.01)
    await trainer.client.stop_training(StopTrainingRequest(run_id=training.run_id))
    seen = await asyncio.gather(*watchers)
    assert len(seen[0]) >= 20
    assert all(events == seen[0] for events in seen)


async def test_heartbeats_fill_the_silence(tmp_path: Path) -> None:
    from rlmaze_trainer.service import TrainingServiceServer

    supervisor = supervisor_of(tmp_path)
    supervisor.open()
    service = TrainingServiceServer(supervisor, GpuReader("no-such-program"), heartbeat_s=0.05)
    try:
        request = StartTrainingRequest(config_yaml=config_yaml("deaf"))
        run_id = (await service.start_training(request, None)).training.run_id  # type: ignore[arg-type, union-attr]
        beats = 0
        async with asyncio.timeout(LIMIT_S):
            async for response in service.watch_training(WatchTrainingRequest(run_id=run_id), None):  # type: ignore[arg-type]
                beats += response.message is not None and response.message.field == "heartbeat"
                if beats == 3:
                    break
    finally:
        await supervisor.close()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("fail", "The loss became nan. The checkpoint of 500 steps is kept."),
        ("crash", "Its process ended with status 1. Traceback: it broke The checkpoint of 500 steps is kept."),
        ("killed", "Its process was killed by the system, most likely because memory ran out. The checkpoint of 500 steps is kept."),
        ("garbage", "Its process sent something that is no event. The checkpoint of 500 steps is kept."),
    ],
)
async def test_a_failure_says_why_and_keeps_the_checkpoint(trainer: Trainer, act: str, reason: str) -> None:
    training = await start(trainer, act)
    final = await until(trainer, training.run_id, TrainingState.FAILED)
    assert final.failure == reason
    assert final.resumable


async def test_a_stop_ends_the_run_and_is_harmless_after_the_end(trainer: Trainer) -> None:
    training = await start(trainer, "slow")
    for _ in range(3):
        stopped = (await trainer.client.stop_training(StopTrainingRequest(run_id=training.run_id))).training
        assert stopped is not None
        assert stopped.state is TrainingState.STOPPED
        assert stopped.resumable or stopped.best_checkpoint is None
    completed = await start(trainer, "complete")
    await watch(trainer, completed.run_id)
    after = (await trainer.client.stop_training(StopTrainingRequest(run_id=completed.run_id))).training
    assert after is not None
    assert after.state is TrainingState.COMPLETED


async def test_a_process_that_does_not_listen_is_ended(trainer: Trainer) -> None:
    training = await start(trainer, "deaf")
    async with asyncio.timeout(LIMIT_S):
        while (await get(trainer, training.run_id)).best_checkpoint is None:
            await asyncio.sleep(0.01)
        stopped = (await trainer.client.stop_training(StopTrainingRequest(run_id=training.run_id))).training
    assert stopped is not None
    assert stopped.state is TrainingState.STOPPED
    assert stopped.resumable


async def test_one_runs_and_the_next_waits_in_a_bounded_queue(trainer: Trainer) -> None:
    first = await start(trainer, "slow")
    second, third = [await start(trainer, "complete") for _ in range(2)]
    assert [(await get(trainer, run.run_id)).queue_position for run in (second, third)] == [0, 1]
    with pytest.raises(ConnectError, match=f"2 runs wait already, which is the limit; {first.run_id} runs on cpu since") as refused:
        await start(trainer, "complete")
    assert refused.value.code is Code.RESOURCE_EXHAUSTED
    await trainer.client.stop_training(StopTrainingRequest(run_id=third.run_id))
    assert (await get(trainer, third.run_id)).state is TrainingState.STOPPED
    await trainer.client.stop_training(StopTrainingRequest(run_id=first.run_id))
    await until(trainer, second.run_id, TrainingState.COMPLETED)


async def test_a_stopped_run_is_resumed_by_a_new_one(trainer: Trainer) -> None:
    first = await start(trainer, "deaf")
    async with asyncio.timeout(LIMIT_S):
        while (await get(trainer, first.run_id)).best_checkpoint is None:
            await asyncio.sleep(0.01)
    with pytest.raises(ConnectError, match="can't be resumed") as refused:
        await trainer.client.start_training(StartTrainingRequest(resume_from=first.run_id))
    assert refused.value.code is Code.FAILED_PRECONDITION
    await trainer.client.stop_training(StopTrainingRequest(run_id=first.run_id))
    second = (await trainer.client.start_training(StartTrainingRequest(resume_from=first.run_id))).training
    assert second is not None
    assert second.resumed_from == first.run_id
    assert trainer.supervisor.get(second.run_id).facts.resumed_checkpoint == f"{first.run_id}/checkpoints/500.zip"  # type: ignore[union-attr]
    await trainer.client.stop_training(StopTrainingRequest(run_id=second.run_id))


async def test_a_repeated_start_returns_the_same_run(trainer: Trainer) -> None:
    request_id = str(uuid.uuid4())
    request = StartTrainingRequest(config_yaml=config_yaml("complete"), request_id=request_id)
    runs = {(await trainer.client.start_training(request)).training.run_id for _ in range(3)}  # type: ignore[union-attr]
    assert len(runs) == 1
    with pytest.raises(ConnectError) as refused:
        await trainer.client.start_training(StartTrainingRequest(config_yaml=config_yaml("slow"), request_id=request_id))
    assert refused.value.code is Code.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("request_message", "code", "words"),
    [
        (StartTrainingRequest(), Code.INVALID_ARGUMENT, "exactly one of config_yaml and resume_from"),
        (StartTrainingRequest(config_yaml="x", resume_from="y"), Code.INVALID_ARGUMENT, "exactly one of"),
        (StartTrainingRequest(config_yaml="a: [1"), Code.INVALID_ARGUMENT, "no valid YAML"),
        (
            StartTrainingRequest(config_yaml=config_yaml("x") + "foo: 1\n"),
            Code.INVALID_ARGUMENT,
            "foo: Extra inputs are not permitted; allowed keys",
        ),
        (StartTrainingRequest(config_yaml=config_yaml("x").replace("PPO", "A2C")), Code.INVALID_ARGUMENT, "'PPO' or 'DQN'; got 'A2C'"),
        (StartTrainingRequest(config_yaml=config_yaml("x").replace("1000", "0")), Code.INVALID_ARGUMENT, "greater than or equal to 1"),
        (
            StartTrainingRequest(config_yaml=config_yaml("x") + "evaluation: {sets: [nowhere]}\n"),
            Code.INVALID_ARGUMENT,
            "there is no maze set nowhere; allowed: heldout",
        ),
        (StartTrainingRequest(config_yaml=config_yaml("x", device="cuda")), Code.INVALID_ARGUMENT, "no GPU; allowed: cpu, auto"),
        (StartTrainingRequest(config_yaml="x" * 70_000), Code.INVALID_ARGUMENT, "config_yaml"),
        (StartTrainingRequest(resume_from="nowhere"), Code.NOT_FOUND, "there is no run nowhere"),
        (StartTrainingRequest(config_yaml=config_yaml("x"), request_id="1"), Code.INVALID_ARGUMENT, "lower-case UUID"),
    ],
)
async def test_a_start_that_cannot_be_is_refused(trainer: Trainer, request_message: StartTrainingRequest, code: Code, words: str) -> None:
    with pytest.raises(ConnectError) as refused:
        await trainer.client.start_training(request_message)
    assert refused.value.code is code
    assert words in refused.value.message
    assert not list(trainer.folder.iterdir())


async def test_a_full_queue_says_what_runs_and_when_to_come_back(trainer: Trainer) -> None:
    running = await start(trainer, "slow")
    async with asyncio.timeout(LIMIT_S):
        while (await get(trainer, running.run_id)).latest is None:
            await asyncio.sleep(0.01)
    for _ in range(2):
        await start(trainer, "complete")
    with pytest.raises(ConnectError, match="2 runs wait already") as refused:
        await start(trainer, "complete")
    assert refused.value.code is Code.RESOURCE_EXHAUSTED
    busy = refused.value.details[0].value(TrainingBusy.desc())
    assert isinstance(busy, TrainingBusy)
    assert [(one.run_id, one.device) for one in busy.running] == [(running.run_id, "cpu")]
    assert busy.running[0].started_at is not None
    assert busy.running[0].latest is not None
    assert (busy.queued, busy.queue_limit) == (2, 2)
    assert busy.retry_after is not None
    assert busy.retry_after.seconds >= 5


async def test_the_name_of_a_shipped_model_is_refused_and_no_preset_has_one(trainer: Trainer) -> None:
    with pytest.raises(ConnectError, match="ppo-memory is the name of a model that comes with the product") as refused:
        await start(trainer, "complete", name="ppo-memory")
    assert refused.value.code is Code.INVALID_ARGUMENT
    defaults = await trainer.client.get_training_defaults(GetTrainingDefaultsRequest())
    assert [preset.name for preset in defaults.presets] == ["ppo-quick", "my-ppo-memory", "my-ppo-trail", "my-ppo-plain", "my-dqn-memory"]
    for preset in defaults.presets:
        assert read_config(preset.config_yaml).name == preset.name


async def test_notices_come_and_go_as_events(trainer: Trainer) -> None:
    training = await start(trainer, "slow")
    run = trainer.supervisor.get(training.run_id)
    assert run is not None
    for text in ("MLflow is away.", "MLflow is away.", "", ""):
        run.notify("mlflow", text)
    await trainer.client.stop_training(StopTrainingRequest(run_id=training.run_id))
    told = [
        event.event.value for event in await watch(trainer, training.run_id) if event.event is not None and event.event.field == "facts"
    ]
    assert [list(facts.notices) for facts in told] == [["MLflow is away."], []]
    assert (await get(trainer, training.run_id)).notices == []


async def test_a_full_disk_delays_the_end_of_a_run_but_not_its_truth(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlmaze_trainer.supervisor._RETRY_WRITE_S", 0.01)
    training = await start(trainer, "slow")
    run = trainer.supervisor.get(training.run_id)
    assert run is not None
    async with asyncio.timeout(LIMIT_S):
        while run.latest is None:
            await asyncio.sleep(0.01)
    watching = asyncio.create_task(watch(trainer, training.run_id))

    def full(_event: TrainingEvent) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run.log, "append", full)
        active = trainer.supervisor._running["cpu"]
        assert active is not None
        async with asyncio.timeout(LIMIT_S):
            await active.process.wait()
        await asyncio.sleep(0.05)  # some tries to write the end
        assert not run.final
        assert not watching.done()
    events = await watching
    assert events[-1].event is not None
    assert isinstance(events[-1].event.value, StateChange)
    assert events[-1].event.value.state is TrainingState.FAILED
    final = await get(trainer, training.run_id)
    assert final.state is TrainingState.FAILED
    assert final.failure.startswith("Its events can't be written: No space left on device. Free some space and resume the run.")
    assert final.resumable


async def test_unknown_runs_are_not_found(trainer: Trainer) -> None:
    for call in (
        trainer.client.get_training(GetTrainingRequest(run_id="nowhere")),
        trainer.client.stop_training(StopTrainingRequest(run_id="nowhere")),
    ):
        with pytest.raises(ConnectError) as refused:
            await call
        assert refused.value.code is Code.NOT_FOUND
    with pytest.raises(ConnectError):
        await watch(trainer, "nowhere")
    with pytest.raises(ConnectError, match="run_id"):
        await trainer.client.get_training(GetTrainingRequest(run_id="../etc"))


async def test_runs_are_listed_newest_first_in_pages(trainer: Trainer) -> None:
    runs = []
    for _ in range(5):
        training = await start(trainer, "complete")
        await watch(trainer, training.run_id)
        runs.append(training.run_id)
    listed, token = [], ""
    while True:
        page = await trainer.client.list_trainings(ListTrainingsRequest(page_size=2, page_token=token))
        listed += [training.run_id for training in page.trainings]
        token = page.next_page_token
        if not token:
            break
    assert listed == runs[::-1]
    with pytest.raises(ConnectError, match="page_token"):
        await trainer.client.list_trainings(ListTrainingsRequest(page_token="?"))


async def test_the_defaults_make_a_form(trainer: Trainer) -> None:
    defaults = await trainer.client.get_training_defaults(GetTrainingDefaultsRequest())
    assert defaults.presets[0].name == "ppo-quick"
    assert '"$defs"' in defaults.schema_json
    assert defaults.devices == ["cpu"]
    assert "heldout" in defaults.maze_sets


async def test_gpus_are_streamed(trainer: Trainer) -> None:
    async with asyncio.timeout(LIMIT_S):
        async for response in trainer.client.watch_gpu(WatchGpuRequest(interval_ms=500)):
            assert response.sample is not None
            assert response.sample.state is GpuState.NO_DRIVER
            break
    with pytest.raises(ConnectError, match="interval_ms"):
        async for _ in trainer.client.watch_gpu(WatchGpuRequest(interval_ms=1)):
            pass


async def test_the_token_is_asked_for(tmp_path: Path) -> None:
    application = Application(Settings(trainer_token="secret"), supervisor_of(tmp_path), GpuReader("no-such-program"))
    async with (
        ASGITransport(application) as transport,
        TrainingServiceClient("http://trainer", http_client=Client(transport)) as client,
    ):
        for headers in ({}, {"authorization": "Bearer wrong"}):
            with pytest.raises(ConnectError) as refused:
                await client.list_trainings(ListTrainingsRequest(), headers=headers)
            assert refused.value.code is Code.UNAUTHENTICATED
        await client.list_trainings(ListTrainingsRequest(), headers={"authorization": "Bearer secret"})


async def test_an_internal_error_says_nothing_to_the_caller(trainer: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_order: object) -> None:
        raise RuntimeError("a path and a secret")

    monkeypatch.setattr(trainer.supervisor, "start", broken)
    with pytest.raises(ConnectError) as refused:
        await trainer.client.start_training(StartTrainingRequest(config_yaml=config_yaml("complete")))
    assert refused.value.code is Code.INTERNAL
    assert "secret" not in refused.value.message


async def test_a_new_service_settles_what_the_old_one_left(tmp_path: Path) -> None:
    old = supervisor_of(tmp_path)
    old.open()
    application = Application(Settings(), old, GpuReader("no-such-program"))
    async with (
        ASGITransport(application) as transport,
        TrainingServiceClient("http://trainer", http_client=Client(transport)) as client,
    ):
        trainer = Trainer(tmp_path, client, old)
        running = await start(trainer, "deaf")
        waiting = await start(trainer, "complete")
        async with asyncio.timeout(LIMIT_S):
            while (await get(trainer, running.run_id)).best_checkpoint is None:
                await asyncio.sleep(0.01)
        # What a kill -9 of the service leaves on the disk.
        left = {path: path.read_text() for path in tmp_path.glob("*/run.json")}
    for path, text in left.items():
        path.write_text(text)
    new = supervisor_of(tmp_path)
    application = Application(Settings(), new, GpuReader("no-such-program"))
    async with (
        ASGITransport(application) as transport,
        TrainingServiceClient("http://trainer", http_client=Client(transport)) as client,
    ):
        trainer = Trainer(tmp_path, client, new)
        settled = await get(trainer, running.run_id)
        assert settled.state is TrainingState.FAILED
        assert settled.failure == "The trainer ended while this run was learning. The checkpoint of 500 steps is kept."
        assert settled.resumable
        await until(trainer, waiting.run_id, TrainingState.COMPLETED)
        assert [event.sequence for event in await watch(trainer, running.run_id)] == list(range(1, settled.last_sequence + 1))
