"""The command `rlmaze-trainer sweep <file>`.

Exit status: 0 when every trial was run and the best one is exported, 1 when a trial failed, 2 when the file or the machine can't be used,
130 when it was interrupted.
"""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from rlmaze_train.config import ConfigError
from rlmaze_trainer.devices import choose_device, find_devices
from rlmaze_trainer.gpu import GpuReader
from rlmaze_trainer.registration import DUE, Registrar
from rlmaze_trainer.run_folder import replace_file
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.sweep import result
from rlmaze_trainer.sweep.conductor import Conductor
from rlmaze_trainer.sweep.display import Display
from rlmaze_trainer.sweep.keeper import ABANDONED, LOCK
from rlmaze_trainer.sweep.processes import Executor, LocalPool, process_environment
from rlmaze_trainer.sweep.ray_cluster import NoRay, RayCluster
from rlmaze_trainer.sweep.recorder import Recorder
from rlmaze_trainer.sweep.sweep_file import Sweep, load_sweep
from rlmaze_trainer.sweep.trial import settle_abandoned
from rlmaze_trainer.training_run import TrainingRun

FINISHED, TRIAL_FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
_LOCK_LIMIT_S = 30.0  # as long as the keeper of a killed sweep may take
_MLFLOW_LIMIT_S = 10.0


class Unusable(Exception):
    """The sweep can't be run here; the message says why and what to do."""


@dataclass(frozen=True)
class Options:
    """What the command line says beside the file."""

    workers: int | None
    on: str
    folder: Path
    export: bool


def _on(text: str) -> str:
    if text not in ("processes", "ray") and not text.startswith("ray:"):
        raise argparse.ArgumentTypeError(f"allowed: processes, ray, ray:<address of a cluster>; got {text!r}")
    return text


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be a number between 1 and 1024; got {text!r}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="rlmaze-trainer sweep",
        description="Train every candidate of a search space with every seed, compare them, and export the best one.",
        epilog="A sweep that is started again goes on: finished trials are not run twice.",
    )
    found.add_argument("file", type=Path, help="YAML of the sweep, for example ml/configs/sweeps/ppo-quick.yaml")
    found.add_argument("--workers", type=_workers, help="trials at a time; default: one a core, or one a GPU")
    found.add_argument(
        "--on",
        type=_on,
        default="processes",
        help="where trials run: processes (default) of this machine, ray (started on this machine), or ray:<address> of a cluster",
    )
    found.add_argument("--into", type=Path, help="folder of the sweep; default: <runs of the trainer>/sweeps/<name>")
    found.add_argument("--no-export", action="store_true", help="leave out export and held-out figures of the best candidate")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    given = parser().parse_args(arguments)
    console = Console()
    try:
        settings = Settings()
        sweep = load_sweep(given.file)
        folder = (given.into or settings.trainer_runs_dir / "sweeps" / sweep.name).resolve()
        options = Options(given.workers, given.on, folder, not given.no_export)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            return asyncio.run(_Run(sweep, settings, options, console).run())
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"{name}: {fault['msg']}; got {fault['input']!r}", file=sys.stderr)
    except (ConfigError, NoRay, Unusable) as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or given.file}: {error.strerror or error}", file=sys.stderr)
    return UNUSABLE


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps a second start of the same sweep out; waits for the keeper of a killed one."""
    with open(folder / LOCK, "a") as lock:
        try:
            with _alarm(_LOCK_LIMIT_S):
                fcntl.flock(lock, fcntl.LOCK_EX)
        except TimeoutError:
            raise Unusable(f"{folder}: this sweep is running already. Wait for it, or give this one another folder with --into.") from None
        yield


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _keeper(folder: Path) -> Iterator[None]:
    """Has somebody who settles the trials when this process is killed."""
    command = [sys.executable, "-m", "rlmaze_trainer.sweep.keeper", str(folder)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, env=process_environment(), text=True
    )
    assert process.stdin is not None
    try:
        yield
        with contextlib.suppress(OSError):
            process.stdin.write("done\n")
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()


class _Run:
    """One start of a sweep."""

    def __init__(self, sweep: Sweep, settings: Settings, options: Options, console: Console) -> None:
        self._sweep = sweep
        self._settings = settings
        self._options = options
        self._console = console
        self._recorder: Recorder | None = None

    async def run(self) -> int:
        """Runs it; returns the exit status."""
        folder = self._options.folder
        devices = await find_devices(GpuReader())
        device = self._device(devices)
        executor = self._executor(device, sum(one != "cpu" for one in devices))
        settle_abandoned(folder, ABANDONED)
        replace_file(folder / "sweep.yaml", self._sweep.text)
        with _keeper(folder):
            if self._settings.mlflow_tracking_uri:
                self._recorder = Recorder(self._settings.mlflow_tracking_uri)
                self._recorder.open(folder)
            try:
                return await self._conduct(executor, device)
            finally:
                await executor.close()
                await self._close_recorder()

    def _device(self, devices: tuple[str, ...]) -> str:
        wanted = {candidate.config.device for candidate in self._sweep.candidates}
        if len(wanted) > 1:
            raise Unusable("the candidates of one sweep must train on the same kind of device")
        try:
            return choose_device(wanted.pop(), devices)
        except LookupError as error:
            raise Unusable(str(error)) from error

    def _executor(self, device: str, gpus: int) -> Executor:
        if self._options.on.startswith("ray"):
            return RayCluster(self._options.on.removeprefix("ray").removeprefix(":"), self._options.workers, gpu=device != "cpu")
        if device != "cpu" and gpus > 1:
            self._console.print("Processes of this machine share its first GPU; --on ray gives each trial one of them.")
        return LocalPool(self._options.workers or (1 if device != "cpu" else len(os.sched_getaffinity(0))))

    async def _conduct(self, executor: Executor, device: str) -> int:
        conductor = Conductor(self._sweep, self._options.folder, executor, device, release=self._release, finish=self._register)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, conductor)
        self._announce(executor, len(conductor.due))
        with Display(self._console, len(conductor.due)) as display:
            conductor.watchers = (display,) if self._recorder is None else (display, self._recorder)
            trials = await conductor.run()
            found = result.sum_up(self._sweep, trials)
            exported = await self._export(conductor, found) if self._options.export else {}
        files = result.write(found, self._options.folder, exported)
        self._console.print(result.table_of(found))
        self._tell(found, exported, files)
        if conductor.interrupted:
            self._console.print("Interrupted; start it again to go on. Finished trials are not run twice.")
            return INTERRUPTED
        failed = any(one.outcome == "failed" for one in found.candidates) or exported.get("failure")
        return TRIAL_FAILED if failed else FINISHED

    def _interrupt(self, conductor: Conductor) -> None:
        if not conductor.interrupted:
            self._console.print("Ends: the running trials save what they have …")
        conductor.interrupt()

    def _announce(self, executor: Executor, due: int) -> None:
        file = self._sweep.file
        where = "on Ray" if self._options.on.startswith("ray") else "in processes of this machine"
        trials = len(self._sweep.candidates) * len(file.seeds)
        done = f", {trials - due} of them done already" if due < trials else ""
        at_a_time = f"{executor.slots} at a time {where}"
        self._console.print(f"{file.title}: {len(self._sweep.candidates)} candidates × {len(file.seeds)} seeds{done}; {at_a_time}.")
        if self._recorder is not None:
            self._console.print(f"MLflow: experiment {self._sweep.experiment} at {self._settings.mlflow_tracking_uri}")

    async def _export(self, conductor: Conductor, found: result.SweepResult) -> Mapping[str, Any]:
        """Makes the model of the best candidate; returns what the results say about it."""
        trial = found.best_trial
        if trial is None or found.best is None:
            return {}
        best = await conductor.train_best(trial, found.best.candidate)
        if best is None:
            return {}
        if best.outcome != "finished":
            return {"run_id": best.run.run_id, "failure": best.run.failure or best.outcome}
        model = best.folder.exported_model()
        assert model is not None
        held_out = next((one for one in json.loads((model / "manifest.json").read_text())["success"] if one["set_id"] == "heldout"), None)
        where = str(model.relative_to(self._options.folder))
        return {"run_id": best.run.run_id, "model": where, "held_out": held_out, "model_id": best.run.model_id}

    async def _register(self, run: TrainingRun) -> None:
        """Offers the model of the best candidate to the server, if one is configured."""
        if not self._settings.server_url:
            return
        registrar = Registrar(self._settings.server_url, self._settings.server_token)
        registrar.open([])
        run.facts.registration = DUE
        registrar.add(run)
        await registrar.wait(run)
        await registrar.close()
        run.facts.registration = ""  # nobody offers it again: the next sweep, or a person, does
        for notice in run.facts.notices.values():
            self._console.print(notice, style="yellow")

    def _release(self, run: TrainingRun) -> None:
        if self._recorder is not None:
            self._recorder.release(run)
        else:
            run.log.close()

    def _tell(self, found: result.SweepResult, exported: Mapping[str, Any], files: Sequence[Path]) -> None:
        say = self._console.print
        if found.best is None:
            say("No candidate has finished with every seed, so there is no best one.")
        elif exported.get("failure"):
            say(f"The best candidate could not be exported: {exported['failure']}", style="red")
        elif exported.get("held_out"):
            reached = exported["held_out"]
            solved = f"{reached['successes']:,} of {reached['episodes']:,}, SPL {reached['spl']:.3f}"
            say(f"Best: {found.best.candidate.label}. Held-out mazes: {solved}.")
            say(f"Model: {self._options.folder / exported['model']}", soft_wrap=True)
            if exported["model_id"]:
                say(f"Registered as {exported['model_id']}.")
        say(f"Written: {', '.join(path.name for path in files)} in {self._options.folder}", soft_wrap=True)

    async def _close_recorder(self) -> None:
        if self._recorder is None:
            return
        if not await self._recorder.drain(_MLFLOW_LIMIT_S):
            self._console.print("MLflow does not have everything yet; start the sweep again to write the rest. Nothing is trained twice.")
        await self._recorder.close()


if __name__ == "__main__":
    sys.exit(main())
