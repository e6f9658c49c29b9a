"""Runs the trials of a sweep: so many at a time as there are slots, each to a final state, whatever happens to it."""

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from protobuf import Oneof

from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodesEnded,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_train.config import TrainingConfig
from rlmaze_trainer.configuration import written_out
from rlmaze_trainer.event_log import EventLog, take_record
from rlmaze_trainer.run_folder import Run, RunFolder, new_run_id, utc_now
from rlmaze_trainer.sweep.halving import Halving, Verdict
from rlmaze_trainer.sweep.processes import RUN_PROCESS, Executor, LocalPool, ProcessLost, TrialProcess
from rlmaze_trainer.sweep.sweep_file import Candidate, Sweep
from rlmaze_trainer.sweep.trial import Checkpoint, Trial, TrialFacts, read_checkpoints, stored_trials
from rlmaze_trainer.training_run import TrainingRun

log = logging.getLogger(__name__)

# Exit statuses of `run_process`, which this process does not import.
_COMPLETED, _STOPPED = 0, 10
_LARGEST_UNREAD = 32 << 20
INTERRUPTED = "The sweep was interrupted; the next start of it runs this trial again."


@dataclass(frozen=True)
class Job:
    """A training that is due.

    Attributes:
        config: What is trained.
        facts: Which trial it is.
        learn_only: False exports and measures as well.
        continued: A finished trial whose checkpoints this run takes, so that nothing is left to learn.
    """

    config: TrainingConfig
    facts: TrialFacts
    learn_only: bool = True
    continued: Trial | None = None


class Watcher(Protocol):
    """Is told what happens, for people and for MLflow. Every call is short."""

    def began(self, run: TrainingRun, facts: TrialFacts) -> None:
        """A run began."""
        ...

    def progressed(self, run: TrainingRun, progress: TrainingProgress) -> None:
        """It learned."""
        ...

    def validated(self, run: TrainingRun, checkpoint: Checkpoint) -> None:
        """A checkpoint was validated."""
        ...

    def ended(self, run: TrainingRun, facts: TrialFacts) -> None:
        """It is in its final state."""
        ...


@dataclass
class _Active:
    """A trial that runs."""

    run: TrainingRun
    process: TrialProcess
    facts: TrialFacts
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask_to_stop(self) -> None:
        """Asks for an end after the last step."""
        self.stop_asked.set()
        self.process.ask_to_stop()


class Conductor:
    """Conducts one sweep.

    Args:
        sweep: What is tried.
        folder: The sweep's folder.
        executor: Where processes run.
        device: What they train on.
        watchers: Who is told.
        release: Called with each run that is in its final state; closes its log when nobody reads it any more.
        finish: Called with the run of the best candidate when its model is exported, before its final state.
        stop_grace_s: How long a process may take to end by itself.
        local_command: The program that exports on this machine; tests put another one.
    """

    def __init__(
        self,
        sweep: Sweep,
        folder: Path,
        executor: Executor,
        device: str,
        watchers: Sequence[Watcher] = (),
        release: Callable[[TrainingRun], None] = lambda run: run.log.close(),
        finish: Callable[[TrainingRun], Awaitable[None]] | None = None,
        stop_grace_s: float = 10.0,
        local_command: Sequence[str] = RUN_PROCESS,
    ) -> None:
        self._sweep = sweep
        self._folder = folder
        self._executor = executor
        self._device = device
        self.watchers = tuple(watchers)
        self._release = release
        self._finish = finish
        self._stop_grace_s = stop_grace_s
        self._local_command = tuple(local_command)
        self._halving = Halving(sweep.file.halving)
        self._out: set[int] = set()  # candidates that halving has ended
        self._active: list[_Active] = []
        self._interrupted = False
        stored = list(stored_trials(folder))
        self._replay(stored)
        self.due = self._find_due(stored)

    @property
    def interrupted(self) -> bool:
        """Whether the sweep was asked to end early."""
        return self._interrupted

    def interrupt(self) -> None:
        """Ends the sweep: nothing is begun any more, and what runs is asked to stop."""
        self._interrupted = True
        for active in self._active:
            active.ask_to_stop()

    async def run(self) -> list[Trial]:
        """Runs the trials that were not run yet; returns all of them."""
        due = list(self.due)
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._executor.slots, len(due))):
                workers.create_task(self._work(due))
        return list(stored_trials(self._folder))

    def _halving_choice(self) -> Mapping[str, float] | None:
        return None if self._sweep.file.halving is None else self._sweep.file.halving.model_dump()

    def _counts(self, trial: Trial) -> bool:
        """Whether a stored trial need not be run again."""
        return trial.outcome == "finished" or (trial.outcome == "halved" and trial.facts.halving == self._halving_choice())

    def _find_due(self, stored: Sequence[Trial]) -> list[Job]:
        """The trials that were not run yet: all candidates with the first seed first, so that halving saves the other seeds of bad ones."""
        done = {trial.facts.digest for trial in stored if self._counts(trial)}
        return [
            self._job(candidate, seed)
            for seed in self._sweep.file.seeds
            for candidate in self._sweep.candidates
            if candidate.digest(seed) not in done and candidate.number not in self._out
        ]

    def _job(self, candidate: Candidate, seed: int) -> Job:
        facts = TrialFacts(
            sweep=self._sweep.name,
            candidate=candidate.number,
            seed=seed,
            values=dict(candidate.values),
            digest=candidate.digest(seed),
            halving=self._halving_choice(),
        )
        return Job(candidate.config, facts)

    def _replay(self, stored: Sequence[Trial]) -> None:
        """Tells halving what earlier starts of this sweep found."""
        numbers = {candidate.digest(seed): candidate for candidate in self._sweep.candidates for seed in self._sweep.file.seeds}
        for trial in stored:
            candidate = numbers.get(trial.facts.digest)
            if candidate is None or not self._counts(trial):
                continue
            self._judge_checkpoints(candidate.number, trial.facts.seed, candidate.config.timesteps, trial.checkpoints)
            if trial.outcome == "halved":
                self._out.add(candidate.number)

    def _judge_checkpoints(self, candidate: int, seed: int, total: int, checkpoints: Sequence[Checkpoint]) -> Verdict | None:
        """Tells halving the newest checkpoint of a trial, with the best standing so far."""
        verdict = None
        for number in range(1, len(checkpoints) + 1):
            best = max(checkpoint.standing for checkpoint in checkpoints[:number])
            verdict = self._halving.report(candidate, seed, checkpoints[number - 1].timesteps, total, best)
        return verdict

    async def _work(self, due: list[Job]) -> None:
        """Takes one trial after the other, until none is left."""
        while due and not self.interrupted:
            job = due.pop(0)
            if job.facts.candidate not in self._out:
                await self.conduct(job)

    async def conduct(self, job: Job) -> Trial:
        """Takes one training from its start to its final state."""
        facts = Run(
            run_id=new_run_id(job.config.name),
            state=TrainingState.QUEUED,
            name=job.config.name,
            title=job.config.title,
            algorithm=f"{job.config.algorithm}",
            observation=job.config.observation,
            timesteps=job.config.timesteps,
            seed=job.facts.seed,
            device=self._device,
            created_at=utc_now(),
            sweep=self._sweep.name,
        )
        folder = RunFolder(self._folder / facts.run_id)
        if job.continued is not None:
            last = job.continued.folder.saved_checkpoints()[-1]
            facts.resumed_from = job.continued.run.run_id
            facts.resumed_checkpoint = f"{facts.resumed_from}/checkpoints/{last.path.name}"
        folder.create(facts, written_out(job.config))
        if job.continued is not None:
            shutil.copytree(job.continued.folder.checkpoints, folder.checkpoints, dirs_exist_ok=True)
        job.facts.save(folder.path)
        run = TrainingRun(facts, folder, EventLog.open(folder.events))
        run.change(TrainingState.RUNNING, TrainingPhase.PREPARING)
        for watcher in self.watchers:
            watcher.began(run, job.facts)
        found = job.facts
        try:
            found, state, reason = await self._run_process(run, job)
        except OSError as error:
            state, reason = TrainingState.FAILED, f"Its process can't be started: {error.strerror or error}."
        except Exception as error:
            log.exception("run %s", run.run_id)
            state, reason = TrainingState.FAILED, f"{type(error).__name__}: {error}"
        if state is TrainingState.COMPLETED and not job.learn_only:
            run.measure()
            if self._finish is not None:
                await self._finish(run)
        if found != job.facts:
            found.save(folder.path)  # before the final state: a trial that was ended by halving says so
        run.change(state, reason=reason)
        for watcher in self.watchers:
            watcher.ended(run, found)
        self._release(run)
        return Trial(found, run.facts, folder, read_checkpoints(folder.events))

    async def _run_process(self, run: TrainingRun, job: Job) -> tuple[TrialFacts, TrainingState, str]:
        """Runs the process; returns the facts of the trial, its final state and the reason of it."""
        # What has nothing left to learn is exported here, where its file is kept.
        executor = self._executor if job.continued is None else LocalPool(1, self._local_command)
        process = await executor.start(run.folder, job.learn_only)
        active = _Active(run, process, job.facts)
        self._active.append(active)
        if self.interrupted:
            active.ask_to_stop()
        impatience = asyncio.create_task(self._kill_the_deaf(active))
        try:
            broken = await self._follow(active, job)
            if broken:
                process.kill()
            status = await process.end()
        except ProcessLost as lost:
            broken, status = str(lost), -signal.SIGKILL
        except BaseException:
            process.kill()
            with contextlib.suppress(ProcessLost):
                await process.end()
            raise
        finally:
            impatience.cancel()
            self._active.remove(active)
        state, reason = self._judge(active, status, broken)
        return active.facts, state, reason

    async def _kill_the_deaf(self, active: _Active) -> None:
        """Ends a process that does not end by itself when it is asked to."""
        await active.stop_asked.wait()
        await asyncio.sleep(self._stop_grace_s)
        active.process.kill()

    async def _follow(self, active: _Active, job: Job) -> str:
        """Takes the events of a process until it ends; returns what was wrong with them."""
        buffer = bytearray()
        checkpoints: list[Checkpoint] = []
        async for chunk in active.process.output():
            buffer += chunk
            at = 0
            try:
                while (record := take_record(buffer, at)) is not None:
                    event, at = record
                    active.run.append(event)
                    self._take(event, active, job, checkpoints)
            except ValueError:
                return "Its process sent something that is no event."
            except OSError as error:
                return f"Its events can't be written: {error.strerror}."
            del buffer[:at]
            if len(buffer) > _LARGEST_UNREAD:
                return "Its process sent an event without an end."
        return ""

    def _take(self, event: TrainingEvent, active: _Active, job: Job, checkpoints: list[Checkpoint]) -> None:
        match event.event:
            case Oneof(value=EpisodesEnded(progress=TrainingProgress() as progress)):
                for watcher in self.watchers:
                    watcher.progressed(active.run, progress)
            case Oneof(value=TrainingCheckpoint() as message):
                checkpoints.append(Checkpoint.of(message))
                for watcher in self.watchers:
                    watcher.validated(active.run, checkpoints[-1])
                if job.learn_only and not active.stop_asked.is_set():
                    self._compare(active, job, checkpoints)
            case _:
                pass

    def _compare(self, active: _Active, job: Job, checkpoints: Sequence[Checkpoint]) -> None:
        """Ends a trial, and the other seeds of its candidate, when halving says so."""
        best = max(checkpoint.standing for checkpoint in checkpoints)
        facts = job.facts
        verdict = self._halving.report(facts.candidate, facts.seed, checkpoints[-1].timesteps, job.config.timesteps, best)
        if verdict is None:
            return
        self._out.add(facts.candidate)
        for one in self._active:
            if one.facts.candidate == facts.candidate and not one.stop_asked.is_set() and not one.facts.best:
                other = "" if one is active else f" (seed {facts.seed})"
                one.facts = dataclasses.replace(one.facts, halved=verdict.text + other)
                one.run.say(f"{verdict.text[0].upper()}{verdict.text[1:]}{other}.")
                one.ask_to_stop()

    def _judge(self, active: _Active, status: int, broken: str) -> tuple[TrainingState, str]:
        run = active.run
        if broken:
            return TrainingState.FAILED, broken
        if status == _COMPLETED:
            active.facts = dataclasses.replace(active.facts, halved="")  # it was done before it heard of its end
            return TrainingState.COMPLETED, ""
        if active.stop_asked.is_set() or status == _STOPPED:
            return TrainingState.STOPPED, active.facts.halved or INTERRUPTED
        if status == -signal.SIGKILL:
            return TrainingState.FAILED, "Its process was killed by the system, most likely because memory ran out."
        if status < 0:
            return TrainingState.FAILED, f"Its process was ended by {signal.Signals(-status).name}."
        if run.last_error:
            return TrainingState.FAILED, run.last_error
        tail = run.folder.tail_of_process_log().splitlines()
        return TrainingState.FAILED, f"Its process ended with status {status}. {tail[-1] if tail else ''}".strip()

    async def train_best(self, trial: Trial, candidate: Candidate) -> Trial | None:
        """Makes the model of the best candidate: an ordinary run with export, proof of parity and held-out figures.

        When the file changes nothing for it, the run takes the checkpoints of the best trial, and only exports and measures the best of
        them; else it learns anew, with the seed of that trial. Returns None when the sweep was interrupted before.
        """
        if self.interrupted:
            return None
        digest = hashlib.sha256(json.dumps([trial.facts.digest, self._sweep.file.best], sort_keys=True).encode()).hexdigest()
        for stored in stored_trials(self._folder):
            if stored.facts.best and stored.facts.digest == digest and stored.outcome == "finished":
                return stored
        facts = dataclasses.replace(trial.facts, digest=digest, best=True, halving=None)
        continued = None if self._sweep.file.best else trial
        return await self.conduct(Job(self._sweep.best_config(candidate), facts, learn_only=False, continued=continued))
