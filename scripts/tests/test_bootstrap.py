"""Installations: skipped when nothing changed, made anew when interrupted; and the rules that the repository's own files must keep."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import bootstrap
import build
import machine
import verify
from progress import Failed, Step, run_chains


@pytest.fixture(autouse=True)
def stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / "stamps")
    return tmp_path / "stamps"


class Part:
    """A part that is installed by writing one file into a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.output = folder / "program"
        self.runs = 0
        self.found_before: list[str] = []

    def install(self, key: str, fails: bool = False) -> None:
        def work(_step: Step) -> None:
            self.runs += 1
            self.found_before = sorted(path.name for path in self.folder.glob("*"))
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "half").touch()
            if fails:
                raise Failed("the network is away")
            self.output.touch()

        run_chains([Step("part", bootstrap.install("part", key, [self.output], self.folder, work))])


def test_a_part_is_installed_once_for_one_key(tmp_path: Path) -> None:
    part = Part(tmp_path / "part")
    part.install("lock 1")
    part.install("lock 1")
    assert part.runs == 1
    part.install("lock 2")
    assert part.runs == 2


def test_a_part_that_was_removed_is_installed_again(tmp_path: Path) -> None:
    part = Part(tmp_path / "part")
    part.install("lock")
    part.output.unlink()
    part.install("lock")
    assert part.runs == 2


def test_what_an_interrupted_installation_left_is_thrown_away(tmp_path: Path) -> None:
    part = Part(tmp_path / "part")
    with pytest.raises(Failed, match="the network is away"):
        part.install("lock", fails=True)
    part.install("lock")
    assert part.found_before == []
    part.install("lock")
    assert part.runs == 2


def test_a_step_that_fails_shows_what_the_program_said(tmp_path: Path) -> None:
    step = Step("broken step", lambda step: step.run([sys.executable, "-c", "print('no space left'); raise SystemExit(7)"], cwd=tmp_path))
    with pytest.raises(Failed, match=r"(?s)broken step failed.*ended with 7.*no space left"):
        run_chains([step])


def test_the_first_failure_ends_the_chains_beside_it(tmp_path: Path) -> None:
    mark = tmp_path / "finished"
    slow = Step("slow", lambda step: step.run([sys.executable, "-c", f"import time; time.sleep(30); open({str(mark)!r}, 'w')"]))

    def fail(_step: Step) -> None:
        raise Failed("at once")

    with pytest.raises(Failed, match="at once"):
        run_chains([slow], [Step("quick", fail)])
    assert not mark.exists()


@pytest.mark.parametrize(("text", "numbers"), [("go1.26.8", (1, 26, 8)), ("v20.9.0", (20, 9, 0)), ("go1.27rc1", (1, 27)), ("devel", ())])
def test_versions_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert machine.numbers(text) == numbers


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(machine.Missing, match="no-such-compiler was not found"):
        machine.check()


def test_tests_and_notes_are_no_inputs_of_a_build() -> None:
    names = [str(path.relative_to(machine.ROOT)) for path in build.files(build.SERVER_INPUTS)]
    assert "go.mod" in names
    assert "ml/mazes/heldout.json" in names
    assert not [name for name in names if name.endswith(("_test.go", ".md"))]


# The addresses are put together here, so that this file holds none.
@pytest.mark.parametrize("line", ["https://registry." + "npmjs.org/x.tgz", "url=https://files." + "pythonhosted.org/a.whl"])
def test_registry_hosts_are_found(line: str) -> None:
    assert verify.HOSTS.search(line.encode())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("/ro" + "ot/project", True),
        ("/ho" + "me/ann/project", True),
        ("https://example.com/home/ann/x", False),
        ("COPY --chown /srv/root/x", False),
    ],
)
def test_paths_of_one_machine_are_found(line: str, found: bool) -> None:
    assert bool(verify.MACHINE_PATHS.search(line.encode())) is found
