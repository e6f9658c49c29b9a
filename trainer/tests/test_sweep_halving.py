"""Successive halving and the figures of a sweep, as arithmetic. Without PyTorch."""

import csv
import io
import json
from pathlib import Path

import pytest
import scipy.stats  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState
from rlmaze_train.config import parse_config
from rlmaze_trainer.configuration import PRESET_FOLDER
from rlmaze_trainer.run_folder import Run, RunFolder, utc_now
from rlmaze_trainer.sweep import result
from rlmaze_trainer.sweep.halving import Halving, Standing
from rlmaze_trainer.sweep.sweep_file import HalvingChoice, Sweep, parse_sweep
from rlmaze_trainer.sweep.trial import Checkpoint, Trial, TrialFacts

SWEEP = """name: a-sweep
title: A sweep
description: For a test.
base: ppo-quick.yaml
seeds: [1, 2, 3]
space:
  ppo.learning_rate: [1.0e-3, 2.0e-3, 4.0e-3]
"""


def test_rungs_grow_by_what_is_kept() -> None:
    assert Halving(HalvingChoice(first=1000, keep=0.5)).rungs(8000) == [1000, 2000, 4000]
    assert Halving(HalvingChoice(first=1000, keep=0.25)).rungs(100_000) == [1000, 4000, 16000, 64000]
    assert Halving(None).rungs(8000) == []


def test_the_worse_half_ends_and_the_first_is_compared_with_nobody() -> None:
    halving = Halving(HalvingChoice(first=100, keep=0.5))

    def report(candidate: int, success: float, timesteps: int = 100, seed: int = 1) -> str:
        verdict = halving.report(candidate, seed, timesteps, 1000, Standing(success, 0.5))
        return "" if verdict is None else verdict.text

    assert report(1, 0.5) == ""
    assert report(2, 0.4) == "ended by halving: number 2 of 2 after 100 steps"
    assert report(3, 0.6) == ""
    assert report(4, 0.55) == ""  # second of four
    assert report(5, 0.55) != ""  # among equals the earlier one stays
    assert report(6, 0.1, seed=2) == ""  # nobody of its seed was there before
    assert report(1, 0.7, timesteps=230) == ""  # the next rung, which nobody has reached
    assert report(3, 0.65, timesteps=199) == ""  # between rungs nothing is decided
    assert report(3, 0.65, timesteps=205) != ""
    assert report(3, 0.0, timesteps=1000) == ""  # it is done anyway


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from([0.25, 0.5, 0.75]))
def test_the_best_one_so_far_always_goes_on(successes: list[float], keep: float) -> None:
    halving = Halving(HalvingChoice(first=10, keep=keep))
    best = -1.0
    for number, success in enumerate(successes):
        verdict = halving.report(number, 1, 10, 100, Standing(success, 0.0))
        if success > best:
            assert verdict is None
            best = success


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_the_interval_is_students(rates: list[float]) -> None:
    low, high = result.mean_interval(rates) or (0.0, 0.0)
    if len(set(rates)) == 1:
        assert low == pytest.approx(rates[0])
        return
    spread = scipy.stats.sem(rates)
    if spread < 1e-9:
        return
    wanted = scipy.stats.t.interval(0.95, len(rates) - 1, loc=sum(rates) / len(rates), scale=spread)
    assert (low, high) == pytest.approx((max(0.0, wanted[0]), min(1.0, wanted[1])), abs=1e-4)


def test_one_value_has_no_interval() -> None:
    assert result.mean_interval([0.5]) is None


def sweep() -> Sweep:
    return parse_sweep(SWEEP, "sweep.yaml", PRESET_FOLDER)


def trial(found: Sweep, number: int, seed: int, successes: int, state: TrainingState = TrainingState.COMPLETED, **facts: str) -> Trial:
    candidate = found.candidates[number - 1]
    run = Run(
        run_id=f"run-{number}-{seed}",
        state=state,
        name="a-sweep",
        title="A sweep",
        algorithm="PPO",
        observation="memory/1",
        timesteps=candidate.config.timesteps,
        seed=seed,
        device="cpu",
        created_at=utc_now(),
        failure="The loss became nan." if state is TrainingState.FAILED else "",
    )
    checkpoints = (Checkpoint(1000, successes // 2, 500, 0.3), Checkpoint(2000, successes, 500, 0.6))
    where = TrialFacts("a-sweep", number, seed, dict(candidate.values), candidate.digest(seed), **facts)  # type: ignore[arg-type]
    return Trial(where, run, RunFolder(Path("nowhere")), checkpoints)


def test_the_best_candidate_has_the_highest_mean_of_those_that_finished_every_seed() -> None:
    found = sweep()
    trials = [trial(found, 1, seed, successes) for seed, successes in ((1, 400), (2, 450), (3, 410))]
    trials += [trial(found, 2, 1, 500), trial(found, 2, 2, 500, TrainingState.FAILED)]
    trials += [trial(found, 3, 1, 480), trial(found, 3, 2, 100, TrainingState.STOPPED, halved="ended by halving")]
    summed = result.sum_up(found, trials)
    assert [(one.candidate.number, one.outcome) for one in summed.candidates] == [(1, "finished"), (3, "halved"), (2, "failed")]
    assert summed.best is summed.candidates[0]
    assert summed.best.success == pytest.approx(0.84)
    assert summed.best.interval == pytest.approx((0.84 - 0.1312, 0.84 + 0.1312), abs=1e-3)
    assert summed.best_trial is not None
    assert summed.best_trial.facts.seed == 2


def test_a_trial_that_was_run_again_counts_once() -> None:
    found = sweep()
    trials = [trial(found, 1, 1, 10, TrainingState.FAILED), trial(found, 1, 1, 400), trial(found, 1, 1, 10, TrainingState.STOPPED)]
    assert [one.outcome for one in result.sum_up(found, trials).candidates[0].trials.values()] == ["finished"]


def test_the_results_are_written_and_can_be_used(tmp_path: Path) -> None:
    found = sweep()
    trials = [trial(found, number, seed, 300 + 50 * number + seed) for number in (1, 2, 3) for seed in (1, 2, 3)]
    summed = result.sum_up(found, trials)
    files = result.write(summed, tmp_path, {"run_id": "a-sweep-best-1"})
    assert [path.name for path in files] == ["results.csv", "results.json", "best.yaml"]
    lines = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert len(lines) == 9
    assert (lines[0]["candidate"], lines[0]["ppo.learning_rate"], lines[0]["validation_successes"]) == ("3", "0.004", "451")
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["best"] == {"candidate": 3, "run_id": "a-sweep-best-1"}
    assert len(written["candidates"][0]["interval"]) == 2
    best = parse_config((tmp_path / "best.yaml").read_text(), "best.yaml")
    assert best.ppo is not None
    assert (best.name, best.ppo.learning_rate) == ("a-sweep-best", 0.004)


def test_the_table_shows_mean_interval_and_outcome() -> None:
    found = sweep()
    trials = [trial(found, 1, seed, 400 + seed) for seed in (1, 2, 3)] + [trial(found, 2, 1, 100, TrainingState.FAILED)]
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(result.table_of(result.sum_up(found, trials)))
    text = console.export_text()
    for part in ("0.001", "80.40 %", "79.90 % – 80.90 %", "0.600", "3 of 3", "finished", "0 of 3", "failed", "Student's t"):
        assert part in text
