"""Runs the benchmarks against their peers and prints one table of ratios.

    python benchmarks/run.py                       everything, in 25 minutes or less; train-to-skill takes 10 of them
    python benchmarks/run.py --only infer episode  some of them
    python benchmarks/run.py --realtime            other work on this machine waits for the contestants
    python benchmarks/run.py --quick               short turns: proves that everything runs, says little about speed

Each benchmark is a folder with a run.py that prints one JSON object a row. Where the A/A control of a row with a bar is off by more than
10 %, the benchmark is run again while there is time, up to three times in all; each row comes from the first run whose control held, whatever
its ratio, and what was never quiet stands in the table as failed. The rows, with the machine they come from, are kept in benchmarks/results/.
The exit status is 1 when a bar was missed, a control failed or a benchmark did not run, so that CI can use it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from side_by_side import CONTROL_LIMIT, Row, say

HERE = Path(__file__).resolve().parent
BENCHMARKS = ["env_step", "train_to_skill", "infer", "eval", "episode", "live_fan_out", "canvas", "train_overhead", "metric_ingest"]
ATTEMPTS = 3
RETRIES_END_S = 12 * 60  # after the start; later nothing is repeated
LONGEST_S = 15 * 60  # of one benchmark; what takes longer hangs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some of: " + ", ".join(name.replace("_", "-") for name in BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="short turns, no repeats")
    parser.add_argument(
        "--realtime", action="store_true", help="run the contestants with real-time priority (root only), where others use the machine"
    )
    arguments = parser.parse_args()
    if arguments.realtime:
        os.environ["RLMAZE_BENCH_REALTIME"] = "1"
    named = [name.replace("-", "_") for name in arguments.only or BENCHMARKS]
    if unknown := [name for name in named if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    wanted = [name for name in BENCHMARKS if name in named]

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # through the benchmark in work, which ends its servers
    began = time.monotonic()
    rows: list[Row] = []
    for name in wanted:
        rows += run_until_quiet(name, arguments.quick, began + RETRIES_END_S)
    machine = describe_machine() + (", contestants with real-time priority" if arguments.realtime else "")
    print_table(rows, machine)
    kept = keep(rows, machine, arguments.quick)
    say(f"\n{time.monotonic() - began:.0f} s; kept in {kept.relative_to(HERE.parent)}")
    return 0 if all(holds(row) for row in rows) else 1


def run_until_quiet(name: str, quick: bool, retries_end: float) -> list[Row]:
    """Runs one benchmark, and again while the control of a row with a bar fails. Returns one row a figure."""
    rows: dict[str, Row] = {}
    for attempt in range(1, ATTEMPTS + 1):
        say(f"== {name.replace('_', '-')}" + (f" (attempt {attempt} of {ATTEMPTS})" if attempt > 1 else ""))
        for row in run_once(name, quick):
            if row.figure not in rows or not is_quiet(rows[row.figure]):
                rows[row.figure] = row
        if quick or all(is_quiet(row) for row in rows.values() if row.bar):
            break
        say(f"{name.replace('_', '-')}: the A/A control is off by more than {CONTROL_LIMIT:.0%}; the machine was not quiet")
        if time.monotonic() > retries_end:
            break
    return list(rows.values())


def run_once(name: str, quick: bool) -> list[Row]:
    """Runs one benchmark. One that does not run to its end is a failed row, never a missing one."""
    # The others give it to their servers themselves; a training of minutes would keep the machine from everybody for too long.
    priority = ["chrt", "--rr", "5"] if name in ("env_step", "metric_ingest") and os.environ.get("RLMAZE_BENCH_REALTIME") == "1" else []
    command = [*priority, sys.executable, str(HERE / name / "run.py"), *(["--quick"] if quick else [])]
    failure = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}) as running:
        try:
            printed, _ = running.communicate(timeout=LONGEST_S)
        except (SystemExit, KeyboardInterrupt):
            running.terminate()
            running.wait()
            raise
        except subprocess.TimeoutExpired:
            running.terminate()  # it ends the servers that it started
            printed, _ = running.communicate()
            failure = f"ended after {LONGEST_S // 60} minutes"
    rows = [read_row(line) for line in printed.splitlines() if line.startswith("{")]
    if running.returncode != 0 or not rows:
        failure = failure or f"exit status {running.returncode}"
    if failure:
        rows.append(Row(name.replace("_", "-"), "did not run to its end", bar="runs", passed=False, note=failure))
    return rows


def read_row(line: str) -> Row:
    given: dict[str, Any] = json.loads(line)
    known = {field.name for field in fields(Row)}
    return Row(**{name: value for name, value in given.items() if name in known})


def is_quiet(row: Row) -> bool:
    return row.control is None or row.control <= CONTROL_LIMIT


def holds(row: Row) -> bool:
    return row.passed is not False and (is_quiet(row) or not row.bar)


def print_table(rows: list[Row], machine: str) -> None:
    """Prints Markdown, so that the table can stand in the README as it is."""
    header = ["benchmark", "figure", "ours", "peer", "ratio", "CPU ratio", "bar", "result", "A/A", "against, and notes"]
    lines = [header, *[cells(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    print(machine + "\n")
    for number, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def cells(row: Row) -> list[str]:
    if not row.bar:
        result = "shown"
    elif not is_quiet(row):
        result = "FAILED (not quiet)"
    else:
        result = "pass" if row.passed else "FAILED"
    return [
        row.benchmark,
        row.figure,
        quantity(row.ours, row.unit),
        quantity(row.peer, row.unit),
        "" if row.ratio is None else f"{row.ratio:.1f} ×",
        "" if row.cpu_ratio is None else f"{row.cpu_ratio:.1f} ×",
        row.bar,
        result,
        "" if row.control is None else f"{row.control:.1%}",
        "; ".join(text for text in (row.peer_name, row.note) if text),
    ]


def quantity(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 1000 or value == int(value) else 1 if value >= 100 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def describe_machine() -> str:
    model = next(
        (line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine(),
    )
    load = os.getloadavg()
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load average {load[0]:.1f} at the end"
    )


def keep(rows: list[Row], machine: str, quick: bool) -> Path:
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps({"machine": machine, "quick": quick, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    return file


if __name__ == "__main__":
    sys.exit(main())
