"""Command line of training: `python -m rlmaze_train --help` (installed as `rlmaze`)."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rlmaze_env.baselines import BASELINES
from rlmaze_env.mazeset import SET_IDS
from rlmaze_train.config import ConfigError, TrainingConfig, load_config

if TYPE_CHECKING:
    from rlmaze_train import training
    from rlmaze_train.report import SetReport

ROOT = Path(__file__).resolve().parent.parent
CONFIG_FOLDER = ROOT / "configs"
MODEL_FOLDER = ROOT / "models"
RUN_FOLDER = MODEL_FOLDER / "runs"
# Order of the shipped models; the first is the default.
SHIPPED = ("ppo-memory", "ppo-trail", "ppo-plain", "dqn-memory")
_FIRST_UNUSED_SEED = 9_000_001

console = Console(soft_wrap=True)


def _config_label(path: Path) -> str:
    """Names a configuration in a manifest: its path in the repository, never one of this machine."""
    absolute = path.resolve()
    return f"ml/{absolute.relative_to(ROOT)}" if absolute.is_relative_to(ROOT) else path.name


def _train_seed(config: TrainingConfig, seed: int) -> "training.TrainedRun":
    from rlmaze_train import training

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as display:
        task = display.add_task(f"{config.name} seed {seed}", total=config.timesteps, figures="")

        def show(progress: training.Progress) -> None:
            best = progress.best
            validated = f", best validated {best.validation.rate:.2%} SPL {best.validation.spl:.3f}" if best else ""
            line = (
                f"{progress.steps_per_second:,.0f} steps/s, {progress.episodes:,} episodes, reward {progress.reward:+.2f}, "
                f"success {progress.success:.0%}{validated}"
            )
            display.update(task, completed=progress.timesteps, figures=line)

        run = training.train(config, seed, RUN_FOLDER / f"{config.name}-seed{seed}", show)
        display.update(task, completed=config.timesteps)
    best = run.best
    console.print(
        f"{run.run}: best checkpoint at {best.timesteps:,} steps, validation {best.validation.successes} of "
        f"{best.validation.episodes}, SPL {best.validation.spl:.4f}; {run.cpu_seconds:.0f} CPU-seconds"
    )
    return run


def train_and_export(path: Path, seeds: Sequence[int], folder: Path) -> list[Path]:
    """Trains all seeds of a configuration and exports the checkpoint that validated best, and the early one if wanted."""
    from rlmaze_train.export import export
    from rlmaze_train.report import record_success
    from rlmaze_train.training import load_checkpoint

    config = load_config(path)
    runs = [_train_seed(config, seed) for seed in seeds or config.seeds]
    chosen = max(runs, key=lambda run: run.best.rank)
    made = []
    for checkpoint, early in ((chosen.best, False), (chosen.early, True)):
        if checkpoint is None:
            continue
        model = load_checkpoint(config, checkpoint.path)
        label = _config_label(path)
        out = export(model, config, label, chosen.run, chosen.seed, checkpoint.timesteps, folder, early=early)
        record_success(out, config.evaluation.sets)
        console.print(f"exported {out.name} ({(out / 'policy.onnx').stat().st_size:,} bytes, parity proven)")
        made.append(out)
    return made


def _export(arguments: argparse.Namespace) -> None:
    from rlmaze_train.export import export
    from rlmaze_train.training import load_checkpoint

    config = load_config(arguments.config)
    model = load_checkpoint(config, arguments.checkpoint)
    run = f"{config.name}-seed{arguments.seed}"
    label = _config_label(arguments.config)
    out = export(model, config, label, run, arguments.seed, model.num_timesteps, arguments.into, arguments.version, early=arguments.early)
    console.print(f"exported {out.name}, parity proven")


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f} %"


def print_table(title: str, lines: Sequence[Sequence[str]]) -> None:
    """Prints a Markdown table, so that it can stand in a README as it is; the first line is the header."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print(f"\n{title}\n")
    for number, line in enumerate(lines):
        cells = [
            text.ljust(width) if column == 0 else text.rjust(width) for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print(
                "|" + "|".join("-" * (width + 2) if column == 0 else "-" * (width + 1) + ":" for column, width in enumerate(widths)) + "|"
            )


_HEADER = ("policy", "solved", "95 % interval", "SPL", "against NEAREST_FRONTIER", "against TRAIL_HEURISTIC", "steps", "bumps")


def _interval(figures: tuple[float, float]) -> str:
    return f"{_percent(figures[0])} – {_percent(figures[1])}"


def _difference(paired: tuple[float, float, float]) -> str:
    return f"{paired[0]:+.4f} [{paired[1]:+.4f}, {paired[2]:+.4f}]"


def print_report(report: "SetReport", log_failures: bool = True) -> None:
    """Prints the table of one set, and each failure of a model with all that a replay needs."""
    lines: list[Sequence[str]] = [_HEADER]
    for row in report.rows:
        f = row.figures
        lines.append(
            (
                row.policy,
                f"{f.successes} of {f.episodes}",
                _interval(f.interval),
                f"{f.spl:.4f}",
                _difference(row.against_frontier),
                _difference(row.against_trail),
                f"{f.mean_steps:.1f}",
                f"{f.bumps:.2f}",
            )
        )
    print_table(f"{report.set_id}: {len(report.members)} mazes, greedy", lines)
    if log_failures:
        for policy, member, play in report.failures():
            replay = {
                "policy": policy,
                "maze_id": member.maze_id,
                "seed": str(member.seed),
                "loop_ratio": member.loop_ratio,
                "rows": member.maze.rows,
                "actions": "".join(map(str, play.actions)),
            }
            print(json.dumps(replay))


def _evaluate(arguments: argparse.Namespace) -> None:
    from rlmaze_train.report import evaluate_set, pool_reports, set_members

    folders = [arguments.folder / name for name in arguments.models or []]
    if not folders:
        folders = sorted(path.parent for path in arguments.folder.glob("*/manifest.json"))
    wanted = list(arguments.sets) if not arguments.seeds else [f"unused-{_FIRST_UNUSED_SEED + i}" for i in range(arguments.seeds)]
    reports = [evaluate_set(set_id, set_members(set_id), folders, arguments.baselines) for set_id in wanted]
    for report in reports:
        print_report(report, arguments.failures)
    if arguments.seeds > 1:
        print_report(pool_reports(f"all {arguments.seeds} seeds together", reports), log_failures=False)
    if arguments.json:
        found = [
            {"set_id": report.set_id, "policy": row.policy, **vars(row.figures), "against_nearest_frontier": row.against_frontier}
            for report in reports
            for row in report.rows
        ]
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


def _train_models(arguments: argparse.Namespace) -> None:
    for name in arguments.only or SHIPPED:
        train_and_export(CONFIG_FOLDER / f"{name}.yaml", [], arguments.into)
    (arguments.into / "default.json").write_text(json.dumps({"model_id": f"{SHIPPED[0]}-1"}) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rlmaze", description="Train, evaluate and export maze policies.")
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train the run of a YAML file and export its best checkpoint")
    train.add_argument("config", type=Path)
    train.add_argument("--seed", type=int, action="append", default=[], help="instead of the seeds in the file; may be repeated")
    train.add_argument("--into", type=Path, default=RUN_FOLDER / "exported", help="folder that receives the model folder")
    train.set_defaults(run=lambda a: train_and_export(a.config, a.seed, a.into))

    export = commands.add_parser("export", help="export a checkpoint to ONNX with proof of parity")
    export.add_argument("config", type=Path)
    export.add_argument("checkpoint", type=Path)
    export.add_argument("--seed", type=int, default=1, help="seed of the run, for the manifest")
    export.add_argument("--version", type=int, default=1)
    export.add_argument("--early", action="store_true", help="name it an early checkpoint")
    export.add_argument("--into", type=Path, default=RUN_FOLDER / "exported")
    export.set_defaults(run=_export)

    evaluate = commands.add_parser("evaluate", help="play exported models and baselines on maze sets")
    evaluate.add_argument("--models", nargs="*", metavar="ID", help="model ids; all in the folder when left out")
    evaluate.add_argument("--folder", type=Path, default=MODEL_FOLDER, help="where the model folders lie")
    evaluate.add_argument("--sets", nargs="*", default=["heldout", "large20", "large30"], choices=SET_IDS, metavar="SET")
    evaluate.add_argument("--seeds", type=int, default=0, help="instead of sets, so many unused seeds with 1,000 new mazes each")
    evaluate.add_argument("--baselines", nargs="*", default=list(BASELINES), choices=BASELINES, metavar="BASELINE")
    evaluate.add_argument(
        "--failures", action=argparse.BooleanOptionalAction, default=True, help="print each unsolved maze with its replay"
    )
    evaluate.add_argument("--json", type=Path, help="also write the figures to this file")
    evaluate.set_defaults(run=_evaluate)

    models = commands.add_parser("train-models", help="make all shipped models again")
    models.add_argument("--only", nargs="*", choices=SHIPPED, metavar="NAME")
    models.add_argument(
        "--into", type=Path, default=RUN_FOLDER / "shipped", help="default: beside the committed models; ml/models replaces them"
    )
    models.set_defaults(run=_train_models)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("torch").setLevel(logging.ERROR)
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
