"""The trainer's ASGI application and its server: the Connect service and `GET /health`."""

import asyncio
import hmac
import json
import logging
import re
import secrets
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from types import FrameType
from typing import Any

import protovalidate
import uvicorn
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.request import RequestContext

from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceASGIApplication
from rlmaze_trainer.devices import find_devices
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.launcher import RUN_PROCESS
from rlmaze_trainer.mlflow_client import MLflowClient
from rlmaze_trainer.mlflow_follower import Follower
from rlmaze_trainer.registration import Registrar
from rlmaze_trainer.service import TrainingServiceServer
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.supervisor import Supervisor

log = logging.getLogger("rlmaze_trainer")

REQUEST_ID_HEADER = "x-request-id"
TRACEPARENT_HEADER = "traceparent"
# 00-<trace id>-<id of the caller's part>-<flags>, as W3C Trace Context has it; neither id is all zeros.
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_READ_MAX_BYTES = 128 << 10  # a configuration has at most 64 KiB
_END_S = 2  # for streams to end after a signal
Context = RequestContext[Any, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Guard:
    """Checks the token and the contract's rules, hides what must not leave the process, and logs every call. The outermost interceptor."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def _admit(self, request: Any, ctx: Context) -> None:
        if self._token:
            given = (ctx.request_headers.get("authorization") or "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._token):
                raise ConnectError(Code.UNAUTHENTICATED, "this trainer needs its token: Authorization: Bearer <TRAINER_TOKEN>")
        try:
            protovalidate.validate(request)
        except protovalidate.ValidationError as error:
            raise ConnectError(Code.INVALID_ARGUMENT, str(error), [error.to_proto()]) from error

    async def intercept_unary(self, call_next: Callable[[Any, Context], Awaitable[Any]], request: Any, ctx: Context) -> Any:
        """Guards a unary call."""
        with _Entry(ctx):
            self._admit(request, ctx)
            return await call_next(request, ctx)

    async def intercept_server_stream(
        self, call_next: Callable[[Any, Context], AsyncIterator[Any]], request: Any, ctx: Context
    ) -> AsyncIterator[Any]:
        """Guards a stream."""
        with _Entry(ctx):
            self._admit(request, ctx)
            async for response in call_next(request, ctx):
                yield response


class _Entry:
    """One line of the access log, and the end of errors that are nobody's business."""

    def __init__(self, ctx: Context) -> None:
        self._procedure = f"/{ctx.method.service_name}/{ctx.method.name}"
        given = ctx.request_headers.get(REQUEST_ID_HEADER) or ""
        self._request_id = given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else secrets.token_hex(12)
        ctx.response_headers[REQUEST_ID_HEADER] = self._request_id
        trace = _TRACEPARENT.fullmatch(ctx.request_headers.get(TRACEPARENT_HEADER) or "")
        self._trace_id = trace[1] if trace else secrets.token_hex(16)

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        code = "ok"
        hidden = False
        if isinstance(error, ConnectError):
            code = error.code.value
        elif isinstance(error, Exception):
            code, hidden = Code.INTERNAL.value, True
        elif error is not None:
            code = Code.CANCELED.value  # the caller left
        asked_all_the_time = code == "ok" and self._procedure.endswith("/ListTrainings")  # the server looks for new runs
        log.log(
            logging.ERROR if hidden else logging.DEBUG if asked_all_the_time else logging.INFO,
            "request",
            extra={
                "request_id": self._request_id,
                "trace_id": self._trace_id,
                "procedure": self._procedure,
                "code": code,
                "duration_ms": round(1000 * (time.perf_counter() - self._began), 3),
            },
            exc_info=error if hidden else None,
        )
        if hidden:
            raise ConnectError(Code.INTERNAL, f"internal error; the trainer's log has it under request {self._request_id}") from None


class Application:
    """The trainer.

    Args:
        settings: What the environment says.
        supervisor: Owns the runs; made from the settings where it is None.
        gpus: Reads the GPUs.
        command: The program that runs one folder.
    """

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor | None = None,
        gpus: GpuReader | None = None,
        command: Sequence[str] = RUN_PROCESS,
    ) -> None:
        self._settings = settings
        self._command = command
        self._gpus = gpus or GpuReader()
        self._supervisor = supervisor
        self._service: TrainingServiceServer | None = None
        self._going_down: asyncio.Task[None] | None = None
        self._connect = TrainingServiceASGIApplication(
            self._serve(), interceptors=[Guard(settings.trainer_token)], read_max_bytes=_READ_MAX_BYTES
        )

    async def _make_supervisor(self) -> Supervisor:
        settings = self._settings
        return Supervisor(
            settings.trainer_runs_dir,
            await find_devices(self._gpus),
            settings.trainer_queue_limit,
            settings.trainer_stop_grace_ms / 1000,
            self._command,
            keep_warm=settings.trainer_warm,
            registrar=Registrar(settings.server_url, settings.server_token) if settings.server_url else None,
        )

    async def _serve(self) -> AsyncGenerator[TrainingServiceServer, None]:
        supervisor = self._supervisor = self._supervisor or await self._make_supervisor()
        supervisor.open()
        follower = None
        if self._settings.mlflow_tracking_uri:
            follower = Follower(supervisor.newest_first, MLflowClient(self._settings.mlflow_tracking_uri))
            follower.open()
        self._service = TrainingServiceServer(supervisor, self._gpus)
        log.info("serving on http://%s, devices %s", self._settings.trainer_addr, ", ".join(supervisor.devices))
        try:
            yield self._service
        finally:
            await supervisor.close()
            if follower is not None:
                await follower.close()
            supervisor.release()

    def go_down(self) -> None:
        """Ends the runs, whose watchers learn how, then all streams that are left, so that the server can end. Returns at once."""
        if self._service is not None and self._going_down is None:
            self._going_down = asyncio.get_running_loop().create_task(self._go_down(), name="go down")

    async def _go_down(self) -> None:
        if self._supervisor is not None and self._service is not None:
            await self._supervisor.close()
            self._service.go_down()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one ASGI scope."""
        if scope["type"] == "http" and scope["path"] == "/health":
            body = json.dumps({"status": "ok" if self._service is not None else "starting"}).encode()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
            await send({"type": "http.response.body", "body": body})
            return
        await self._connect(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn that ends the streams first: it would wait for them."""

    def __init__(self, application: Application, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Is called by a signal, between two steps of the event loop."""
        asyncio.get_running_loop().call_soon_threadsafe(self._application.go_down)
        # A second Ctrl-C of an impatient person must not leave trainings behind: the first one is on its way.
        self.should_exit = True
        del frame
        self._captured_signals.append(signal.Signals(sig))


class JSONFormatter(logging.Formatter):
    """One JSON object a line, in the form of the server's log."""

    def format(self, record: logging.LogRecord) -> str:
        """Writes a record."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "msg": record.getMessage(),
        }
        for key in ("request_id", "trace_id", "procedure", "code", "duration_ms"):
            if key in record.__dict__:
                line[key] = record.__dict__[key]
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def serve(settings: Settings, command: Sequence[str] = RUN_PROCESS) -> None:
    """Serves until a signal."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    application = Application(settings, command=command)
    config = uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_END_S,
        lifespan="on",
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    Server(application, config).run()
