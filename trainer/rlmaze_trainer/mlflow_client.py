"""The few calls of MLflow's REST interface that following a run needs, over the HTTP client that the service has anyway.

Importing MLflow's own client costs seconds and more memory than the whole service; see docs/adr/0033.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pyqwest

# Limits of MLflow's store; more is refused.
MOST_METRICS = 1_000
MOST_PARAMS = 100
LONGEST_PARAM = 6_000
LONGEST_TAG = 8_000

TRAINING_RUN_TAG = "rlmaze.training_run_id"
_BUSY = 429
# Points at the newest version of a registered model. MLflow reserves the name "latest" for itself: models:/<name>@latest finds it too.
ALIAS = "newest"


class MLflowAway(Exception):
    """MLflow does not answer, or not now: the same call may work later."""


class MLflowRefused(Exception):
    """MLflow answered that the call is wrong: the same call will never work."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Metric:
    """One point of a curve."""

    key: str
    value: float
    step: int
    timestamp_ms: int


@dataclass(frozen=True)
class MLflowRun:
    """A run as MLflow knows it."""

    run_id: str
    experiment_id: str
    artifact_uri: str
    status: str


def _run_of(answer: Mapping[str, Any]) -> MLflowRun:
    found = answer["info"]
    return MLflowRun(found["run_id"], found["experiment_id"], found.get("artifact_uri", ""), found.get("status", ""))


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


class MLflowClient:
    """Speaks to one MLflow server. Every call may raise MLflowAway or MLflowRefused.

    Args:
        address: MLFLOW_TRACKING_URI, an http or https address.
        limit_s: Seconds that one call may take.
    """

    def __init__(self, address: str, limit_s: float = 10.0) -> None:
        self._address = address.rstrip("/")
        self._transport = pyqwest.HTTPTransport(timeout=limit_s, connect_timeout=min(limit_s, 3.0), enable_otel=False)
        self._http = pyqwest.Client(self._transport)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._transport.aclose()

    async def experiment(self, name: str) -> str:
        """Returns the id of the experiment of a name; makes it where there is none, and brings a deleted one back."""
        try:
            found = (await self._get("experiments/get-by-name", {"experiment_name": name}))["experiment"]
        except MLflowRefused as refused:
            if refused.code != "RESOURCE_DOES_NOT_EXIST":
                raise
        else:
            if found.get("lifecycle_stage") == "deleted":
                await self._post("experiments/restore", {"experiment_id": found["experiment_id"]})
            return str(found["experiment_id"])
        try:
            return str((await self._post("experiments/create", {"name": name}))["experiment_id"])
        except MLflowRefused as refused:
            if refused.code != "RESOURCE_ALREADY_EXISTS":
                raise
        return str((await self._get("experiments/get-by-name", {"experiment_name": name}))["experiment"]["experiment_id"])

    async def find_run(self, experiment_id: str, training_run_id: str) -> MLflowRun | None:
        """Returns the run that was made for a training run, however often it was tried."""
        wanted = {
            "experiment_ids": [experiment_id],
            "filter": f"tags.`{TRAINING_RUN_TAG}` = '{training_run_id}'",
            "max_results": 1,
            "order_by": ["attributes.start_time ASC"],
        }
        found = (await self._post("runs/search", wanted)).get("runs", [])
        return _run_of(found[0]) if found else None

    async def create_run(self, experiment_id: str, name: str, started_at_ms: int, tags: Mapping[str, str]) -> MLflowRun:
        """Makes a run."""
        wanted = {"experiment_id": experiment_id, "run_name": name, "start_time": started_at_ms, "tags": _pairs(tags)}
        return _run_of((await self._post("runs/create", wanted))["run"])

    async def run(self, run_id: str) -> MLflowRun:
        """Reads a run."""
        return _run_of((await self._get("runs/get", {"run_id": run_id}))["run"])

    async def update_run(self, run_id: str, status: str, ended_at_ms: int | None = None) -> None:
        """Sets the state of a run: RUNNING, FINISHED, KILLED or FAILED."""
        wanted: dict[str, Any] = {"run_id": run_id, "status": status}
        if ended_at_ms is not None:
            wanted["end_time"] = ended_at_ms
        await self._post("runs/update", wanted)

    async def log(
        self, run_id: str, metrics: Sequence[Metric] = (), params: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Writes metrics, parameters and tags, in as few calls as MLflow allows. What is there already stays as it is."""
        points = [{"key": m.key, "value": m.value, "step": m.step, "timestamp": m.timestamp_ms} for m in metrics]
        given = _pairs(params or {})
        first = True
        while points or given or (first and tags):
            batch: dict[str, Any] = {"run_id": run_id}
            batch["params"], given = given[:MOST_PARAMS], given[MOST_PARAMS:]
            # Metrics, parameters and tags of one call share the limit.
            room = MOST_METRICS - len(batch["params"]) - (len(tags) if first and tags else 0)
            batch["metrics"], points = points[:room], points[room:]
            if first and tags:
                batch["tags"] = _pairs(tags)
            first = False
            await self._post("runs/log-batch", batch)

    async def put_artifact(self, run: MLflowRun, path: str, content: bytes) -> None:
        """Writes an artifact of a run, or writes it again."""
        place = urlsplit(run.artifact_uri)
        if place.scheme != "mlflow-artifacts":
            raise MLflowRefused("ARTIFACTS", "this MLflow server does not serve artifacts; start it with --serve-artifacts")
        address = f"{self._address}/api/2.0/mlflow-artifacts/artifacts{quote(place.path)}/{quote(path)}"
        await self._answer("PUT", address, content, None)

    async def register(self, name: str, run: MLflowRun, path: str, tags: Mapping[str, str]) -> str:
        """Makes a folder of a run's artifacts the next version of a registered model, once, and points the alias at it."""
        try:
            await self._post("registered-models/create", {"name": name})
        except MLflowRefused as refused:
            if refused.code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = (await self._get("model-versions/search", {"filter": f"name = '{name}' and run_id = '{run.run_id}'"})).get(
            "model_versions", []
        )
        if found:
            version = str(found[0]["version"])
        else:
            wanted = {"name": name, "source": f"{run.artifact_uri}/{path}", "run_id": run.run_id, "tags": _pairs(tags)}
            version = str((await self._post("model-versions/create", wanted))["model_version"]["version"])
        await self._post("registered-models/alias", {"name": name, "alias": ALIAS, "version": version})
        return version

    async def tag_version(self, name: str, version: str, key: str, value: str) -> None:
        """Writes a tag of a model version."""
        await self._post("model-versions/set-tag", {"name": name, "version": version, "key": key, "value": value})

    async def _get(self, call: str, params: dict[str, str | None]) -> dict[str, Any]:
        return await self._answer("GET", f"{self._address}/api/2.0/mlflow/{call}", None, params.items())

    async def _post(self, call: str, content: Mapping[str, Any]) -> dict[str, Any]:
        return await self._answer("POST", f"{self._address}/api/2.0/mlflow/{call}", json.dumps(content).encode(), None)

    async def _answer(
        self, method: str, address: str, content: bytes | None, params: Iterable[tuple[str, str | None]] | None
    ) -> dict[str, Any]:
        kind = "application/octet-stream" if method == "PUT" else "application/json"
        try:
            answer = await self._http.execute(method, address, {"content-type": kind}, content, params=params)
        except (OSError, pyqwest.ReadError, pyqwest.WriteError, pyqwest.RemoteProtocolError, pyqwest.StreamError) as error:
            raise MLflowAway(f"{type(error).__name__}: {error}") from error
        try:
            found = json.loads(answer.content or b"{}")
        except ValueError:
            found = {}
        if not isinstance(found, dict):
            found = {}
        if answer.status >= 500 or answer.status == _BUSY:
            raise MLflowAway(f"status {answer.status}")
        if answer.status >= 400:
            raise MLflowRefused(str(found.get("error_code", answer.status)), str(found.get("message", "")))
        return found
