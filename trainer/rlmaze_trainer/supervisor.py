"""Starts, watches and ends the processes of runs: one at a time on each device, the next waits.

Whatever happens to a process, its run reaches a final state; whatever happens to this service, its next start settles what was left.
"""

import asyncio
import contextlib
import hashlib
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rlmaze_api.rlmaze.training.v1.training_pb import LogLevel, TrainingPhase, TrainingState
from rlmaze_train.config import TrainingConfig
from rlmaze_trainer.devices import choose_device
from rlmaze_trainer.event_log import EventLog, take_record
from rlmaze_trainer.launcher import RUN_PROCESS, Launcher
from rlmaze_trainer.registration import DUE, Registrar
from rlmaze_trainer.run_folder import Run, RunFolder, new_run_id, stored_runs, utc_now
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

# Exit statuses of `run_process`, which this process does not import.
_COMPLETED, _STOPPED = 0, 10
_LARGEST_UNREAD = 32 << 20
# What is assumed of a run that has not learned yet, and of what follows the learning.
_UNKNOWN_REST_S, _TAIL_S = 60.0, 5.0
_RETRY_WRITE_S = 1.0


class QueueFull(Exception):
    """No more runs may wait; the message says what runs, and since when.

    Args:
        running: The runs that hold the devices.
        queued: The number of runs that wait.
        retry_after_s: Seconds after which the first of those that run will have ended, by its pace so far.
    """

    def __init__(self, message: str, running: list[TrainingRun], queued: int, retry_after_s: float) -> None:
        super().__init__(message)
        self.running = running
        self.queued = queued
        self.retry_after_s = retry_after_s


class RequestReused(Exception):
    """The request id was used for another request."""


class GoingDown(Exception):
    """The trainer starts nothing any more."""


@dataclass(frozen=True)
class Order:
    """What a start asks for."""

    config: TrainingConfig
    config_yaml: str
    seed: int
    resumed_from: str = ""
    resumed_checkpoint: str = ""
    request_id: str = ""

    @property
    def digest(self) -> str:
        """Names the content of the order, so that a repeated one is known."""
        parts = (self.config_yaml, str(self.seed), self.resumed_from)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class _Process:
    """The process of a run."""

    def __init__(self, run: TrainingRun, process: asyncio.subprocess.Process) -> None:
        self.run = run
        self.process = process
        self.stop_asked = asyncio.Event()

    def ask_to_stop(self) -> None:
        """Asks for an end after the last step."""
        self.stop_asked.set()
        if self.process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self.process.stdin.write(b"stop\n")

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class Supervisor:
    """All runs of this trainer.

    Args:
        folder: Where run folders lie.
        devices: What can be trained on.
        queue_limit: Runs that may wait, over all devices.
        stop_grace_s: How long a process may take to end by itself.
        command: The program that runs one folder; tests put another one.
        keep_warm: Whether a process that is ready to learn waits for the next run.
        registrar: Registers models at the server; None where no server is configured.
    """

    def __init__(
        self,
        folder: Path,
        devices: Sequence[str],
        queue_limit: int,
        stop_grace_s: float,
        command: Sequence[str] = RUN_PROCESS,
        keep_warm: bool = False,
        registrar: Registrar | None = None,
    ) -> None:
        self._folder = folder
        self.devices = tuple(devices)
        self.queue_limit = queue_limit
        self._stop_grace_s = stop_grace_s
        self._launcher = Launcher(command, keep_warm)
        self._registrar = registrar
        self._runs: dict[str, TrainingRun] = {}
        self._by_request: dict[str, TrainingRun] = {}
        self._waiting: list[TrainingRun] = []
        self._running: dict[str, _Process | None] = {}  # by device; None while the process is made
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: dict[str, asyncio.Event] = {}
        self._going_down = False
        self._closing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Reads the stored runs and settles what an earlier service left: queued runs wait again, running ones have failed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for facts, folder in stored_runs(self._folder):
            run = TrainingRun(facts, folder, EventLog.open(folder.events))
            self._remember(run)
            match facts.state:
                case TrainingState.QUEUED:
                    self._waiting.append(run)
                case TrainingState.RUNNING if run.phase is TrainingPhase.REGISTERING:
                    run.change(TrainingState.COMPLETED)  # all of its work was done; its model is offered again
                case TrainingState.RUNNING:
                    run.change(TrainingState.FAILED, reason=self._kept(run, "The trainer ended while this run was learning."))
                case TrainingState.STOPPING:
                    run.change(TrainingState.STOPPED)
                case _ if run.told_state is not run.state:
                    run.change(run.state, reason=facts.failure)  # the disk was full when its end was to be told
                case _:
                    pass
        if self._registrar is not None:
            self._registrar.open(self._runs.values())
        self._start_next()
        self._warm_up()

    def _warm_up(self) -> None:
        """Gets ready for the next run while nothing learns; a run that learns has the processors for itself."""
        if not self._running and not self._going_down:
            self._launcher.warm_up()

    def _remember(self, run: TrainingRun) -> None:
        self._runs[run.run_id] = run
        self._ended[run.run_id] = asyncio.Event()
        if run.final:
            self._ended[run.run_id].set()
        if run.facts.request_id:
            self._by_request[run.facts.request_id] = run

    def get(self, run_id: str) -> TrainingRun | None:
        """Returns a run, or None."""
        return self._runs.get(run_id)

    def newest_first(self) -> list[TrainingRun]:
        """All runs, the newest first."""
        return list(reversed(self._runs.values()))

    def queue_position(self, run: TrainingRun) -> int:
        """How many runs are started before this one."""
        same = [one for one in self._waiting if one.facts.device == run.facts.device]
        return same.index(run) if run in same else 0

    def start(self, order: Order) -> TrainingRun:
        """Accepts a run and starts it when its device is free.

        Raises:
            GoingDown: The trainer ends.
            QueueFull: Too many wait.
            RequestReused: The request id belongs to another order.
            LookupError: The configuration wants a device that is not here.
            OSError: The disk is full.
        """
        if self._going_down:
            raise GoingDown
        if order.request_id and (known := self._by_request.get(order.request_id)):
            if known.facts.request_digest != order.digest:
                raise RequestReused(known.run_id)
            return known
        device = choose_device(order.config.device, self.devices)
        if device in self._running and len(self._waiting) >= self.queue_limit:
            raise self._queue_full(device)
        facts = Run(
            run_id=new_run_id(order.config.name),
            state=TrainingState.QUEUED,
            name=order.config.name,
            title=order.config.title,
            algorithm=f"{order.config.algorithm}",
            observation=order.config.observation,
            timesteps=order.config.timesteps,
            seed=order.seed,
            device=device,
            created_at=utc_now(),
            resumed_from=order.resumed_from,
            resumed_checkpoint=order.resumed_checkpoint,
            request_id=order.request_id,
            request_digest=order.digest,
        )
        folder = RunFolder(self._folder / facts.run_id)
        folder.create(facts, order.config_yaml)
        run = TrainingRun(facts, folder, EventLog.open(folder.events))
        run.change(TrainingState.QUEUED)
        self._remember(run)
        self._waiting.append(run)
        self._start_next()
        return run

    def _queue_full(self, device: str) -> QueueFull:
        running = [active.run for active in self._running.values() if active is not None]
        words = f"{len(self._waiting)} runs wait already, which is the limit"
        active = self._running.get(device)
        if active is not None:
            facts = active.run.facts
            since = f" since {facts.started_at:%H:%M:%S} UTC" if facts.started_at else ""
            words += f"; {facts.run_id} runs on {device}{since}"
        rest_s = min((self._rest_s(run) for run in running), default=_UNKNOWN_REST_S)
        return QueueFull(f"{words}. Stop one of them, or try again when it has ended.", running, len(self._waiting), rest_s)

    @staticmethod
    def _rest_s(run: TrainingRun) -> float:
        """Estimates the seconds until a run ends, from its pace so far."""
        learned, started = run.timesteps, run.facts.started_at
        if not learned or started is None:
            return _UNKNOWN_REST_S
        passed = (utc_now() - started).total_seconds()
        return max(0.0, passed * (run.facts.timesteps / learned - 1)) + _TAIL_S

    def _start_next(self) -> None:
        for run in list(self._waiting):
            device = run.facts.device
            if device in self._running or self._going_down:
                continue
            self._waiting.remove(run)
            self._running[device] = None
            self._begin(run)
            task = asyncio.create_task(self._conduct(run), name=f"run {run.run_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _begin(self, run: TrainingRun) -> None:
        # Before anything is awaited: a stop that comes now must find a run that can be stopped.
        try:
            run.change(TrainingState.RUNNING, TrainingPhase.PREPARING)
        except OSError:
            log.exception("run %s: its start can't be written", run.run_id)

    async def _conduct(self, run: TrainingRun) -> None:
        """Takes a run from its start to its final state."""
        device = run.facts.device
        try:
            state, reason = await self._run_process(run)
            if state is TrainingState.COMPLETED:
                await self._finish(run)
            else:
                await self._settle(run, state, reason)
        except Exception:
            log.exception("run %s", run.run_id)
            await self._settle(run, TrainingState.FAILED, "The trainer could not run it; its log says why.")
        finally:
            del self._running[device]
            self._ended[run.run_id].set()
            self._start_next()
            self._warm_up()

    async def _finish(self, run: TrainingRun) -> None:
        """Tells what the model reached, gives the server a moment to take it, and completes the run in any case."""
        run.measure()
        active = self._running[run.facts.device]
        if self._registrar is None or active is None:
            await self._settle(run, TrainingState.COMPLETED, "")
            return
        run.facts.registration = DUE
        if run.state is TrainingState.RUNNING:
            run.change(TrainingState.RUNNING, TrainingPhase.REGISTERING)
            self._registrar.add(run)
            decided = asyncio.ensure_future(self._registrar.wait(run))
            # Who stops the run now does not have to wait for the server.
            stopped = asyncio.ensure_future(active.stop_asked.wait())
            await asyncio.wait((decided, stopped), return_when=asyncio.FIRST_COMPLETED)
            for task in (decided, stopped):
                task.cancel()
        else:
            self._registrar.add(run)
        await self._settle(run, TrainingState.COMPLETED, "")

    async def _settle(self, run: TrainingRun, state: TrainingState, reason: str) -> None:
        """Brings a run to its final state. A full disk delays that: a watcher hears of it when it is written, and never before."""
        told = False
        while True:
            try:
                run.change(state, reason=reason)
                return
            except OSError:
                if not told:
                    log.exception("run %s: its end can't be written yet", run.run_id)
                told = True
            if self._going_down:
                return  # the next start finds a run that was left RUNNING, and settles it
            await asyncio.sleep(_RETRY_WRITE_S)

    def _called_off(self, run: TrainingRun) -> bool:
        return run.state is TrainingState.STOPPING or self._going_down

    async def _run_process(self, run: TrainingRun) -> tuple[TrainingState, str]:
        """Runs the process; returns the final state and the reason of a failure."""
        if self._called_off(run):
            return TrainingState.STOPPED, ""
        process = await self._launcher.start(run.folder)
        active = _Process(run, process)
        self._running[run.facts.device] = active
        if self._called_off(run):
            active.ask_to_stop()
            active.kill()  # it has done nothing yet
        broken = ""
        try:
            broken = await self._follow(active)
        finally:
            if process.returncode is None and broken:
                active.kill()
            status = await process.wait()
        return self._judge(active, status, broken)

    async def _follow(self, active: _Process) -> str:
        """Takes the events of a process until it ends; returns what was wrong with them."""
        assert active.process.stdout is not None
        buffer = bytearray()
        while chunk := await active.process.stdout.read(1 << 18):
            buffer += chunk
            at = 0
            try:
                while (record := take_record(buffer, at)) is not None:
                    event, at = record
                    active.run.append(event)
            except ValueError:
                return "Its process sent something that is no event."
            except OSError as error:
                return f"Its events can't be written: {error.strerror}. Free some space and resume the run."
            del buffer[:at]
            if len(buffer) > _LARGEST_UNREAD:
                return "Its process sent an event without an end."
        return ""

    def _judge(self, active: _Process, status: int, broken: str) -> tuple[TrainingState, str]:
        run = active.run
        if broken:
            return TrainingState.FAILED, self._kept(run, broken)
        if status == _COMPLETED:
            return TrainingState.COMPLETED, ""
        if status == _STOPPED or active.stop_asked.is_set():
            return TrainingState.STOPPED, ""
        if status == -signal.SIGKILL:
            return TrainingState.FAILED, self._kept(run, "Its process was killed by the system, most likely because memory ran out.")
        if status < 0:
            return TrainingState.FAILED, self._kept(run, f"Its process was ended by {signal.Signals(-status).name}.")
        if run.last_error:
            return TrainingState.FAILED, self._kept(run, run.last_error)
        tail = run.folder.tail_of_process_log().splitlines()
        return TrainingState.FAILED, self._kept(run, f"Its process ended with status {status}. {tail[-1] if tail else ''}".strip())

    @staticmethod
    def _kept(run: TrainingRun, reason: str) -> str:
        checkpoints = run.folder.saved_checkpoints()
        kept = checkpoints[-1].timesteps if checkpoints else 0
        return f"{reason} The checkpoint of {kept:,} steps is kept." if kept else reason

    async def stop(self, run: TrainingRun) -> None:
        """Ends a run and returns when it has ended; does nothing to one that had."""
        if run.final:
            return
        if run in self._waiting:
            self._waiting.remove(run)
            run.change(TrainingState.STOPPED)
            self._ended[run.run_id].set()
            return
        if run.state is TrainingState.RUNNING and run.phase is not TrainingPhase.REGISTERING:
            with contextlib.suppress(OSError):  # a full disk keeps nobody from stopping
                run.change(TrainingState.STOPPING, run.phase)
        active = self._running.get(run.facts.device)
        if active is not None and active.run is run:
            active.ask_to_stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended[run.run_id].wait(), self._stop_grace_s)
        active = self._running.get(run.facts.device)
        if not run.final and active is not None and active.run is run:
            active.kill()
            with contextlib.suppress(OSError):
                run.say("Its process did not end in time; it is ended after its last checkpoint.", LogLevel.WARNING)
        await self._ended[run.run_id].wait()

    async def close(self) -> None:
        """Stops all runs; those that wait stay QUEUED for the next start. Nothing runs when it returns. Bears being called twice."""
        self._going_down = True
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await asyncio.gather(*(self.stop(run) for run in self._runs.values() if not run.final and run not in self._waiting))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._launcher.close()
        if self._registrar is not None:
            await self._registrar.close()

    def release(self) -> None:
        """Closes the logs, when nobody reads them any more."""
        for run in self._runs.values():
            run.log.close()
