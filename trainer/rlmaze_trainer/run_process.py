"""The process of one run: `python -m rlmaze_trainer.run_process <run folder>`, or `--wait` in place of the folder.

It learns, saves and validates checkpoints, exports the best one and measures the exported file on the held-out mazes. Events go to
standard output as records of `event_log`, without sequence numbers, which the service gives them. Standard input is the lead of the
service: the line `stop` asks for an end after the last step; its end says that the service is gone, and ends the process at once.
With `--wait` it imports PyTorch, generates the mazes, rehearses once and waits for the line `run <run folder>`: that run learns at once.
With `--learn-only` it ends after the last checkpoint: a trial of a sweep is neither exported nor measured on held-out mazes.

Exit status: 0 completed, 10 stopped, 11 failed for the reason in the last log line of level ERROR. This is the only module of the
trainer that imports PyTorch.
"""

import argparse
import errno
import json
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import psutil
from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.model.v1.model_pb import SuccessRate
from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodeColumns,
    EpisodesEnded,
    LogLevel,
    ProbeEpisode,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_train.config import TrainingConfig, load_config
from rlmaze_trainer import events
from rlmaze_trainer.event_log import frame
from rlmaze_trainer.run_folder import Run, RunFolder, replace_file

COMPLETED, STOPPED, FAILED, ORPHANED = 0, 10, 11, 12
_REPORT_EVERY_S = 0.1
# In the messages of CUDA and of PyTorch's allocator on a CPU, which raise no MemoryError.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")
_RECENT = 100  # episodes that means are taken over, as Stable-Baselines3 does


class Stopped(Exception):
    """A stop was asked for while something else than learning was done."""


class Diverged(Exception):
    """The loss is no number any more."""


class Reporter:
    """Sends events to the service."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, event: TrainingEvent) -> None:
        """Sends one event, whole."""
        event.happened_at = Timestamp.now()
        record = memoryview(frame(event))
        while record:
            record = record[os.write(self._descriptor, record) :]

    def phase(self, phase: TrainingPhase) -> None:
        """Tells what is done from now on."""
        self.send(events.state_change(TrainingState.RUNNING, phase))

    def line(self, text: str, level: LogLevel = LogLevel.INFO) -> None:
        """Writes a line of the run's log."""
        self.send(events.log_line(text, level))


class Lead:
    """Listens to the service on a thread of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._folder: Path | None = None
        self._given = threading.Event()
        threading.Thread(target=self._listen, daemon=True, name="lead").start()

    def _listen(self) -> None:
        # Read without Python's buffers: one that is held by this thread when the interpreter ends is a fatal error.
        unread = b""
        while chunk := os.read(0, 4096):
            *lines, unread = (unread + chunk).split(b"\n")
            for line in lines:
                if line == b"stop":
                    self._stop.set()
                elif line.startswith(b"run "):
                    self._folder = Path(os.fsdecode(line.removeprefix(b"run ")))
                    self._given.set()
        # Nobody reads what this process says any more. Checkpoints are whole or absent, so nothing has to be put in order.
        os._exit(ORPHANED)

    @property
    def stop_asked(self) -> bool:
        """Whether the run is to end."""
        return self._stop.is_set()

    @property
    def has_run(self) -> bool:
        """Whether a run was given to a process that waits."""
        return self._given.is_set()

    def wait_for_run(self) -> RunFolder:
        """Waits for a run."""
        self._given.wait()
        assert self._folder is not None
        return RunFolder(self._folder)

    def check(self) -> None:
        """Ends the work when a stop was asked for.

        Raises:
            Stopped: It was.
        """
        if self.stop_asked:
            raise Stopped


class Meter:
    """CPU and memory of this process."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cpu, self._at = self._seconds(), time.perf_counter()

    def _seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def read(self) -> tuple[float, float, int]:
        """Returns seconds since the last reading, per cent of one core that were used in them, and resident bytes."""
        cpu, now = self._seconds(), time.perf_counter()
        passed = max(1e-9, now - self._at)
        percent = 100 * (cpu - self._cpu) / passed
        self._cpu, self._at = cpu, now
        return passed, percent, int(self._process.memory_info().rss)


def _run(folder: RunFolder, reporter: Reporter, lead: Lead, learn_only: bool) -> int:
    reporter.phase(TrainingPhase.PREPARING)
    facts = Run.from_json(folder.facts.read_text(encoding="utf-8"))
    config = load_config(folder.config).model_copy(update={"device": facts.device})

    import torch

    from rlmaze_trainer.learning import learn

    torch.set_num_threads(1)  # such small networks are faster on one thread
    resume = folder.path.parent / facts.resumed_checkpoint if facts.resumed_checkpoint else None
    if not learn(config, facts.seed, folder, reporter, lead, resume):
        return STOPPED
    if learn_only:
        return COMPLETED
    lead.check()
    _finish(config, facts, folder, reporter, lead)
    return COMPLETED


def _finish(config: TrainingConfig, facts: Run, folder: RunFolder, reporter: Reporter, lead: Lead) -> None:
    from rlmaze_train.export import export
    from rlmaze_train.report import record_success
    from rlmaze_train.training import load_checkpoint

    reporter.phase(TrainingPhase.EXPORTING)
    best = best_checkpoint(folder)
    model = load_checkpoint(config, best)
    exported = export(model, config, "", facts.run_id, facts.seed, int(best.stem), folder.model)
    reporter.line(f"The checkpoint of {int(best.stem):,} steps is exported; PyTorch and ONNX Runtime agree on it.")
    lead.check()
    reporter.phase(TrainingPhase.EVALUATING)
    record_success(exported, ["heldout", *(name for name in config.evaluation.sets if name != "heldout")])
    found = json.loads((exported / "manifest.json").read_text())["success"][0]
    reporter.line(f"Held-out mazes: {found['successes']:,} of {found['episodes']:,} solved, SPL {found['spl']:.3f}.")


def best_checkpoint(folder: RunFolder) -> Path:
    """Returns the checkpoint that solved most validation mazes, with the highest SPL among equals, the latest of those."""

    def rank(path: Path) -> tuple[int, float, int]:
        figures = json.loads(path.with_suffix(".json").read_text())
        return figures["successes"], figures["spl"], figures["timesteps"]

    return max((checkpoint.path for checkpoint in folder.saved_checkpoints()), key=rank)


def next_checkpoint(timesteps: int, every: int) -> int:
    """Returns when the next checkpoint is due: at each `every` steps, and sooner at first, when a policy learns most."""
    early = [every // share for share in (8, 4, 2) if timesteps < every // share]
    return early[0] if early else (timesteps // every + 1) * every


def reason_of(error: BaseException) -> str:
    """Says in words why a run failed, and what to do."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free some space and resume the run from its last checkpoint."
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        return "The memory was not enough. Lower environments, batch_size, buffer_size or network, or use a larger device."
    if isinstance(error, Diverged):
        return str(error)
    return f"{type(error).__name__}: {error}"


def success_rate(figures: Any, set_id: str, set_hash: str) -> SuccessRate:
    """Puts figures of `rlmaze_train.evaluation` into the contract's words."""
    low, high = figures.interval
    return SuccessRate(
        set_id=set_id,
        set_hash=set_hash,
        episodes=figures.episodes,
        successes=figures.successes,
        rate=figures.rate,
        interval_low=low,
        interval_high=high,
        mean_steps=figures.mean_steps,
        spl=figures.spl,
    )


class EpisodeBuffer:
    """Collects finished episodes and sends them, with the progress, at most ten times a second."""

    def __init__(self, reporter: Reporter, episodes_before: int = 0, timesteps_before: int = 0) -> None:
        self._reporter = reporter
        self._meter = Meter()
        self._sent = episodes_before
        self._timesteps_sent = timesteps_before
        self._next = time.perf_counter() + _REPORT_EVERY_S
        self._recent: list[tuple[float, int, bool]] = []
        self._clear()

    def _clear(self) -> None:
        self._timesteps: list[int] = []
        self._rewards: list[float] = []
        self._lengths: list[int] = []
        self._reached: list[bool] = []

    def add(self, timesteps: int, infos: Sequence[dict[str, Any]], ended: Sequence[int]) -> None:
        """Takes the episodes that ended in one step of all environments."""
        for i in ended:
            info = infos[i]
            self._timesteps.append(timesteps)
            self._rewards.append(info["episode"]["r"])
            self._lengths.append(info["episode"]["l"])
            self._reached.append(info["is_success"])

    @property
    def episodes(self) -> int:
        """Episodes that ended so far, in the whole run."""
        return self._sent + len(self._rewards)

    def due(self) -> bool:
        """Whether it is time to send."""
        return time.perf_counter() >= self._next

    def send(self, timesteps: int, loss: float | None) -> None:
        """Sends what was collected."""
        fresh = list(zip(self._rewards[-_RECENT:], self._lengths[-_RECENT:], self._reached[-_RECENT:], strict=True))
        self._recent = (self._recent + fresh)[-_RECENT:]
        passed, percent, resident = self._meter.read()
        count = len(self._recent)
        progress = TrainingProgress(
            timesteps=timesteps,
            episodes=self.episodes,
            reward=sum(r for r, _, _ in self._recent) / count if count else None,
            episode_length=sum(n for _, n, _ in self._recent) / count if count else None,
            success_rate=sum(won for _, _, won in self._recent) / count if count else None,
            loss=loss,
            steps_per_second=(timesteps - self._timesteps_sent) / passed,
            cpu_percent=percent,
            memory_bytes=resident,
        )
        columns = EpisodeColumns(
            first_episode=self._sent + 1,
            timesteps=self._timesteps,
            rewards=self._rewards,
            lengths=self._lengths,
            reached_goal=self._reached,
        )
        self._reporter.send(events.episodes_ended(EpisodesEnded(episodes=columns, progress=progress)))
        self._sent += len(self._rewards)
        self._timesteps_sent = timesteps
        self._next = time.perf_counter() + _REPORT_EVERY_S
        self._clear()


def send_checkpoint(
    reporter: Reporter,
    folder: RunFolder,
    timesteps: int,
    episodes: int,
    figures: Any,
    set_hash: str,
    probe_id: str,
    probe: Any,
) -> None:
    """Writes the figures beside a checkpoint's file, which makes it count, and tells of it."""
    facts = {
        "timesteps": timesteps,
        "training_episodes": episodes,
        "successes": figures.successes,
        "episodes": figures.episodes,
        "spl": figures.spl,
    }
    replace_file(folder.checkpoints / f"{timesteps}.json", json.dumps(facts) + "\n")
    reporter.send(
        events.checkpoint(
            TrainingCheckpoint(
                timesteps=timesteps,
                validation=success_rate(figures, "validation", set_hash),
                probe=ProbeEpisode(maze_id=probe_id, actions=probe.actions, reached_goal=probe.reached_goal),
            )
        )
    )


def check_loss(loss: float | None, timesteps: int) -> None:
    """Requires the loss to be a number.

    Raises:
        Diverged: It is none.
    """
    if loss is not None and not math.isfinite(loss):
        raise Diverged(f"The loss became {loss} at step {timesteps:,}: the training diverged. Lower the learning rate and start again.")


def write_to(path: Path) -> None:
    """Sends what this process writes to standard output and standard error to a file from now on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def get_ready(lead: Lead) -> None:
    """Does beforehand what every run begins with, until one is given."""
    try:
        import torch

        torch.set_num_threads(1)
        from rlmaze_trainer import learning

        for step in learning.REHEARSAL:
            if lead.has_run:
                return
            step()
    except Exception:  # the run itself will meet it, and say so in its own log
        import traceback

        traceback.print_exc()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one training; returns the exit status."""
    parser = argparse.ArgumentParser(prog="rlmaze_trainer.run_process", description="The process of one training run.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("folder", type=Path, nargs="?")
    which.add_argument("--wait", action="store_true", help="get ready, and take the folder from standard input")
    parser.add_argument("--learn-only", action="store_true", help="end after the last checkpoint")
    given = parser.parse_args(arguments)
    # Whatever a library prints must not come between the records.
    descriptor = os.dup(1)
    os.dup2(2, 1)
    reporter, lead = Reporter(descriptor), Lead()
    if given.wait:
        get_ready(lead)
        folder = lead.wait_for_run()
        write_to(folder.process_log)
    else:
        folder = RunFolder(cast(Path, given.folder))
    try:
        return _run(folder, reporter, lead, given.learn_only)
    except Stopped:
        return STOPPED
    except Exception as error:
        import traceback

        traceback.print_exc()
        reporter.line(reason_of(error), LogLevel.ERROR)
        return FAILED


if __name__ == "__main__":
    found = main()
    sys.stderr.flush()
    # Everything is written. Taking the libraries apart in order would take seconds that somebody waits for.
    os._exit(found)
