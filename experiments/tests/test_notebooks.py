"""The committed notebooks are whole, fresh, small and free of this or that machine; and their sources run."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lab import colours
from notebook_source import EXPERIMENTS, NAMES, SourceError, build, from_text, notebook_path, read, source_path, to_text
from run_all import LANES, Ran

PROMISED = ("00_rl_basic", "01_dqn_basic", "02_ppo_basic", "03_maze_env", "04_onnx_export")
LARGEST_BYTES = 500_000
# A path of a machine: from the root, in quotes or after a space; not /api/… of an address.
ABSOLUTE_PATH = re.compile(
    r"""(?<![\w.:/~>"'=-])/(?:root|home|Users|tmp|work|usr|opt|var|private|builds?|workspace)/[\w.-]+|[A-Z]:\\\\Users"""
)
IMAGE = re.compile(r'<img alt="([^"]*)"[^>]* src="data:image/(\w+);base64,([^"]+)"')


def text_of(output: Any) -> str:
    """What an output says, without the pictures."""
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return "\n".join(
        IMAGE.sub(r"\1", "".join(content)) for kind, content in output.data.items() if not kind.startswith("image/")
    )


def outputs_of(name: str) -> list[Any]:
    return [output for cell in read(name).cells if cell.cell_type == "code" for output in cell.outputs]


def test_the_promised_notebooks_are_there_and_each_has_a_lane() -> None:
    assert NAMES == PROMISED
    assert sorted(name for lane in LANES for name in lane) == list(PROMISED)


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_is_what_its_source_says(name: str) -> None:
    committed = [(cell.cell_type, cell.id, cell.source) for cell in read(name).cells]
    wanted = [(cell.cell_type, cell.id, cell.source) for cell in build(name).cells]
    assert committed == wanted, (
        f"{name}.ipynb is stale: run `make notebooks`, or adopt what was changed in Jupyter (experiments/README.md)"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_was_run_with_the_full_budget(name: str) -> None:
    assert read(name).metadata["rlmaze"]["budget"] == "full", f"run `make notebooks`, or run_all.py --write {name[:2]}"


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_was_run_from_top_to_bottom(name: str) -> None:
    book = read(name)
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"] == list(
        range(1, 1 + sum(cell.cell_type == "code" for cell in book.cells))
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_holds_no_error_and_no_complaint(name: str) -> None:
    for output in outputs_of(name):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_names_no_path_of_a_machine(name: str) -> None:
    for cell in read(name).cells:
        texts = [cell.source] + [text_of(output) for output in cell.get("outputs", [])]
        for text in texts:
            found = ABSOLUTE_PATH.search(text)
            assert found is None, f"{name}, cell {cell.id}: {found and found.group()}"


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_is_small_and_its_pictures_have_a_text_and_are_whole(name: str) -> None:
    assert notebook_path(name).stat().st_size <= LARGEST_BYTES
    pictures = 0
    for output in outputs_of(name):
        html = "".join(output.data.get("text/html", "")) if "data" in output else ""
        for alt, kind, content in IMAGE.findall(html):
            pictures += 1
            assert len(alt) > 20
            with Image.open(io.BytesIO(base64.b64decode(content))) as image:
                assert image.format is not None
                assert image.format.lower() == kind
                assert image.width >= 300
        assert "<script" not in html
    assert pictures >= 2


def test_the_first_notebook_shows_the_random_agent_beside_the_trained_one_in_motion() -> None:
    films = [
        base64.b64decode(content)
        for output in outputs_of("00_rl_basic")
        if "data" in output
        for _, kind, content in IMAGE.findall("".join(output.data.get("text/html", "")))
        if kind == "gif"
    ]
    assert len(films) == 1
    with Image.open(io.BytesIO(films[0])) as film:
        assert getattr(film, "n_frames", 1) > 60


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_of_a_notebook_runs_with_a_small_budget(executed: dict[str, Ran], name: str) -> None:
    ran = executed[name]
    assert not ran.failure, ran.failure
    for cell in ran.book.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{name}, cell {cell.id}: {output.text}"


def test_the_small_budget_says_that_its_figures_mean_nothing(executed: dict[str, Ran]) -> None:
    for ran in executed.values():
        said = "\n".join(text_of(output) for cell in ran.book.cells[:3] for output in cell.get("outputs", []))
        assert "small budget" in said


def test_the_committed_record_is_that_of_the_full_budget() -> None:
    record = json.loads((EXPERIMENTS / "records" / "dqn_cartpole.json").read_text())
    assert record["budget"] == "full"
    assert len(record["test_mean"]) == len(record["cpu_s"]) == len(record["seeds"])
    assert {len(row) for row in (*record["test_mean"], *record["cpu_s"])} == {len(record["test_step"])}


@pytest.mark.parametrize("name", NAMES)
def test_a_source_survives_the_way_through_a_notebook(name: str) -> None:
    text = source_path(name).read_text(encoding="utf-8")
    assert from_text(to_text(from_text(text, name)), name) == from_text(text, name)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("import numpy\n# %% id=a\n", "x:1: nothing may stand before"),
        ("# %% first cell\n", "x:1: a cell begins with"),
        ("# %% id=a\n1\n# %% id=a\n2\n", "x:3: there is a cell a already"),
        ("# %% [markdown] id=a\n# text\nno comment\n", "x:3: text of a Markdown cell"),
    ],
)
def test_a_fault_in_a_source_is_named_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(SourceError, match=re.escape(fault)):
        from_text(text, "x")


def test_the_colours_are_those_of_the_page() -> None:
    sheet = (EXPERIMENTS.parent / "apps" / "web" / "app" / "globals.css").read_text()
    dark = sheet[sheet.index("\n.dark {") :]
    dark = dark[: dark.index("}")]
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    ours = {name: value for name, value in vars(colours).items() if isinstance(value, str) and value.startswith("#")}
    for name, value in ours.items():
        if name not in ("RANDOM", "PPO", "DQN"):
            assert tokens[name.lower().replace("_", "-")] == value, name


def test_the_requirements_are_the_locks_of_the_project() -> None:
    lines = (EXPERIMENTS / "requirements.txt").read_text().splitlines()
    named = [line.removeprefix("-r ") for line in lines if line and not line.startswith("#")]
    assert [Path(EXPERIMENTS / path).resolve().name for path in named] == ["train.lock", "notebooks.lock"]
    assert all((EXPERIMENTS / path).is_file() for path in named)
