"""Real training in the run's own process: it learns, ends when told, goes on, and is the same twice."""

import asyncio
import errno
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from protobuf import Oneof

from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodeColumns,
    EpisodesEnded,
    StateChange,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_trainer.configuration import presets, read_config, written_out
from rlmaze_trainer.run_process import Diverged, next_checkpoint, reason_of
from rlmaze_trainer.supervisor import Order, Supervisor
from rlmaze_trainer.training_run import TrainingRun

LIMIT_S = 300.0
CONFIG = """name: short
title: Short
description: For a test.
algorithm: PPO
observation: memory/1
timesteps: 24576
device: cpu
mazes: {count: 500}
ppo: {environments: 64, n_steps: 32, batch_size: 512, n_epochs: 2}
validation: {every: 8192, extra_mazes: 0, extra_large_mazes: 0}
"""
DQN = """name: short-dqn
title: Short DQN
description: For a test.
algorithm: DQN
observation: memory/1
timesteps: 8192
device: cpu
mazes: {count: 500}
dqn: {environments: 64, buffer_size: 10000, learning_starts: 1000, batch_size: 128, network: [32]}
validation: {every: 4096, extra_mazes: 0, extra_large_mazes: 0}
"""


@pytest_asyncio.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    # A generous grace: these tests are about what the process does by itself.
    found = Supervisor(tmp_path, ("cpu",), queue_limit=4, stop_grace_s=120)
    found.open()
    yield found
    await found.close()


def order(text: str, seed: int = 1, **more: str) -> Order:
    config = read_config(text)
    return Order(config, written_out(config), seed, **more)


def events_of(run: TrainingRun) -> list[TrainingEvent]:
    found: list[TrainingEvent] = []
    while events := run.log.read(len(found)):
        found += events
    return found


def checkpoints_of(run: TrainingRun) -> list[TrainingCheckpoint]:
    values = [event.event.value for event in events_of(run) if event.event is not None]
    return [value for value in values if isinstance(value, TrainingCheckpoint)]


async def finished(run: TrainingRun) -> TrainingRun:
    async with asyncio.timeout(LIMIT_S):
        while not run.final:
            await run.log.wait_beyond(run.log.last_sequence, 1)
    assert run.state is TrainingState.COMPLETED, (run.facts.failure, run.folder.tail_of_process_log())
    return run


def test_torch_is_not_imported_here() -> None:
    assert "torch" not in sys.modules


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full. Free some space"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "The disk is full. Free some space"),
        (MemoryError("Unable to allocate 9 TiB"), "The memory was not enough. Lower environments"),
        (RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"), "The memory was not enough. Lower environments"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "The memory was not enough."),
        (Diverged("The loss became nan."), "The loss became nan."),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_a_failure_is_said_in_words(error: BaseException, words: str) -> None:
    assert reason_of(error).startswith(words)


def test_the_quick_preset_shows_the_policy_learn_from_the_beginning() -> None:
    config = read_config(presets()[0].config_yaml)
    moments = [0]
    while moments[-1] < config.timesteps:
        moments.append(next_checkpoint(moments[-1], config.validation.every))
    assert len(moments) >= 8
    assert moments[:5] == [0, 6250, 12500, 25000, 50000]
    assert moments[-1] == config.timesteps


@pytest.mark.parametrize("text", [CONFIG, DQN], ids=["PPO", "DQN"])
async def test_a_run_learns_exports_and_is_measured(supervisor: Supervisor, text: str) -> None:
    run = await finished(supervisor.start(order(text)))
    events = events_of(run)
    phases = [event.event.value.phase for event in events if event.event is not None and isinstance(event.event.value, StateChange)]
    wanted = [TrainingPhase.PREPARING, TrainingPhase.LEARNING, TrainingPhase.EXPORTING, TrainingPhase.EVALUATING]
    assert [phase for phase in phases if phase is not TrainingPhase.UNSPECIFIED][-4:] == wanted
    number, steps = 0, 0
    for event in events:
        match event.event:
            case Oneof(value=EpisodesEnded(episodes=EpisodeColumns() as columns, progress=TrainingProgress() as progress)):
                assert len(columns.timesteps) == len(columns.rewards) == len(columns.lengths) == len(columns.reached_goal)
                if columns.lengths:
                    assert columns.first_episode == number + 1
                number += len(columns.lengths)
                assert progress.episodes == number
                assert all(a <= b for a, b in zip([steps, *columns.timesteps], columns.timesteps, strict=False))
                steps = progress.timesteps
    config = read_config(text)
    assert steps >= config.timesteps
    found = checkpoints_of(run)
    assert len(found) >= 2
    assert all(c.validation is not None and c.validation.episodes == 500 and c.probe is not None and c.probe.actions for c in found)
    message = run.to_message()
    assert message.held_out is not None
    assert message.held_out.episodes == 1000
    exported = next(run.folder.model.glob("*"))
    assert {path.name for path in exported.iterdir()} == {"manifest.json", "parity.json", "policy.onnx"}


async def test_the_same_seed_gives_the_same_curve_and_the_same_weights(supervisor: Supervisor, tmp_path: Path) -> None:
    runs = [await finished(supervisor.start(order(CONFIG, seed=seed))) for seed in (7, 8)]
    # The second run of the seed is made by a process that rehearsed before it knew of the run.
    warm = Supervisor(tmp_path / "warm", ("cpu",), queue_limit=4, stop_grace_s=120, keep_warm=True)
    warm.open()
    while warm._launcher._waiting is None:
        await asyncio.sleep(0.01)
    process = warm._launcher._waiting
    runs.insert(1, await finished(warm.start(order(CONFIG, seed=7))))
    assert process.returncode == 0
    await warm.close()
    hashes = [json.loads(next(run.folder.model.glob("*/manifest.json")).read_text())["sha256"] for run in runs]

    def curve(run: TrainingRun) -> list[tuple[int, float, int, bool]]:
        found = []
        for event in events_of(run):
            match event.event:
                case Oneof(value=EpisodesEnded(episodes=EpisodeColumns() as e)):
                    found += list(zip(e.timesteps, e.rewards, e.lengths, e.reached_goal, strict=True))
        return found

    assert curve(runs[0]) == curve(runs[1]) != curve(runs[2])
    assert [c.probe for c in checkpoints_of(runs[0])] == [c.probe for c in checkpoints_of(runs[1])]
    # The metadata of the file names the run, so the weights are compared by the checkpoints.
    assert len(set(hashes)) == 3
    assert weights(runs[0]) == weights(runs[1]) != weights(runs[2])


def weights(run: TrainingRun) -> list[bytes]:
    import onnx

    model = onnx.load(next(run.folder.model.glob("*/policy.onnx")))
    return [tensor.raw_data for tensor in model.graph.initializer]


async def test_a_stopped_run_goes_on_from_its_last_step(supervisor: Supervisor) -> None:
    run = supervisor.start(order(CONFIG.replace("timesteps: 24576", "timesteps: 2000000")))
    async with asyncio.timeout(LIMIT_S):
        while not checkpoints_of(run):
            await run.log.wait_beyond(run.log.last_sequence, 1)
        await supervisor.stop(run)
    assert run.state is TrainingState.STOPPED
    assert run.resumable
    last = run.folder.saved_checkpoints()[-1]
    assert checkpoints_of(run)[-1].timesteps == last.timesteps
    more = order(
        CONFIG.replace("timesteps: 24576", f"timesteps: {last.timesteps + 10_000}"),
        resumed_from=run.run_id,
        resumed_checkpoint=f"{run.run_id}/checkpoints/{last.path.name}",
    )
    again = await finished(supervisor.start(more))
    assert all(checkpoint.timesteps > last.timesteps for checkpoint in checkpoints_of(again))
    assert again.to_message().latest.timesteps >= last.timesteps + 10_000  # type: ignore[union-attr]


async def test_a_training_that_diverges_fails_with_the_reason(supervisor: Supervisor) -> None:
    run = supervisor.start(order(CONFIG.replace("batch_size: 512", "batch_size: 512, learning_rate: 1.0e+30")))
    async with asyncio.timeout(LIMIT_S):
        while not run.final:
            await run.log.wait_beyond(run.log.last_sequence, 1)
    assert run.state is TrainingState.FAILED
    assert "diverged" in run.facts.failure
    assert "Lower the learning rate" in run.facts.failure
    # The first update of the weights, after 2,048 steps, ruins them: what was saved before is kept, and nothing was saved after it.
    assert [checkpoint.timesteps for checkpoint in run.folder.saved_checkpoints()] == [0, 1024, 2048]
    assert run.facts.failure.endswith("The checkpoint of 2,048 steps is kept.")
    assert run.resumable


async def test_a_buffer_that_no_memory_holds_is_said(supervisor: Supervisor) -> None:
    run = supervisor.start(order(DQN.replace("buffer_size: 10000", "buffer_size: 1000000000000000")))
    async with asyncio.timeout(LIMIT_S):
        while not run.final:
            await run.log.wait_beyond(run.log.last_sequence, 1)
    assert run.state is TrainingState.FAILED
    assert run.facts.failure.startswith("The memory was not enough.")
