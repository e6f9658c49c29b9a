"""`rlmaze.training.v1.TrainingService`: translates requests for the supervisor, and nothing else."""

import asyncio
import base64
import binascii
import datetime
import errno
import logging
import math
from collections.abc import AsyncIterator
from typing import Any, Literal

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.request import RequestContext
from protobuf import Oneof
from protobuf.wkt.google.protobuf.duration_pb import Duration
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.training.v1.training_pb import Training
from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingService
from rlmaze_api.rlmaze.training.v1.training_service_pb import (
    GetTrainingDefaultsRequest,
    GetTrainingDefaultsResponse,
    GetTrainingRequest,
    GetTrainingResponse,
    ListTrainingsRequest,
    ListTrainingsResponse,
    StartTrainingRequest,
    StartTrainingResponse,
    StopTrainingRequest,
    StopTrainingResponse,
    TrainingBusy,
    TrainingEvents,
    TrainingHeartbeat,
    WatchGpuRequest,
    WatchGpuResponse,
    WatchTrainingRequest,
    WatchTrainingResponse,
)
from rlmaze_train.config import maze_sets
from rlmaze_trainer.configuration import presets, read_config, schema_json, written_out
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.supervisor import GoingDown, Order, QueueFull, RequestReused, Supervisor
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
_PAGE = 50
Context = RequestContext[Any, Any]


class TrainingServiceServer(TrainingService):
    """The service.

    Args:
        supervisor: Owns the runs.
        gpus: Reads the GPUs.
        heartbeat_s: Silence after which a heartbeat is sent; tests shorten it.
    """

    def __init__(self, supervisor: Supervisor, gpus: GpuReader, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._supervisor = supervisor
        self._gpus = gpus
        self._heartbeat_s = heartbeat_s
        self._going_down = asyncio.Event()

    def go_down(self) -> None:
        """Ends all streams: their clients come back later, or elsewhere."""
        self._going_down.set()

    async def start_training(self, request: StartTrainingRequest, _ctx: Context) -> StartTrainingResponse:
        """Accepts a run."""
        order = self._resumed(request) if request.resume_from else self._fresh(request)
        try:
            run = self._supervisor.start(order)
        except QueueFull as error:
            raise ConnectError(Code.RESOURCE_EXHAUSTED, str(error), [self._busy(error)]) from error
        except RequestReused as error:
            raise ConnectError(Code.ALREADY_EXISTS, f"request_id was used for another request, which started {error}") from error
        except GoingDown as error:
            raise ConnectError(Code.UNAVAILABLE, "the trainer is going down; try again when it is back") from error
        except LookupError as error:
            raise ConnectError(Code.INVALID_ARGUMENT, f"device: {error.args[0]}") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ConnectError(Code.RESOURCE_EXHAUSTED, "the trainer's disk is full; free some space and try again") from error
            raise
        return StartTrainingResponse(training=self._message(run))

    def _busy(self, full: QueueFull) -> TrainingBusy:
        return TrainingBusy(
            running=[self._message(run) for run in full.running],
            queued=full.queued,
            queue_limit=self._supervisor.queue_limit,
            retry_after=Duration.from_timedelta(datetime.timedelta(seconds=math.ceil(full.retry_after_s))),
        )

    def _fresh(self, request: StartTrainingRequest) -> Order:
        config = read_config(request.config_yaml)
        seed = request.seed if request.has_field("seed") else config.seeds[0]
        config = config.model_copy(update={"seeds": (seed,)})
        return Order(config, written_out(config), seed, request_id=request.request_id)

    def _resumed(self, request: StartTrainingRequest) -> Order:
        run = self._find(request.resume_from)
        if not run.resumable:
            raise ConnectError(
                Code.FAILED_PRECONDITION,
                f"{run.run_id} can't be resumed: that needs a run that was stopped or failed, with a checkpoint and steps left to learn",
            )
        config = read_config(run.folder.config.read_text(encoding="utf-8"))
        checkpoint = run.folder.saved_checkpoints()[-1]
        return Order(
            config,
            written_out(config),
            run.facts.seed,
            resumed_from=run.run_id,
            resumed_checkpoint=f"{run.run_id}/checkpoints/{checkpoint.path.name}",
            request_id=request.request_id,
        )

    async def stop_training(self, request: StopTrainingRequest, _ctx: Context) -> StopTrainingResponse:
        """Ends a run; the final state of one that had ended is the answer."""
        run = self._find(request.run_id)
        # The run is stopped also when the caller does not wait for it.
        await asyncio.shield(self._supervisor.stop(run))
        return StopTrainingResponse(training=self._message(run))

    async def get_training(self, request: GetTrainingRequest, _ctx: Context) -> GetTrainingResponse:
        """Returns one run."""
        return GetTrainingResponse(training=self._message(self._find(request.run_id)))

    async def list_trainings(self, request: ListTrainingsRequest, _ctx: Context) -> ListTrainingsResponse:
        """Returns a page of runs, the newest first."""
        runs = self._supervisor.newest_first()
        first = 0
        if request.page_token:
            after = _page_token(request.page_token)
            ids = [run.run_id for run in runs]
            if after not in ids:
                raise ConnectError(Code.INVALID_ARGUMENT, "page_token: it is none of this list")
            first = ids.index(after) + 1
        page = runs[first : first + (request.page_size or _PAGE)]
        more = first + len(page) < len(runs)
        token = base64.urlsafe_b64encode(page[-1].run_id.encode()).decode() if more else ""
        return ListTrainingsResponse(trainings=[self._message(run) for run in page], next_page_token=token)

    async def watch_training(self, request: WatchTrainingRequest, _ctx: Context) -> AsyncIterator[WatchTrainingResponse]:
        """Streams a run. A watcher that is slow reads the log later: nothing is kept for it, and nothing is left out."""
        run = self._find(request.run_id)
        after = request.after_sequence
        if after > run.log.last_sequence:
            raise ConnectError(Code.INVALID_ARGUMENT, f"after_sequence: the run has {run.log.last_sequence} events so far, got {after}")
        yield WatchTrainingResponse(message=Oneof[Literal["training"], Training]("training", self._message(run)))
        while True:
            if events := run.log.read(after):
                after = events[-1].sequence
                yield WatchTrainingResponse(message=Oneof[Literal["events"], TrainingEvents]("events", TrainingEvents(events=events)))
                continue
            if run.final:
                return
            if self._going_down.is_set():
                raise ConnectError(Code.UNAVAILABLE, "the trainer is going down; come back with after_sequence")
            if not await self._wait(run, after) and not self._going_down.is_set():
                beat = TrainingHeartbeat(server_ts=Timestamp.now())
                yield WatchTrainingResponse(message=Oneof[Literal["heartbeat"], TrainingHeartbeat]("heartbeat", beat))

    async def _wait(self, run: TrainingRun, after: int) -> bool:
        """Waits for an event after one, the end of the service, or the time of a heartbeat; tells whether there is an event."""
        event = asyncio.ensure_future(run.log.wait_beyond(after, self._heartbeat_s))
        end = asyncio.ensure_future(self._going_down.wait())
        try:
            await asyncio.wait((event, end), return_when=asyncio.FIRST_COMPLETED)
            return event.done() and event.result()
        finally:
            event.cancel()
            end.cancel()

    async def watch_gpu(self, request: WatchGpuRequest, _ctx: Context) -> AsyncIterator[WatchGpuResponse]:
        """Streams readings of the GPUs."""
        interval = (request.interval_ms or 1000) / 1000
        while True:
            yield WatchGpuResponse(sample=await self._gpus.read())
            try:
                await asyncio.wait_for(self._going_down.wait(), interval)
            except TimeoutError:
                continue
            raise ConnectError(Code.UNAVAILABLE, "the trainer is going down")

    async def get_training_defaults(self, _request: GetTrainingDefaultsRequest, _ctx: Context) -> GetTrainingDefaultsResponse:
        """Returns what a form needs."""
        return GetTrainingDefaultsResponse(
            presets=list(presets()),
            schema_json=schema_json(),
            devices=list(self._supervisor.devices),
            maze_sets=list(maze_sets()),
            queue_limit=self._supervisor.queue_limit,
        )

    def _find(self, run_id: str) -> TrainingRun:
        run = self._supervisor.get(run_id)
        if run is None:
            raise ConnectError(Code.NOT_FOUND, f"there is no run {run_id}")
        return run

    def _message(self, run: TrainingRun) -> Training:
        return run.to_message(self._supervisor.queue_position(run))


def _page_token(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise ConnectError(Code.INVALID_ARGUMENT, "page_token: it is none of this list") from error
