"""Writes the runs of this trainer to MLflow, beside the training and never in its way.

The follower reads the event log of each run as any watcher does and remembers in `mlflow.json` of the run's folder how far it has written.
It remembers after the write: what a crash repeats is equal to the last bit, and MLflow keeps equal points once. A run is found again by
its tag, artifacts are replaced by the same ones, a model version is made once for a run. So nothing is lost while MLflow is away, and
nothing is there twice.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState
from rlmaze_trainer.mlflow_client import TRAINING_RUN_TAG, MLflowAway, MLflowClient, MLflowRefused, MLflowRun
from rlmaze_trainer.mlflow_entries import STATUS, held_out_metrics, metrics_of, params_of, tags_of
from rlmaze_trainer.run_folder import replace_file, utc_now
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

NOTICE = "mlflow"
MODEL_PATH = "model"
_AWAY = "MLflow does not answer. The training goes on; everything is written there when it is back."
_EVERY_S, _LONGEST_PAUSE_S = 1.0, 5.0
_EVENTS_AT_ONCE = 200  # some five points each: about what one call takes
# Somebody else, who takes this trainer for dead, may settle a run in MLflow; how often, and how long after its end, that is looked after.
_AGREE_EVERY_S, _AGREE_FOR_S = 10.0, 180.0
_CLOSE_LIMIT_S = 3.0


@dataclass
class Place:
    """How far a run is written."""

    run_id: str = ""
    experiment_id: str = ""
    artifact_uri: str = ""
    sequence: int = 0  # of the last event that is written
    status: str = ""  # that MLflow was told
    version: str = ""  # of the registered model
    refused: str = ""  # why MLflow will never take this run

    @property
    def mlflow_run(self) -> MLflowRun:
        """The run in MLflow."""
        return MLflowRun(self.run_id, self.experiment_id, self.artifact_uri, self.status)


def read_place(run: TrainingRun) -> Place:
    """Reads how far a run is written; what can't be read counts as nothing, and is written again."""
    try:
        return Place(**json.loads(run.folder.mlflow.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Place()


def model_description(run: TrainingRun, place: Place, version: str) -> str:
    """Returns the file MLmodel, by which `mlflow.onnx` and `mlflow.pyfunc` load the artifact. JSON is YAML."""
    assert run.facts.ended_at is not None
    shape = {"tensor-spec": {"dtype": "float32", "shape": [-1, 25]}}
    outputs = [("action_scores", 4), ("state_value", 1)]
    found = {
        "artifact_path": MODEL_PATH,
        "flavors": {
            "onnx": {"code": None, "data": "policy.onnx", "onnx_version": version, "providers": ["CPUExecutionProvider"]},
            "python_function": {"data": "policy.onnx", "env": {}, "loader_module": "mlflow.onnx"},
        },
        "model_uuid": place.run_id,
        "run_id": place.run_id,
        "signature": {
            "inputs": json.dumps([{"type": "tensor", "name": "observation", **shape}]),
            "outputs": json.dumps(
                [{"type": "tensor", "name": name, "tensor-spec": {"dtype": "float32", "shape": [-1, width]}} for name, width in outputs]
            ),
        },
        "utc_time_created": f"{run.facts.ended_at:%Y-%m-%d %H:%M:%S.%f}",
    }
    return json.dumps(found, indent=1) + "\n"


class Follower:
    """Follows all runs of a trainer.

    Args:
        runs: Returns the runs, whenever it is asked.
        client: Speaks to MLflow.
        every_s: Time between two rounds.
    """

    def __init__(self, runs: Callable[[], Iterable[TrainingRun]], client: MLflowClient, every_s: float = _EVERY_S) -> None:
        self._runs = runs
        self._client = client
        self._every_s = every_s
        self._places: dict[str, Place] = {}
        self._failures = 0
        self._agreed_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Starts following."""
        self._task = asyncio.create_task(self._follow(), name="mlflow")

    async def close(self) -> None:
        """Writes the ends of the runs if MLflow takes them at once; the next start writes what is left."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            if not self._failures:
                with contextlib.suppress(TimeoutError, MLflowAway):
                    await asyncio.wait_for(self._write_all(), _CLOSE_LIMIT_S)
        await self._client.close()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._write_all()
                if loop.time() - self._agreed_at > _AGREE_EVERY_S:
                    await self._agree_all()
                    self._agreed_at = loop.time()
                self._failures = 0
            except MLflowAway as away:
                self._failures += 1
                log.warning("mlflow does not answer: %s", away)
                # One lost call is no news.
                if self._failures > 1:
                    self._notify(_AWAY)
            except Exception:
                self._failures += 1
                log.exception("mlflow")
            await asyncio.sleep(min(_LONGEST_PAUSE_S, self._every_s * 2 ** min(self._failures, 4)))

    def _notify(self, text: str) -> None:
        for run in self._runs():
            if self._unwritten(run) and run.state is not TrainingState.QUEUED:
                self._tell(run, text)

    @staticmethod
    def _tell(run: TrainingRun, text: str) -> None:
        with contextlib.suppress(OSError):  # the disk is full: the run has its own words for that
            run.notify(NOTICE, text)

    def _place(self, run: TrainingRun) -> Place:
        if run.run_id not in self._places:
            self._places[run.run_id] = read_place(run)
        return self._places[run.run_id]

    def _unwritten(self, run: TrainingRun) -> bool:
        place = self._place(run)
        if place.refused:
            return False
        return place.sequence < run.log.last_sequence or place.status != self._status(run)

    @staticmethod
    def _status(run: TrainingRun) -> str:
        return STATUS.get(run.state, "RUNNING")

    async def _write_all(self) -> None:
        for run in list(self._runs()):
            if run.state is TrainingState.QUEUED or not self._unwritten(run):
                continue
            try:
                await self._write(run)
            except MLflowRefused as refused:
                self._take_refusal(run, refused)
            else:
                self._tell(run, "")

    def _take_refusal(self, run: TrainingRun, refused: MLflowRefused) -> None:
        place = self._place(run)
        if refused.code == "RESOURCE_DOES_NOT_EXIST" and place.run_id:
            # MLflow came back with another database: the run is written there from its first event.
            log.warning("run %s is not in MLflow any more and is written again: %s", run.run_id, refused)
            self._places[run.run_id] = Place()
            return
        log.error("run %s is not written to MLflow: %s", run.run_id, refused)
        place.refused = str(refused)
        self._save(run, place)
        self._tell(run, f"MLflow refused the run: {refused}")

    @staticmethod
    def _save(run: TrainingRun, place: Place) -> None:
        # Not synced: what a power cut takes back is written to MLflow once more, and is there once.
        with contextlib.suppress(OSError):
            replace_file(run.folder.mlflow, json.dumps(asdict(place)) + "\n", sync=False)

    async def _write(self, run: TrainingRun) -> None:
        """Brings MLflow up to date with one run."""
        place = self._place(run)
        if not place.run_id:
            await self._create(run, place)
        # What comes meanwhile is for the next round: a run that tells much must not keep the others waiting.
        last = run.log.last_sequence
        while place.sequence < last:
            events = run.log.read(place.sequence, min(_EVENTS_AT_ONCE, last - place.sequence))
            metrics = [metric for event in events for metric in metrics_of(event)]
            if metrics:
                await self._client.log(place.run_id, metrics)
            place.sequence = events[-1].sequence
            self._save(run, place)
            await asyncio.sleep(0)
        status = self._status(run)
        if status == "RUNNING" and place.status == "RUNNING":
            return
        if run.final:
            await self._finish(run, place)
        if self._status(run) != status:
            return  # it changed meanwhile; the next round knows
        ended = run.facts.ended_at
        await self._client.update_run(place.run_id, status, None if ended is None else int(ended.timestamp() * 1000))
        place.status = status
        self._save(run, place)

    async def _create(self, run: TrainingRun, place: Place) -> None:
        facts = run.facts
        experiment_id = await self._client.experiment(facts.experiment)
        made = await self._client.find_run(experiment_id, run.run_id)
        if made is None:
            started = facts.started_at or facts.created_at
            tags = tags_of(facts, run.config_yaml)
            made = await self._client.create_run(experiment_id, run.run_id, int(started.timestamp() * 1000), tags)
        await self._client.log(made.run_id, params=params_of(run.config_yaml))
        await self._client.put_artifact(made, "config.yaml", run.config_yaml.encode())
        place.run_id, place.experiment_id, place.artifact_uri, place.status = made.run_id, experiment_id, made.artifact_uri, made.status
        self._save(run, place)
        if facts.mlflow_run_id != made.run_id:
            facts.mlflow_run_id = made.run_id
            run.tell_facts()

    async def _finish(self, run: TrainingRun, place: Place) -> None:
        """Writes what only a run that ended has: its last figure, its model, why it failed, and the id that the server gave."""
        facts = run.facts
        assert facts.ended_at is not None
        figures = [] if run.held_out is None else held_out_metrics(run.held_out, run.timesteps, facts.ended_at)
        await self._client.log(place.run_id, figures, tags=tags_of(facts, run.config_yaml))
        if run.state is TrainingState.COMPLETED and not place.version:
            place.version = await self._keep_model(run, place)
            self._save(run, place)
        if place.version and facts.model_id:
            await self._client.tag_version(facts.name, place.version, "rlmaze.model_id", facts.model_id)

    async def _keep_model(self, run: TrainingRun, place: Place) -> str:
        """Uploads the model and registers it; returns its version, empty where there is no model."""
        folder = run.folder.exported_model()
        if folder is None:
            return ""
        files = {name: (folder / name).read_bytes() for name in ("policy.onnx", "manifest.json", "parity.json")}
        files["config.yaml"] = run.config_yaml.encode()
        files["MLmodel"] = model_description(run, place, importlib.metadata.version("onnx")).encode()
        for name, content in files.items():
            await self._client.put_artifact(place.mlflow_run, f"{MODEL_PATH}/{name}", content)
        # The version comes last: a model that is registered is whole.
        return await self._client.register(run.facts.name, place.mlflow_run, MODEL_PATH, {TRAINING_RUN_TAG: run.run_id})

    async def _agree_all(self) -> None:
        """Sets right what somebody else did to runs of this trainer: its word counts."""
        for run in list(self._runs()):
            place = self._place(run)
            ended = run.facts.ended_at
            if not place.run_id or place.refused or (ended is not None and (utc_now() - ended).total_seconds() > _AGREE_FOR_S):
                continue
            try:
                found = await self._client.run(place.run_id)
            except MLflowRefused as refused:
                self._take_refusal(run, refused)
                continue
            if found.status != place.status:
                log.warning("run %s is %s in MLflow, and %s here", run.run_id, found.status, place.status)
                milliseconds = None if ended is None else int(ended.timestamp() * 1000)
                await self._client.update_run(place.run_id, place.status, milliseconds)
