"""Runs the tests: `make test`.

    python3 scripts/test.py                 every group, with samples of the large counts
    python3 scripts/test.py go web          only these groups
    python3 scripts/test.py --full soak     the full counts
    python3 scripts/test.py --list          what there is

With CI set, a Go, Python or browser test that fails is tried once more, on its own: the machines of continuous integration are shared, and
a test of stores that are killed meets a pause of the machine now and then. What needed its second try is named at the end, and more than
three failures, a data race or a package that does not build are not tried again.

Two lanes run beside each other: one is mostly Go's compiler, the other mostly waits for installations. What measures time or drives a
browser runs alone, after both. The output of a group is printed whole when the group ends, and a table at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import machine
from bootstrap import go_test_chain, light_chain, train_chain, web_chain
from build import server_step, web_step
from machine import PNPM, ROOT, SERVER_BINARY, TOOLS, TRAIN, environment
from progress import Failed, Step, run_chains

HEARTBEAT_S = 30.0
AGAIN = bool(os.environ.get("CI"))
SAMPLE_STEPS = 100_000  # of the random episodes that Go and Python both play; --full plays as many as the acceptance list asks
FULL_STEPS = 1_000_000
CHROMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


class GroupFailed(Exception):
    """A group failed; its output was printed already, or the text says what is missing."""


@dataclass
class Group:
    """One kind of test. The lanes a and b run beside each other, the lane z alone after them."""

    name: str
    about: str
    lane: str
    work: Callable[[Run], None]
    by_default: bool = True


@dataclass
class Run:
    """One group while it runs: starts programs and keeps what they print."""

    full: bool
    output: list[str] = field(default_factory=list)
    tried_again: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def program(self, command: list[str | Path], cwd: Path = ROOT, variables: dict[str, str] | None = None) -> str:
        """Runs a program to its end. Raises GroupFailed when it fails."""
        words = [str(word) for word in command]
        self.output.append("$ " + " ".join(words))
        began = len(self.output)
        # No FORCE_COLOR=0 beside it: rich takes any value of that for the wish to write to a terminal.
        scale = {"NO_COLOR": "1", **({"RLMAZE_SOAK": "1"} if self.full else {})}
        # Named, MLflow is no longer something that a test may do without.
        scale["MLFLOW_PYTHON"] = str(TRAIN / "bin" / "python")
        with subprocess.Popen(
            words,
            cwd=cwd,
            env=environment({**scale, **(variables or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            self.process = process
            assert process.stdout is not None
            for line in process.stdout:
                self.output.append(line.rstrip("\n"))
            code = process.wait()
        if code != 0:
            raise GroupFailed(f"{' '.join(words)} ended with {code}")
        return "\n".join(self.output[began:])

    def go_tests(self, packages: list[str], *options: str) -> None:
        """Runs Go tests with -race. Raises GroupFailed when one fails."""
        with tempfile.NamedTemporaryFile("r", prefix="rlmaze-go-tests-") as report:
            again = ["--rerun-fails=1", "--rerun-fails-max-failures=3", "--rerun-fails-abort-on-data-race", "--rerun-fails-run-root-test"]
            again = [*again, f"--rerun-fails-report={report.name}"] if AGAIN else []
            # -count=1 because embedded stores are part of what is tested.
            flags = ["-race", "-count=1", "-timeout=20m", *options]
            command: list[str | Path] = [TOOLS / "bin" / "gotestsum", "--format=standard-quiet", *again, "--packages=" + " ".join(packages)]
            try:
                self.program([*command, "--", *flags])
            finally:
                self.tried_again += [line.strip() for line in report if line.strip()]

    def pytest(self, *arguments: str, cwd: Path, variables: dict[str, str] | None = None) -> None:
        """Runs Python tests in the training environment, without a GPU. Raises GroupFailed when one fails."""
        again = ["--reruns=1", "-rR"] if AGAIN else []
        began = len(self.output)
        try:
            self.program(
                [TRAIN / "bin" / "python", "-m", "pytest", "-q", *again, *arguments],
                cwd=cwd,
                variables={"CUDA_VISIBLE_DEVICES": "", **(variables or {})},
            )
        finally:
            self.tried_again += [line.removeprefix("RERUN ") for line in self.output[began:] if line.startswith("RERUN ")]

    def playwright(self, *arguments: str, variables: dict[str, str]) -> None:
        """Runs browser tests; playwright.config.ts has the second try. Raises GroupFailed when one fails."""
        began = len(self.output)
        try:
            self.program(
                [PNPM, "exec", "playwright", "test", "--pass-with-no-tests", *arguments], cwd=ROOT / "apps" / "web", variables=variables
            )
        finally:
            after = iter(self.output[began:])
            for line in after:
                if re.fullmatch(r"\s*\d+ flaky\s*", line):
                    for test in after:
                        if " › " not in test:
                            break
                        self.tried_again.append(test.strip().rstrip("─ "))


# Groups of their own: they measure time, or take the whole machine.
NOT_BESIDE_OTHERS = ("/server/conformance", "/server/e2e", "/server/soak")


def test_go(run: Run) -> None:
    run.program(["go", "vet", "./..."])
    packages = run.program(["go", "list", "./..."]).split()
    run.output.clear()
    kept = [name for name in packages if not any(part in name for part in NOT_BESIDE_OTHERS)]
    run.go_tests(kept)


def test_server(run: Run) -> None:
    """The whole server: streams that are cut, dropped and stalled, stores that go away, kill and restart."""
    run.go_tests(["./server/e2e/...", "./server/soak/..."], "-p=1")


def test_connect(run: Run) -> None:
    """connectrpc's own conformance suite against the server's handler chain."""
    run.program(["go", "test", "-count=1", "-timeout=10m", "-v", "./server/conformance/..."])


def test_conformance(run: Run) -> None:
    """The same random episodes in Go and in Python: one line each, which must be equal."""
    steps = str(FULL_STEPS if run.full else SAMPLE_STEPS)
    for seed in ("1", "2", "3") if run.full else ("1",):
        python = run.program([TRAIN / "bin" / "python", "-m", "rlmaze_env", "twin-play", "--seed", seed, "--steps", steps], cwd=ROOT / "ml")
        go = run.program(["go", "run", "./server/cmd/twinplay", "-seed", seed, "-steps", steps])
        if python.strip() != go.strip():
            raise GroupFailed(f"Python played {python!r}, Go {go!r}")
    run.output.append("conformance: Go and Python agree bit for bit")


def test_ml(run: Run) -> None:
    run.pytest("tests", cwd=ROOT / "ml")


def test_trainer(run: Run) -> None:
    run.pytest("tests", cwd=ROOT / "trainer")


def test_notebooks(run: Run) -> None:
    run.pytest("tests", cwd=ROOT / "experiments")


def test_training(run: Run) -> None:
    """Server, trainer and MLflow together: processes and services that are killed, ended and away."""
    # At full counts one test takes longer than a hang is given elsewhere.
    longer = ["-o", "faulthandler_timeout=7200"] if run.full else []
    run.pytest(*longer, "soak", cwd=ROOT / "trainer", variables={"RLMAZE_SERVER": str(SERVER_BINARY)})


def test_scripts(run: Run) -> None:
    run.pytest("scripts/tests", cwd=ROOT)


def test_web(run: Run) -> None:
    """Unit tests of the packages and the application; the counts are added up into one closing line."""
    folders = [path.parent for pattern in ("packages/*/package.json", "apps/*/package.json") for path in sorted(ROOT.glob(pattern))]
    passed = failed = 0
    failure = ""
    for folder in folders:
        if '"test":' not in (folder / "package.json").read_text():
            continue
        began = len(run.output)
        try:
            run.program([PNPM, "run", "test"], cwd=folder)
        except GroupFailed as error:
            failure = failure or str(error)
        for line in run.output[began:]:
            plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
            if re.match(r"\s*Tests\s", plain):
                passed += sum(int(count) for count in re.findall(r"(\d+) passed", plain))
                failed += sum(int(count) for count in re.findall(r"(\d+) failed", plain))
    run.output.append(f"web: {passed} passed, {failed} failed")
    if failure:
        raise GroupFailed(failure)
    if passed == 0:
        raise GroupFailed("no web test was run")


def find_chrome() -> str:
    """A Chrome or Chromium. As root on Debian a missing one is installed; else GroupFailed says what to install."""
    if named := os.environ.get("CHROME_PATH"):
        return named
    for name in CHROMES:
        if found := shutil.which(name):
            return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"],
        ):
            subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL)
        if found := shutil.which("chromium"):
            return found
    raise GroupFailed("no browser was found: install Chromium (Debian: apt-get install chromium fonts-liberation) or set CHROME_PATH")


def test_browser(run: Run, *files: str) -> None:
    chrome = find_chrome()
    failure: GroupFailed | None = None
    for project in ("alone", "beside"):  # one after the other: the first measures time
        try:
            run.playwright(f"--project={project}", *files, variables={"CHROME_PATH": chrome, "RLMAZE_SERVER": str(SERVER_BINARY)})
        except GroupFailed as error:
            failure = failure or error
    if failure:
        raise failure


def test_soak(run: Run) -> None:
    """RLMAZE_SOAK=1 makes the tests of the whole server, and those of the training, take their full counts."""
    run.full = True
    stores = [f"./server/internal/infrastructure/{name}/..." for name in ("postgres", "mongo", "spool")]
    run.program(["go", "test", "-p=1", "-count=1", "-timeout=60m", "-v", "./server/e2e/...", "./server/soak/...", *stores])
    test_ml(run)
    test_training(run)
    test_browser(run, "link.spec.ts")  # a hundred random links


def verify(run: Run) -> None:
    run.program([sys.executable, "scripts/verify.py"])


GROUPS = [
    Group("go", "go vet and go test -race: rules, use cases, stores, handlers", "a", test_go),
    Group("connect", "connectrpc's conformance suite", "a", test_connect),
    Group("web", "unit tests of the packages and the page (vitest)", "b", test_web),
    Group("scripts", "the supervisor of make run", "b", test_scripts),
    Group("ml", "environment, training, export (pytest)", "b", test_ml),
    Group("trainer", "the training service, real training in its processes, sweeps, also on Ray (pytest)", "b", test_trainer),
    Group("conformance", "the same random episodes in Go and Python", "b", test_conformance),
    Group("notebooks", "the notebooks with a small budget, and the network in Go", "b", test_notebooks),
    Group("server", "go test -race of the whole server: cuts, stalls, stores away, kill and restart", "z", test_server),
    Group("training", "server, trainer and MLflow: kills, ends and absences, all settled and agreed", "z", test_training),
    Group("browser", "the product in a real Chromium (Playwright)", "z", test_browser),
    Group("soak", "the full counts of cuts, drops, stalls, viewers and links", "z", test_soak, by_default=False),
    Group("verify", "generated files, contract, SQL, linters", "z", verify, by_default=False),
]


def prepare(names: set[str]) -> None:
    """Installs and builds what the groups need."""
    browser = bool(names & {"browser", "soak"})
    python: list[Step] = []
    # Go's tests talk to a real trainer and a real MLflow.
    if names - {"web", "verify"}:
        python = light_chain() + train_chain("sweep", "notebooks")
    web = web_chain() if browser or "web" in names else []
    binary = names & {"browser", "soak", "scripts", "training"}
    once = list({step.name: step for step in python}.values())
    go = [*(go_test_chain() if names & {"go", "server"} else []), *([server_step()] if binary else [])]
    run_chains(once, [*web, *([web_step()] if browser else [])], go)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="the full counts")
    parser.add_argument("--list", action="store_true", help="list the groups")
    parser.add_argument("groups", nargs="*", help="groups to run; all but the slow ones when none is named")
    arguments = parser.parse_args()
    if arguments.list:
        for group in GROUPS:
            print(f"  {group.name:<12} {group.about}")
        return 0
    unknown = set(arguments.groups) - {group.name for group in GROUPS}
    if unknown:
        parser.error(f"unknown group {', '.join(sorted(unknown))}; there are {', '.join(group.name for group in GROUPS)}")
    chosen = [group for group in GROUPS if (group.name in arguments.groups if arguments.groups else group.by_default)]
    began = time.monotonic()
    try:
        machine.check()
        prepare({group.name for group in chosen})
    except (Failed, machine.Missing) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return Suite(chosen, arguments.full, began).run()


class Suite:
    """Runs the chosen groups in their lanes and reports."""

    def __init__(self, groups: list[Group], full: bool, began: float):
        self.groups = groups
        self.full = full
        self.began = began
        self.results: dict[str, tuple[bool, float, str]] = {}
        self.tried_again: list[str] = []
        self.running: dict[str, tuple[Run, float]] = {}
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGHUP, self._on_signal)
        try:
            for lanes in (("a", "b"), ("z",)):
                threads = [threading.Thread(target=self._run_lane, args=(lane,), daemon=True) for lane in lanes]
                for thread in threads:
                    thread.start()
                said = time.monotonic()
                while any(thread.is_alive() for thread in threads):
                    time.sleep(0.1)
                    if time.monotonic() - said > HEARTBEAT_S:
                        said = time.monotonic()
                        with self.lock:
                            now = ", ".join(f"{name} {said - since:.0f} s" for name, (_, since) in self.running.items())
                        print(f"  …     {now}", flush=True)
        except KeyboardInterrupt:
            self._end_programs()
            print("\ninterrupted")
            return 130
        return self._report()

    def _on_signal(self, _number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def _end_programs(self) -> None:
        self.stopped.set()
        with self.lock:
            for run, _ in self.running.values():
                if run.process and run.process.poll() is None:
                    try:
                        os.killpg(run.process.pid, signal.SIGTERM)
                    except ProcessLookupError:
                        pass
        time.sleep(1.0)

    def _run_lane(self, lane: str) -> None:
        for group in self.groups:
            if group.lane != lane or self.stopped.is_set():
                continue
            run, began = Run(self.full), time.monotonic()
            with self.lock:
                self.running[group.name] = (run, began)
            reason = ""
            try:
                group.work(run)
            except GroupFailed as error:
                reason = str(error)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            seconds = time.monotonic() - began
            with self.lock:
                del self.running[group.name]
                self.results[group.name] = (not reason, seconds, reason)
                self.tried_again += [f"{group.name}: {test}" for test in run.tried_again]
                print(f"\n── {group.name} " + "─" * (100 - len(group.name)))
                print("\n".join(run.output))
                print(f"{'FAILED: ' + reason if reason else 'ok'} ({seconds:.0f} s)\n", flush=True)

    def _report(self) -> int:
        failed = [name for name, (ok, _, _) in self.results.items() if not ok]
        print("─" * 104)
        for group in self.groups:
            ok, seconds, reason = self.results.get(group.name, (False, 0.0, "not run"))
            print(f"  {'ok  ' if ok else 'FAIL'}  {group.name:<12} {seconds:6.0f} s  {group.about if ok else reason}")
        if self.tried_again:
            print("\n  tried again, once:\n    " + "\n    ".join(self.tried_again))
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"\n{len(self.groups) - len(failed)} groups passed, {len(failed)} failed, in {minutes} min {seconds} s")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
