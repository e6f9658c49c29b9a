"""Runs installation and build steps, several at a time, and says all the while what is going on.

Steps are grouped in chains: the steps of one chain run one after another, the chains beside each other. The output of the programs goes
to .tools/logs/<step>.log; only when a step fails is its end shown.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from machine import ROOT, TOOLS, environment

HEARTBEAT_S = 15.0  # off a terminal, a step that takes longer says so this often
REDRAW_S = 0.2  # on a terminal


class Failed(Exception):
    """A step failed; the text holds the end of its output."""


class Step:
    """One thing that is done, under a name people understand. The work gets the step, to start programs through it."""

    def __init__(self, name: str, work: Callable[[Step], None]):
        self.name = name
        self.work = work
        self.skipped = False  # set by the work when there was nothing to do; such a step is not reported
        self.started = 0.0
        # Gets each line that a program of this step draws, which then believes in a terminal; true keeps the line out of the log.
        self.watch: Callable[[str], bool] | None = None
        self.log = TOOLS / "logs" / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".log")

    def run(self, command: list[str | Path], cwd: Path = ROOT, variables: Mapping[str, str] | None = None) -> None:
        """Runs a program to its end, its output in the log. Raises Failed with the last lines when it fails."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        with open(self.log, "ab") as log:
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            terminal, output = (None, log.fileno()) if self.watch is None else _open_terminal()
            try:
                process = subprocess.Popen(
                    words,
                    cwd=cwd,
                    env=environment(variables),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except BaseException:
                if terminal is not None:
                    os.close(terminal)
                raise
            finally:
                if terminal is not None:
                    os.close(output)
            with _running_lock:
                _running.add(process)
            try:
                if terminal is not None and self.watch is not None:
                    _copy_terminal(terminal, self.watch, log)
                code = process.wait()
            finally:
                with _running_lock:
                    _running.discard(process)
        if code != 0:
            lines = self.log.read_text(errors="replace").splitlines()
            shown = lines if len(lines) <= 60 else [*lines[:20], "…", *lines[-40:]]  # npm says why first, compilers say it last
            raise Failed(
                f"{self.name} failed: {' '.join(words)} ended with {code}\n"
                + "\n".join("    " + line for line in shown)
                + f"\n  (all of it: {self.log.relative_to(ROOT)})"
            )


def _open_terminal() -> tuple[int, int]:
    """A terminal of its own for a program that draws its progress only on one: our end, and the program's."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 120, 0, 0))  # high enough for a bar for every download
    return ours, theirs


# Colours are left out; a movement of the cursor or a cleared line parts what was drawn before it from what comes after.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def _copy_terminal(terminal: int, watch: Callable[[str], bool], log: IO[bytes]) -> None:
    """Reads what a program draws until it ends; the lines that watch has no use for go to the log."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    with open(terminal, "rb", buffering=0) as stream:
        while True:
            try:
                chunk = stream.read(65536)
            except OSError:  # EIO: the other end is closed
                chunk = b""
            rest = CONTROL.sub("\n", COLOUR.sub("", rest + decoder.decode(chunk, final=not chunk)))
            lines = re.split(r"[\r\n]", rest)
            rest = lines.pop() if chunk else ""
            for line in lines:
                if line.strip() and not watch(line.rstrip()):
                    log.write(line.rstrip().encode() + b"\n")
                    log.flush()
            if not chunk:
                return


_running: set[subprocess.Popen[bytes]] = set()
_running_lock = threading.Lock()


def _end_programs() -> None:
    with _running_lock:
        for process in _running:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass


def run_chains(*chains: list[Step], quiet: bool = False) -> None:
    """Runs the chains beside each other. The first failure ends the others and is raised as Failed. quiet prints nothing."""
    chains = tuple(chain for chain in chains if chain)
    if not chains:
        return
    failures: list[BaseException] = []
    current: dict[int, Step | None] = {}
    finished: list[tuple[Step, float]] = []
    lock = threading.Lock()

    def run_chain(number: int, chain: list[Step]) -> None:
        for step in chain:
            if failures:
                break
            step.started = time.monotonic()
            step.log.unlink(missing_ok=True)
            with lock:
                current[number] = step
            try:
                step.work(step)
            except BaseException as error:
                with lock:
                    failures.append(error)
                    current[number] = None
                return
            with lock:
                finished.append((step, time.monotonic() - step.started))
                current[number] = None

    threads = [threading.Thread(target=run_chain, args=entry, daemon=True) for entry in enumerate(chains)]
    live = sys.stdout.isatty()
    said: dict[str, float] = {}
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(REDRAW_S if live else 0.05)
            with lock:
                done, finished[:] = list(finished), []
                running = [step for step in current.values() if step]
                failed = bool(failures)
            if failed:
                _end_programs()
            if not quiet:
                _report(done, running, live, said)
        with lock:
            if not quiet:
                _report(finished, [], live, said)
    except BaseException:
        _end_programs()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if failures:
        raise failures[0]


def _interrupt(number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _report(done: list[tuple[Step, float]], running: list[Step], live: bool, said: dict[str, float]) -> None:
    now = time.monotonic()
    clear = "\r\x1b[2K" if live else ""
    for step, seconds in done:
        if not step.skipped:
            print(f"{clear}  done  {step.name} ({seconds:.1f} s)", flush=True)
    running = [step for step in running if now - step.started > 0.5]
    if live:
        if running:
            line = "  …     " + " · ".join(f"{step.name} {now - step.started:.0f} s" for step in running)
            print(clear + line[: max(20, os.get_terminal_size().columns - 1)], end="", flush=True)
        return
    for step in running:
        if now - said.get(step.name, 0.0) > HEARTBEAT_S:
            said[step.name] = now
            print(f"  …     {step.name} ({now - step.started:.0f} s)", flush=True)
