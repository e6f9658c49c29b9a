"""Evaluation of shipped files: what stands in a manifest, and the tables that people read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rlmaze_env.baselines import BASELINES, Play
from rlmaze_env.mazeset import SetMaze, load_set, unused_mazes
from rlmaze_train.evaluation import Figures, figures, paired_spl, play_baselines, play_greedy
from rlmaze_train.export import onnx_policy, read_manifest, write_manifest


@dataclass(frozen=True)
class Row:
    """One policy on one set."""

    policy: str
    figures: Figures
    against_frontier: tuple[float, float, float]  # paired SPL difference and its 95 % interval
    against_trail: tuple[float, float, float]
    plays: list[Play]


@dataclass(frozen=True)
class SetReport:
    """All policies on one set of mazes."""

    set_id: str
    members: Sequence[SetMaze]
    rows: list[Row]
    compared: dict[str, list[Play]]  # plays of the baselines that others are compared with

    def failures(self) -> list[tuple[str, SetMaze, Play]]:
        """Returns the mazes that models did not solve. Baselines are left out: some must fail."""
        return [
            (row.policy, member, play)
            for row in self.rows
            if row.policy not in BASELINES
            for member, play in zip(self.members, row.plays, strict=True)
            if not play.reached_goal
        ]


def play_model(folder: Path, members: Sequence[SetMaze]) -> list[Play]:
    """Plays a model's exported file greedily on mazes."""
    raw = (folder / "policy.onnx").read_bytes()
    return play_greedy([member.maze for member in members], onnx_policy(raw), read_manifest(folder)["observation"])


def _rows(played: Sequence[tuple[str, list[Play]]], frontier: list[Play], trail: list[Play]) -> list[Row]:
    return [Row(policy, figures(plays), paired_spl(plays, frontier), paired_spl(plays, trail), plays) for policy, plays in played]


def evaluate_set(set_id: str, members: Sequence[SetMaze], models: Sequence[Path], baselines: Sequence[str] = BASELINES) -> SetReport:
    """Evaluates models, and baselines beside them, on the same mazes."""
    mazes = [member.maze for member in members]
    compared = {name: play_baselines(mazes, name) for name in {*baselines, "NEAREST_FRONTIER", "TRAIL_HEURISTIC"}}
    played = [*((folder.name, play_model(folder, members)) for folder in models), *((name, compared[name]) for name in baselines)]
    return SetReport(set_id, members, _rows(played, compared["NEAREST_FRONTIER"], compared["TRAIL_HEURISTIC"]), compared)


def pool_reports(title: str, reports: Sequence[SetReport]) -> SetReport:
    """Puts the mazes of several reports together, as if they were one set."""
    compared = {name: [play for report in reports for play in report.compared[name]] for name in reports[0].compared}
    played = [
        (row.policy, [play for report in reports for play in report.rows[number].plays]) for number, row in enumerate(reports[0].rows)
    ]
    members = [member for report in reports for member in report.members]
    return SetReport(title, members, _rows(played, compared["NEAREST_FRONTIER"], compared["TRAIL_HEURISTIC"]), compared)


def set_members(set_id: str) -> Sequence[SetMaze]:
    """Returns the mazes of a committed set, or for `unused-<seed>` 1,000 that nobody has seen."""
    if set_id.startswith("unused-"):
        return unused_mazes(int(set_id.removeprefix("unused-")), 1_000)
    return load_set(set_id).members


def record_success(folder: Path, set_ids: Sequence[str]) -> None:
    """Measures the exported file on sets and writes what it reached into the manifest."""
    manifest = read_manifest(folder)
    manifest["success"] = []
    for set_id in set_ids:
        found = load_set(set_id)
        reached = figures(play_model(folder, found.members))
        manifest["success"].append(
            {
                "set_id": set_id,
                "set_hash": found.hash,
                "episodes": reached.episodes,
                "successes": reached.successes,
                "mean_steps": round(reached.mean_steps, 3),
                "spl": round(reached.spl, 6),
            }
        )
    write_manifest(folder, manifest)
