"""The installation beside the running page: how far it is, and why it failed, in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import install_training
import machine
import progress
from progress import Step, run_chains
from setup_state import SetupState
from uv_progress import UvProgress

DRAWN = """
⠙ Preparing packages... (0/3)
torch      ------------------------------     0 B/800.00 MiB
⠙ Preparing packages... (1/3)
torch      ------------------------------ 400.00 MiB/800.00 MiB
triton     ------------------------------ 100.00 MiB/200.00 MiB
"""


def test_progress_is_the_share_of_the_bytes_and_never_goes_back() -> None:
    uv = UvProgress()
    seen = []
    for line in DRAWN.strip().splitlines():
        assert uv.read(line), "a drawing is no line for the log"
        seen.append(uv.fraction())
    assert seen == sorted(seen)
    assert uv.words() == "1 of 3 packages"
    assert uv.fraction() == pytest.approx(0.9 * 500 / 1000)
    uv.read("⠙ Preparing packages... (2/3)")
    uv.read("triton     ------------------------------ 1.00 KiB/200.00 MiB")
    assert uv.fraction() == pytest.approx(0.9 * 500 / 1000)


def test_what_is_no_drawing_is_kept_for_the_log() -> None:
    uv = UvProgress()
    for line in ("Resolved 130 packages in 12ms", " + torch==2.15.0", "error: Failed to fetch", "  ╰─▶ dns error"):
        assert not uv.read(line)
    assert uv.fraction() == 0


def test_the_end_of_the_installation_is_unpacking() -> None:
    uv = UvProgress()
    uv.read("⠙ Preparing packages... (3/3)")
    uv.read("░░░░░░░░░░░░░░░░░░░░ [0/130] Installing wheels...")
    assert uv.words() == "unpacking"
    uv.read("█████░░░░░░░░░░░░░░░ [65/130] numpy==2.4.6")
    assert uv.fraction() == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("error: failed to write to file: No space left on device (os error 28)", "the disk is full"),
        ("PyTorch: needs 7 GiB of disk, 2.1 GiB are free in /somewhere", "needs 7 GiB of disk, 2.1 GiB are free"),
        ("error: Failed to fetch: `https://index/torch`\n  Caused by: dns error", "the package index can't be reached"),
        ("Hash mismatch for `torch==2.15.0`", "a package is not the one that the lock names"),
        ("Permission denied (os error 13)", "a folder can't be written to"),
        ("something else at /a/path", "the installation ended with an error"),
    ],
)
def test_a_failure_is_told_without_paths_and_addresses(output: str, words: str) -> None:
    assert install_training.reason(output) == words


def test_a_watched_program_believes_in_a_terminal(tmp_path: Path) -> None:
    lines: list[str] = []

    def watch(line: str) -> bool:
        lines.append(line)
        return line.startswith("drawn")

    program = "import sys; print('\\x1b[32mterminal\\x1b[0m', sys.stdout.isatty()); print('drawn 1\\r\\x1b[2Kdrawn 2'); print('said')"
    step = Step("drawing step", lambda step: step.run([sys.executable, "-c", program], cwd=tmp_path))
    step.watch = watch
    step.log = tmp_path / "log"
    run_chains([step], quiet=True)
    assert lines == ["terminal True", "drawn 1", "drawn 2", "said"]
    assert step.log.read_text().splitlines()[1:] == ["terminal True", "said"]


def test_a_failure_of_a_watched_program_shows_its_words(tmp_path: Path) -> None:
    step = Step("broken step", lambda step: step.run([sys.executable, "-c", "print('No space left'); raise SystemExit(7)"], cwd=tmp_path))
    step.watch = lambda _line: False
    step.log = machine.TOOLS / "logs" / "broken-step.log"
    with pytest.raises(progress.Failed, match=r"(?s)ended with 7.*No space left"):
        run_chains([step], quiet=True)


def test_a_reader_of_the_state_never_sees_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "setup.json"
    path.write_text('{"trainer": {"message": "of an earlier start that was killed"}}')
    state = SetupState(path)
    assert not path.exists()
    reader = subprocess.Popen([sys.executable, "-c", READER, str(path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    for number in range(300):
        state.tell("trainer", "x" * (number * 50), number / 300)
    state.done("trainer")
    assert reader.communicate("")[0] == "whole\n"
    assert json.loads(path.read_text()) == {}
    state.remove()
    assert not path.exists()


READER = """
import json, pathlib, select, sys
print("reading", flush=True)
path = pathlib.Path(sys.argv[1])
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        continue
    json.loads(text)
print("whole")
"""
