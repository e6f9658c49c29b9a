"""Installs the training environment beside the running page. run.py starts this program and reads what it prints: JSON, one object a line.

    {"message": "Installing PyTorch and MLflow for trainings, 41 of 130 packages", "progress": 0.41}
    {"failed": "the disk is full", "log": "…"}     the last line when it ends with status 1

Nothing is printed when everything is there already. A signal ends it and the program that it runs. An environment that was left half
done is thrown away by the next installation; what was downloaded for it is kept by uv.
"""

from __future__ import annotations

import json
import re
import sys
import threading

import machine
from bootstrap import train_chain
from progress import Failed, Step, run_chains
from uv_progress import UvProgress

REPORT_EVERY_S = 0.5
PURPOSE = "Installing PyTorch and MLflow for trainings"

# What a failure means for the reader, by what the output holds; the first match counts.
REASONS = [
    (r"No space left on device|os error 28|Disk quota exceeded|os error 122", "the disk is full"),
    (r"needs \d+ GiB of disk, [\d.]+ GiB are free", None),
    (r"[Hh]ash mismatch", "a package is not the one that the lock names"),
    (r"Permission denied|os error 13", "a folder can't be written to"),
    (
        r"dns error|lookup address|Connection (refused|reset)|Network is unreachable|error sending request|[Tt]imed? ?out|Failed to fetch",
        "the package index can't be reached",
    ),
]


def reason(text: str) -> str:
    """Why an installation failed, in words for the page: without paths and addresses."""
    for pattern, words in REASONS:
        if match := re.search(pattern, text):
            return words or match[0]
    return "the installation ended with an error"


def say(facts: dict[str, str | float]) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)


class Report:
    """Says how far the step is that runs now, when that has changed. Reads and writes one reference, from a thread of its own."""

    def __init__(self) -> None:
        self.uv: UvProgress | None = None
        self._said: dict[str, str | float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def watch(self, step: Step) -> None:
        """Has a step's programs observed."""

        def read(line: str) -> bool:
            uv = self.uv = self.uv or UvProgress()
            return uv.read(line)

        step.watch = read

    def close(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(REPORT_EVERY_S):
            if (uv := self.uv) is None:
                continue
            words = uv.words()
            facts: dict[str, str | float] = {"message": f"{PURPOSE}, {words}" if words else PURPOSE, "progress": round(uv.fraction(), 3)}
            if facts != self._said:
                self._said = facts
                say(facts)


def main() -> int:
    report = Report()
    steps = train_chain()
    for step in steps:
        report.watch(step)
    try:
        run_chains(steps, quiet=True)
    except (Failed, machine.Missing, OSError) as error:
        report.close()
        print(str(error), file=sys.stderr, flush=True)
        say({"failed": reason(str(error))})
        return 1
    except KeyboardInterrupt:
        return 130
    report.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
