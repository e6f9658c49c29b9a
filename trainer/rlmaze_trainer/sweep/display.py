"""Shows a sweep in the terminal: a bar for the whole and one for each running trial; elsewhere a line for each trial that ended."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingProgress, TrainingState
from rlmaze_trainer.sweep.sweep_file import label_of
from rlmaze_trainer.sweep.trial import Checkpoint, TrialFacts
from rlmaze_trainer.training_run import TrainingRun


class Display:
    """A `Watcher` for people.

    Args:
        console: Where it writes.
        due: Number of trials that are due.
    """

    def __init__(self, console: Console, due: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._whole = self._progress.add_task("[bold]trials", total=due, figures=f"0 of {due}")
        self._due = due
        self._ended = 0
        self._tasks: dict[str, TaskID] = {}
        self._validated: dict[str, Checkpoint] = {}

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def began(self, run: TrainingRun, facts: TrialFacts) -> None:
        """See `Watcher`."""
        name = "the best" if facts.best else f"candidate {facts.candidate}, seed {facts.seed}"
        self._tasks[run.run_id] = self._progress.add_task(name, total=run.facts.timesteps, figures=label_of(facts.values))

    def progressed(self, run: TrainingRun, progress: TrainingProgress) -> None:
        """See `Watcher`."""
        figures = f"{progress.steps_per_second:,.0f} steps/s"
        if progress.success_rate is not None:
            figures += f", training success {progress.success_rate:.0%}"
        if run.run_id in self._validated:
            figures += f", validated {self._validated[run.run_id].standing.success:.1%}"
        self._progress.update(self._tasks[run.run_id], completed=progress.timesteps, figures=figures)

    def validated(self, run: TrainingRun, checkpoint: Checkpoint) -> None:
        """See `Watcher`."""
        known = self._validated.get(run.run_id)
        if known is None or checkpoint.standing >= known.standing:
            self._validated[run.run_id] = checkpoint

    def ended(self, run: TrainingRun, facts: TrialFacts) -> None:
        """See `Watcher`."""
        self._progress.remove_task(self._tasks.pop(run.run_id))
        best = self._validated.pop(run.run_id, None)
        reached = f"{best.standing.success:.2%} of validation mazes after {best.timesteps:,} steps" if best else "no checkpoint"
        name = "The best" if facts.best else f"candidate {facts.candidate}, seed {facts.seed} ({label_of(facts.values)})"
        match run.state:
            case TrainingState.COMPLETED:
                words = "exported and measured" if facts.best else reached
            case TrainingState.STOPPED:
                words = f"{facts.halved or 'interrupted'}; {reached}"
            case _:
                words = f"[red]failed[/red]: {run.facts.failure}"
        self._console.print(f"{name}: {words}", soft_wrap=True)
        if not facts.best:
            self._ended += 1
            self._progress.update(self._whole, completed=self._ended, figures=f"{self._ended} of {self._due}")
