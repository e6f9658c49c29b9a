"""Registers the models of completed runs at the server, sooner or later.

A run waits a moment for the server, in phase REGISTERING; then it completes with a notice, and its model is offered again and again until
the server has taken or refused it, also after a restart. Registering the same bytes twice is the same as once, so nothing is kept about
an offer that was under way when either side died.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from rlmaze_api.rlmaze.model.v1.model_service_connect import ModelServiceClient
from rlmaze_api.rlmaze.model.v1.model_service_pb import RegisterModelRequest
from rlmaze_api.rlmaze.training.v1.training_pb import LogLevel
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

NOTICE = "registration"
DUE, REFUSED = "due", "refused"
_CALL_LIMIT_MS = 20_000
_AWAY = "The server does not answer. The model is kept here, and registered when the server is back."
# The server has looked at the model and will not take it, however often it is asked.
_FINAL = (Code.INVALID_ARGUMENT, Code.ALREADY_EXISTS, Code.FAILED_PRECONDITION)
_CLOSED = (Code.UNAUTHENTICATED, Code.PERMISSION_DENIED, Code.UNIMPLEMENTED, Code.NOT_FOUND)


class Registrar:
    """Offers models to one server.

    Args:
        address: SERVER_URL, the server's private listener.
        token: SERVER_TOKEN; empty for none.
        patience_s: How long a run waits before it completes without a registered model.
        pause_s: Time between two offers of a model.
    """

    def __init__(self, address: str, token: str = "", patience_s: float = 5.0, pause_s: float = 2.0) -> None:
        # Weights hardly shrink, and the server refuses compressed uploads.
        self._client = ModelServiceClient(address, send_compression=None, timeout_ms=_CALL_LIMIT_MS)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._patience_s = patience_s
        self._pause_s = pause_s
        self._due: dict[str, TrainingRun] = {}
        self._decided: dict[str, asyncio.Event] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def open(self, runs: Iterable[TrainingRun]) -> None:
        """Starts offering, first what an earlier service left."""
        self._task = asyncio.create_task(self._offer_all(), name="registrations")
        for run in runs:
            if run.facts.registration == DUE:
                self.add(run)

    async def close(self) -> None:
        """Stops offering; the facts of the runs say what is still due."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.close()

    def add(self, run: TrainingRun) -> None:
        """Offers the model of a run from now on."""
        self._due[run.run_id] = run
        self._decided[run.run_id] = asyncio.Event()
        self._wake.set()

    async def wait(self, run: TrainingRun) -> None:
        """Waits until the server has decided about a run's model, but no longer than patience lasts."""
        decided = self._decided.get(run.run_id)
        if decided is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(decided.wait(), self._patience_s)

    async def _offer_all(self) -> None:
        while not self._closing:
            self._wake.clear()
            for run in list(self._due.values()):
                try:
                    decided = await self._offer(run)
                except Exception:
                    log.exception("run %s: its model can't be registered", run.run_id)
                    decided = False
                if decided:
                    del self._due[run.run_id]
                    self._decided.pop(run.run_id).set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause_s if self._due else None)

    async def _offer(self, run: TrainingRun) -> bool:
        """Offers one model; returns whether that is decided now."""
        folder = run.folder.exported_model()
        if folder is None:
            self._refuse(run, "Its exported model is gone; nothing can be registered.")
            return True
        request = RegisterModelRequest(
            name=run.facts.name,
            policy_onnx=(folder / "policy.onnx").read_bytes(),
            manifest_json=(folder / "manifest.json").read_text(encoding="utf-8"),
            parity_json=(folder / "parity.json").read_text(encoding="utf-8"),
        )
        try:
            model = (await self._client.register_model(request, headers=self._headers)).model
        except ConnectError as error:
            if self._closing:
                # Connect's client turns the cancellation of this task into an error of the call; taken for one, the task would go on.
                raise asyncio.CancelledError from error
            return self._take_refusal(run, error)
        assert model is not None
        run.facts.registration = ""
        run.facts.model_id = model.model_id
        run.facts.notices.pop(NOTICE, None)
        run.tell_facts()
        run.say(f"The model is registered as {model.model_id}.")
        return True

    def _take_refusal(self, run: TrainingRun, error: ConnectError) -> bool:
        if error.code in _FINAL:
            self._refuse(run, f"The server refused the model: {error.message}")
            return True
        if error.code in _CLOSED:
            words = f"The server does not let this trainer register models ({error.message}); see SERVER_URL and SERVER_TOKEN."
        elif error.code is Code.RESOURCE_EXHAUSTED:
            words = f"The server can't take the model now: {error.message}"
        else:
            words = _AWAY
        if run.facts.notices.get(NOTICE) != words:
            log.warning("run %s: its model is not registered yet: %s: %s", run.run_id, error.code.value, error.message)
        run.notify(NOTICE, words)
        return False

    def _refuse(self, run: TrainingRun, words: str) -> None:
        run.facts.registration = REFUSED
        run.notify(NOTICE, words)
        run.say(words, LogLevel.WARNING)
