"""Runs the notebooks.

    python experiments/run_all.py                 all, small budget, nothing is written: what the tests do
    python experiments/run_all.py --write         all, full budget, the outputs are kept: `make notebooks`
    python experiments/run_all.py 03 04           only these
    python experiments/run_all.py --text          nothing is run: changed words are taken over, if all code is as it was

01 records the curve that 02 compares with, so these two run one after the other.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebook_source import EXPERIMENTS, NAMES, build, notebook_path, read

LANES = (("00_rl_basic", "03_maze_env"), ("01_dqn_basic", "02_ppo_basic"), ("04_onnx_export",))
CELL_TIMEOUT_S = 1800  # generous: it shall end what hangs, not measure


@dataclass
class Ran:
    """A notebook that was executed."""

    name: str
    book: nbformat.NotebookNode
    seconds: float
    failure: str  # empty when every cell ran


def execute(name: str, budget: str, records: Path) -> Ran:
    """Executes a notebook from its source in a kernel of its own.

    Args:
        name: Of the notebook.
        budget: `small` or `full`.
        records: Folder of the recorded curves.
    """
    book = build(name)
    began = time.monotonic()
    client = NotebookClient(
        book,
        timeout=CELL_TIMEOUT_S,
        startup_timeout=300,
        kernel_name="python3",
        # The kernel listens on loopback only, and need not warn of it.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(EXPERIMENTS)}},
    )
    environment = {
        **os.environ,
        "RLMAZE_NOTEBOOK_BUDGET": budget,
        "RLMAZE_NOTEBOOK_RECORDS": str(records),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Network and device lists differ between machines; the notebooks need one core.
    environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    failure = ""
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        failure = str(error)
    except Exception as error:  # a kernel that died, a cell that took too long
        failure = f"{type(error).__name__}: {error}"
    book.metadata["rlmaze"] = {"budget": budget}
    return Ran(name, book, time.monotonic() - began, failure)


def run_lane(names: Sequence[str], budget: str, records: Path, report: threading.Lock) -> list[Ran]:
    """Executes some notebooks one after the other and says a line about each."""
    done = []
    for name in names:
        ran = execute(name, budget, records)
        with report:
            print(f"  {'FAIL' if ran.failure else 'ok  '}  {name:<16} {ran.seconds:6.1f} s", flush=True)
        done.append(ran)
    return done


def run(names: Sequence[str], budget: str, records: Path, lanes: int) -> list[Ran]:
    """Executes notebooks, as many beside each other as there are lanes."""
    wanted = [[name for name in lane if name in names] for lane in LANES]
    report = threading.Lock()
    with ThreadPoolExecutor(lanes) as pool:
        running = [pool.submit(run_lane, lane, budget, records, report) for lane in wanted if lane]
        return sorted((ran for lane in running for ran in lane.result()), key=lambda ran: ran.name)


def write(ran: Ran) -> None:
    """Keeps an executed notebook, in one rename."""
    path = notebook_path(ran.name)
    fresh = path.with_suffix(".fresh")
    nbformat.write(ran.book, fresh)
    os.replace(fresh, path)


def take_over_text(name: str) -> bool:
    """Puts changed text cells of a source into its committed notebook; False when code was changed too."""
    fresh, kept = build(name), read(name)
    code = {cell.id: cell for cell in kept.cells if cell.cell_type == "code"}
    wanted = [cell for cell in fresh.cells if cell.cell_type == "code"]
    if [(cell.id, cell.source) for cell in wanted] != [(cell.id, cell.source) for cell in code.values()]:
        return False
    kept.cells = [code.get(cell.id, cell) for cell in fresh.cells]
    write(Ran(name, kept, 0.0, ""))
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="run with the full budget and keep the outputs")
    parser.add_argument("--text", action="store_true", help="run nothing; take over changed words")
    parser.add_argument("notebooks", nargs="*", help="numbers or names; all when none is given")
    arguments = parser.parse_args()
    names = [name for name in NAMES if not arguments.notebooks or name.startswith(tuple(arguments.notebooks))]
    if not names:
        parser.error(f"no such notebook; there are {', '.join(NAMES)}")
    if arguments.text:
        stale = [name for name in names if not take_over_text(name)]
        for name in stale:
            print(f"{name}: its code was changed, so it must be run: run_all.py --write {name[:2]}", file=sys.stderr)
        return 1 if stale else 0
    with tempfile.TemporaryDirectory() as folder:
        if arguments.write:
            # One after the other: the notebooks measure time.
            done = run(names, "full", EXPERIMENTS / "records", lanes=1)
        else:
            done = run(names, "small", Path(folder), lanes=2)
    for ran in done:
        if ran.failure:
            print(f"\n── {ran.name} {'─' * (90 - len(ran.name))}\n{ran.failure}", file=sys.stderr)
        elif arguments.write:
            write(ran)
    return 1 if any(ran.failure for ran in done) else 0


if __name__ == "__main__":
    sys.exit(main())
