"""Starts the programs of the product, forwards what they print, and ends all of them, with nothing left behind.

A child is started in a session of its own with a parent-death signal, and this process is a subreaper: grandchildren whose parent dies
come here and are ended too. Two kinds of children: the product ends with a required one; an optional one is looked after by whoever
started it (see training_services.py).
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from machine import ROOT, environment

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
COLOURS = {"server": "36", "web": "35", "trainer": "32", "mlflow": "34"}
LINES_KEPT = 20


class CannotStart(Exception):
    """The product can't be started; the text says why and what to do."""


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process groups have to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


@dataclass
class Child:
    """One program that was started, in a session of its own, so that Ctrl-C reaches it through us and in order."""

    name: str
    process: subprocess.Popen[bytes]
    end_limit_s: float
    required: bool = True
    on_line: Callable[[str], bool] | None = None  # gets each line first; true keeps it from being printed
    unfinished_line: bytes = b""
    last_lines: list[str] = field(default_factory=list)

    def signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


class Supervisor:
    """Starts programs, forwards their output line by line, and ends all of them when a required one ends or when it is told to."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stopping_for = ""
        self.signals = 0
        self.selector = selectors.DefaultSelector()
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        prctl(PR_SET_CHILD_SUBREAPER, 1)  # grandchildren whose parent dies come to us and are ended too
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        self.selector.register(self.wake_read, selectors.EVENT_READ, None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self.signals += 1
        self.stopping_for = self.stopping_for or {signal.SIGINT: "Ctrl-C", signal.SIGHUP: "the terminal was closed"}.get(
            signal.Signals(number), signal.Signals(number).name
        )

    def say(self, text: str) -> None:
        """Prints, and bears a terminal that is gone."""
        try:
            print(text, flush=True)
        except (OSError, ValueError):
            pass

    def start(
        self,
        name: str,
        command: list[str | Path],
        end_limit_s: float,
        variables: Mapping[str, str],
        required: bool = True,
        nice: int = 0,
    ) -> Child:
        """Starts a program under a name. nice is how far it steps back behind the others, 0–19."""
        parent = os.getpid()

        def in_child() -> None:
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if nice:
                os.nice(nice)
            if os.getppid() != parent:  # died between fork and prctl
                os._exit(1)

        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=in_child,
        )
        child = Child(name, process, end_limit_s, required)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self.selector.register(process.stdout, selectors.EVENT_READ, child)
        self.children.append(child)
        return child

    def forget(self, child: Child) -> None:
        """Lets go of a child that has ended: asks what is left of its group to end too, and prints its last output."""
        child.signal(signal.SIGTERM)
        self.drain()
        if child in self.children:
            self.children.remove(child)

    def reap_orphans(self) -> None:
        """Takes leave of grandchildren that came to us and have ended; those that run are left alone."""
        ours = {child.process.pid for child in self.children}
        for pid in children_of(os.getpid()) - ours:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass

    def end(self, child: Child) -> None:
        """Ends one child: asked by SIGTERM, killed when it does not end within its limit. A second signal shortens the wait."""
        if child.process.poll() is None:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + child.end_limit_s
        while child.process.poll() is None and time.monotonic() < deadline and self.signals < 2:
            self.forward(0.05)
        if child.process.poll() is None:
            self.say(f"{child.name} did not end in time and is killed")
        child.signal(signal.SIGKILL)
        child.process.wait()

    def forward(self, timeout_s: float) -> None:
        """Waits for output or a signal, and prints whole lines under the name of their program."""
        for key, _ in self.selector.select(timeout_s):
            if key.data is None:
                os.read(self.wake_read, 4096)
                continue
            child: Child = key.data
            stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
            try:
                chunk = os.read(stream.fileno(), 65536)
            except BlockingIOError:
                continue
            if not chunk:
                self.selector.unregister(stream)
                stream.close()
            *lines, child.unfinished_line = (child.unfinished_line + chunk).split(b"\n")
            if not chunk and child.unfinished_line:
                lines.append(child.unfinished_line)
                child.unfinished_line = b""
            for line in lines:
                self._show(child, line.decode(errors="replace").rstrip())

    def _show(self, child: Child, line: str) -> None:
        if child.on_line is not None and child.on_line(line):
            return
        child.last_lines = [*child.last_lines[1 - LINES_KEPT :], line]
        mark = f"{child.name:>7} │"
        if self.colour:
            mark = f"\x1b[{COLOURS.get(child.name, '33')}m{mark}\x1b[0m"
        self.say(f"{mark} {line}")

    def ended(self) -> Child | None:
        """A required child that has ended by itself; None while all run."""
        return next((child for child in self.children if child.required and child.process.poll() is not None), None)

    def wait_until(self, what: str, ready: Callable[[], bool], limit_s: float) -> None:
        """Forwards output until ready; raises CannotStart when a child ends first or the limit passes."""
        started = time.monotonic()
        said = 0.0
        while not self.stopping_for:
            self.forward(0.1)
            if child := self.ended():
                self.drain()
                raise CannotStart(
                    f"{child.name} ended with {describe(child.process.returncode)} before it answered; its last lines are above"
                )
            if ready():
                return
            waited = time.monotonic() - started
            if waited > limit_s:
                raise CannotStart(f"{what} did not answer within {limit_s:.0f} s")
            if waited - said > 3:
                said = waited
                self.say(f"  …     waiting for {what} ({waited:.0f} s)")

    def drain(self) -> None:
        """Forwards what the pipes still hold."""
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            self.forward(0.05)

    def run(self, beside: Callable[[], None]) -> int:
        """Forwards output until a signal comes or a required child ends; returns the exit status. Calls beside at least every second."""
        while not self.stopping_for:
            self.forward(1.0)
            if child := self.ended():
                self.drain()
                self.say(f"\n{child.name} ended with {describe(child.process.returncode)}; its last lines are above. Ending the rest.")
                return 1
            beside()
        return 0

    def stop(self) -> None:
        """Ends every child, in the reverse order of their start, and whatever they left. Bears being called twice."""
        if self.stopping_for:
            self.say(f"\nStopping ({self.stopping_for}) …")
        for child in reversed(self.children):
            self.end(child)
        self.drain()
        self._end_orphans()
        if self.children:
            self.say("Stopped; no process is left.")
        self.children.clear()

    def _end_orphans(self) -> None:
        """Grandchildren that came to us (PostgreSQL of a server that was killed): asked, then killed, then reaped."""
        for number, limit_s in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0)):
            deadline = time.monotonic() + limit_s
            asked: set[int] = set()
            while orphans := children_of(os.getpid()):
                for pid in orphans - asked:
                    try:
                        os.kill(pid, number)
                    except (ProcessLookupError, PermissionError):
                        pass
                    asked.add(pid)
                try:
                    while os.waitpid(-1, os.WNOHANG)[0]:
                        pass
                except ChildProcessError:
                    return
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)


def children_of(parent: int) -> set[int]:
    """The pids of all processes with this parent; empty where there is no /proc."""
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; the parent is the second field after it.
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.add(int(path.parent.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def describe(code: int) -> str:
    """Words for an exit status."""
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"status {code}"
