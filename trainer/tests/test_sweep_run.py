"""Whole sweeps in processes of this machine: played ones, which need no PyTorch, and a small real one."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
import sweep_actor_values as act

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingProgress, TrainingState
from rlmaze_trainer.configuration import PRESET_FOLDER
from rlmaze_trainer.run_folder import FINAL_STATES, stored_runs
from rlmaze_trainer.settings import REPOSITORY
from rlmaze_trainer.sweep import command
from rlmaze_trainer.sweep.conductor import INTERRUPTED, Conductor
from rlmaze_trainer.sweep.processes import LocalPool
from rlmaze_trainer.sweep.result import sum_up
from rlmaze_trainer.sweep.sweep_file import Sweep, parse_sweep
from rlmaze_trainer.sweep.trial import Checkpoint, Trial, TrialFacts, stored_trials
from rlmaze_trainer.training_run import TrainingRun

ACTOR = (sys.executable, str(Path(__file__).with_name("sweep_actor.py")))
LIMIT_S = 300.0


def sweep(rates: Sequence[float], entropies: Sequence[float] = (act.ORDINARY,), seeds: Sequence[int] = (1, 2), more: str = "") -> Sweep:
    """Candidates that reach the success rates that their learning rates say."""
    return parse_sweep(
        f"name: played\ntitle: Played\ndescription: For a test.\nbase: ppo-quick.yaml\nseeds: {list(seeds)}\n"
        f"changes: {{timesteps: 8000, validation.every: 1000}}\n"
        f"space:\n  ppo.learning_rate: {list(rates)}\n  ppo.entropy: {list(entropies)}\n{more}",
        "sweep.yaml",
        PRESET_FOLDER,
    )


class Diary:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.began_: list[tuple[int, int]] = []
        self.running = 0
        self.most_running = 0
        self.learning = asyncio.Event()

    def began(self, run: TrainingRun, facts: TrialFacts) -> None:
        assert run.state is TrainingState.RUNNING
        self.began_.append((facts.candidate, facts.seed))
        self.running += 1
        self.most_running = max(self.most_running, self.running)

    def progressed(self, run: TrainingRun, progress: TrainingProgress) -> None:
        assert run.timesteps == progress.timesteps
        self.learning.set()

    def validated(self, run: TrainingRun, checkpoint: Checkpoint) -> None:
        assert (checkpoint.episodes, run.final) == (500, False)

    def ended(self, run: TrainingRun, facts: TrialFacts) -> None:
        assert run.final
        assert facts.sweep == run.facts.sweep == "played"
        self.running -= 1


def conductor(found: Sweep, folder: Path, diary: Diary, slots: int = 2, stop_grace_s: float = 30) -> Conductor:
    pool = LocalPool(slots, ACTOR)
    return Conductor(found, folder, pool, "cpu", watchers=[diary], stop_grace_s=stop_grace_s, local_command=ACTOR)


async def run(found: Sweep, folder: Path, diary: Diary, slots: int = 2) -> list[Trial]:
    async with asyncio.timeout(LIMIT_S):
        return await conductor(found, folder, diary, slots).run()


def assert_settled(folder: Path) -> None:
    """No run is left RUNNING, and no process of the sweep is left, wherever its folder lies."""
    runs = list(stored_runs(folder))
    assert runs
    assert all(facts.state in FINAL_STATES for facts, _ in runs)
    words = [str(folder), *(facts.run_id for facts, _ in runs)]
    deadline = time.monotonic() + 30
    while left := [line for line in command_lines() if any(word in line for word in words)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def command_lines() -> list[str]:
    return [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]


async def test_every_candidate_is_trained_with_every_seed_and_no_more_at_a_time_than_slots(tmp_path: Path) -> None:
    found, diary = sweep([0.2, 0.6, 0.4]), Diary()
    trials = await run(found, tmp_path, diary)
    assert sorted(diary.began_) == [(c, s) for c in (1, 2, 3) for s in (1, 2)]
    assert diary.began_[:3] == [(1, 1), (2, 1), (3, 1)]
    assert (diary.most_running, diary.running) == (2, 0)
    assert {trial.outcome for trial in trials} == {"finished"}
    summed = sum_up(found, trials)
    assert [one.candidate.number for one in summed.candidates] == [2, 3, 1]
    assert summed.best is not None
    assert summed.best.success == pytest.approx((301 + 302) / 1000)
    assert summed.best.interval is not None
    assert_settled(tmp_path)


async def test_finished_trials_are_not_run_again_and_more_seeds_are_run_alone(tmp_path: Path) -> None:
    await run(sweep([0.2, 0.6]), tmp_path, Diary())
    again = Diary()
    assert len(await run(sweep([0.2, 0.6]), tmp_path, again)) == 4
    assert again.began_ == []
    more = Diary()
    trials = await run(sweep([0.4, 0.6, 0.2], seeds=(1, 2, 3)), tmp_path, more)
    assert sorted(more.began_) == [(1, 1), (1, 2), (1, 3), (2, 3), (3, 3)]
    assert len(trials) == 9


async def test_halving_ends_the_bad_ones_early_and_spares_their_other_seeds(tmp_path: Path) -> None:
    more = "halving: {first: 1000, keep: 0.5}\n"
    found, diary = sweep([0.6, 0.2, 0.1, 0.3], more=more), Diary()
    trials = await run(found, tmp_path, diary, slots=1)
    assert diary.began_ == [(1, 1), (2, 1), (3, 1), (4, 1), (1, 2)]
    by_place = {(trial.facts.candidate, trial.facts.seed): trial for trial in trials}
    assert by_place[(1, 1)].outcome == by_place[(1, 2)].outcome == "finished"
    for candidate, rung in ((2, 1000), (3, 1000), (4, 2000)):
        ended = by_place[(candidate, 1)]
        assert ended.outcome == "halved"
        assert f"after {rung:,} steps" in ended.facts.halved
        assert ended.run.failure == ""
        assert ended.checkpoints[-1].timesteps < 8000
    summed = sum_up(found, trials)
    assert summed.best is not None
    assert summed.best.candidate.number == 1
    # What was ended stays ended; with another choice it is compared anew.
    assert (await run_again(found, tmp_path)).began_ == []
    without = sweep([0.6, 0.2, 0.1, 0.3])
    assert sorted((await run_again(without, tmp_path)).began_) == [(c, s) for c in (2, 3, 4) for s in (1, 2)]


async def run_again(found: Sweep, folder: Path) -> Diary:
    diary = Diary()
    await run(found, folder, diary)
    return diary


async def test_a_trial_that_fails_says_why_and_is_run_again_at_the_next_start(tmp_path: Path) -> None:
    found = sweep([0.5], [act.ORDINARY, act.DIVERGES, act.CRASHES], seeds=(1,))
    trials = await run(found, tmp_path, Diary())
    reasons = {trial.facts.candidate: (trial.outcome, trial.run.failure) for trial in trials}
    assert reasons[1] == ("finished", "")
    assert reasons[2] == ("failed", "The loss became nan.")
    assert reasons[3] == ("failed", "Its process was ended by SIGSEGV.")
    assert [one.outcome for one in sum_up(found, trials).candidates] == ["finished", "failed", "failed"]
    assert sorted((await run_again(found, tmp_path)).began_) == [(2, 1), (3, 1)]
    assert_settled(tmp_path)


async def test_an_interrupted_sweep_stops_its_trials_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    found, diary = sweep([0.5, 0.6], [act.ENDLESS], seeds=(1, 2)), Diary()
    conducted = conductor(found, tmp_path, diary)
    running = asyncio.create_task(conducted.run())
    async with asyncio.timeout(LIMIT_S):
        await diary.learning.wait()
        conducted.interrupt()
        trials = await running
    assert len(trials) == len(diary.began_) <= 2
    for trial in trials:
        assert trial.run.state is TrainingState.STOPPED
        assert trial.outcome == "unfinished"
    assert INTERRUPTED in state_reasons(trials[0])
    assert len(conductor(found, tmp_path, Diary()).due) == 4
    assert_settled(tmp_path)


def state_reasons(trial: Trial) -> str:
    return trial.folder.events.read_bytes().decode(errors="replace")


async def test_a_process_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    found, diary = sweep([0.5], [act.DEAF], seeds=(1,)), Diary()
    conducted = conductor(found, tmp_path, diary, stop_grace_s=0.2)
    running = asyncio.create_task(conducted.run())
    async with asyncio.timeout(LIMIT_S):
        await diary.learning.wait()
        conducted.interrupt()
        trials = await running
    assert [trial.run.state for trial in trials] == [TrainingState.STOPPED]
    assert_settled(tmp_path)


async def test_a_program_that_cannot_be_started_is_a_failed_trial(tmp_path: Path) -> None:
    async with asyncio.timeout(LIMIT_S):
        trials = await Conductor(sweep([0.5], seeds=(1,)), tmp_path, LocalPool(1, ("no-such-program",)), "cpu").run()
    assert "can't be started" in trials[0].run.failure


async def test_the_best_is_exported_from_its_checkpoints_once(tmp_path: Path) -> None:
    found, diary = sweep([0.2, 0.6]), Diary()
    conducted = conductor(found, tmp_path, diary)
    summed = sum_up(found, await conducted.run())
    assert summed.best is not None
    assert summed.best_trial is not None
    best = await conducted.train_best(summed.best_trial, summed.best.candidate)
    assert best is not None
    assert best.outcome == "finished"
    assert best.folder.exported_model() is not None
    assert best.run.resumed_from == summed.best_trial.run.run_id
    assert (tmp_path / best.run.resumed_checkpoint).is_file()
    again = await conducted.train_best(summed.best_trial, summed.best.candidate)
    assert again is not None
    assert again.run.run_id == best.run.run_id
    # It is no trial: the figures of the candidate stay what they were.
    with_the_best = sum_up(found, list(stored_trials(tmp_path)))
    assert [sorted(one.trials) for one in with_the_best.candidates] == [[1, 2], [1, 2]]
    assert [one.success for one in with_the_best.candidates] == [one.success for one in summed.candidates]
    with_changes = sweep([0.2, 0.6], more="best: {timesteps: 3000}\n")
    retrained = await conductor(with_changes, tmp_path, diary).train_best(summed.best_trial, summed.best.candidate)
    assert retrained is not None
    assert (retrained.run.timesteps, retrained.run.resumed_from, retrained.run.seed) == (3000, "", summed.best_trial.facts.seed)


# --- the command itself -------------------------------------------------------------------------------------------------------------------

REAL = f"""name: small
title: A small sweep
description: For a test.
base: {PRESET_FOLDER}/ppo-quick.yaml
changes:
  timesteps: 8192
  mazes.count: 200
  ppo.environments: 32
  ppo.batch_size: 256
  ppo.n_epochs: 1
  validation.every: 4096
seeds: [1, 2]
space:
  ppo.learning_rate: [1.0e-3, 4.0e-3]
"""


def start(file: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "MLFLOW_TRACKING_URI": ""}
    environment.pop("FORCE_COLOR", None)  # what a pipe gets is compared as text
    words = [sys.executable, "-m", "rlmaze_trainer", "sweep", str(file), "--into", str(folder), *options]
    return subprocess.Popen(words, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_real_sweep_trains_compares_and_exports(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(REAL)
    folder = tmp_path / "out"
    with start(tmp_path / "small.yaml", folder, "--workers", "2") as process:
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said
    assert "2 candidates × 2 seeds; 2 at a time in processes of this machine." in said
    assert "Best: ppo.learning_rate" in said
    lines = list(csv.DictReader((folder / "results.csv").open()))
    assert len(lines) == 4
    assert {line["outcome"] for line in lines} == {"finished"}
    best = json.loads((folder / "results.json").read_text())["best"]
    model = folder / best["model"]
    assert {path.name for path in model.iterdir()} == {"manifest.json", "parity.json", "policy.onnx"}
    assert best["held_out"]["episodes"] == 1000
    assert (folder / "best.yaml").is_file()
    # Trials are neither exported nor measured on held-out mazes.
    assert [path.parent.parent.name for path in folder.glob("*/model/*")] == [best["run_id"]]
    with start(tmp_path / "small.yaml", folder) as process:
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said
    assert "4 of them done already" in said
    assert len(list(stored_runs(folder))) == 5
    assert_settled(folder)


def running_trial(folder: Path, process: subprocess.Popen[str]) -> None:
    """Returns when a trial of a sweep learns."""
    deadline = time.monotonic() + LIMIT_S
    while not any(facts.state is TrainingState.RUNNING and where.events.stat().st_size > 1000 for facts, where in stored_runs(folder)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sweep_that_is_interrupted_leaves_no_trial_running_and_no_process(tmp_path: Path) -> None:
    """What a killed one leaves stands in `test_sweep_mlflow` and `test_sweep_ray`."""
    (tmp_path / "small.yaml").write_text(REAL.replace("timesteps: 8192", "timesteps: 100000000"))
    folder = tmp_path / "out"
    with start(tmp_path / "small.yaml", folder, "--workers", "1") as process:
        running_trial(folder, process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == command.INTERRUPTED, said
    assert {facts.state for facts, _ in stored_runs(folder)} == {TrainingState.STOPPED}
    assert "start it again to go on" in said
    assert_settled(folder)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (REAL.replace("seeds", "seed"), [], "seed: Extra inputs are not permitted; allowed keys: name,"),
        (REAL, ["--workers", "0"], "must be a number between 1 and 1024; got '0'"),
        (REAL, ["--on", "mars"], "allowed: processes, ray, ray:<address of a cluster>; got 'mars'"),
    ],
)
def test_what_cannot_be_used_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, options: list[str], words: str
) -> None:
    (tmp_path / "small.yaml").write_text(text)
    try:
        status = command.main([str(tmp_path / "small.yaml"), "--into", str(tmp_path / "out"), *options])
    except SystemExit as left:  # argparse's way
        status = int(left.code or 0)
    assert status == command.UNUSABLE
    assert words in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path / "nowhere.yaml")]) == command.UNUSABLE
    assert "nowhere.yaml:1: cannot be read" in capsys.readouterr().err
