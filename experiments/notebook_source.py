"""Notebooks from reviewable text, and back.

The source of a notebook is a Python file in `sources/`, cut into cells by lines that begin with `# %%`:

    # %% [markdown] id=the-loop        a cell of text; its lines are comments
    # %% id=random-agent               a cell of code

The name after `id=` becomes the cell's id, so that a difference between two versions stays small. The committed
notebook holds the same cells together with what they printed; `run_all.py` writes it.

    python experiments/notebook_source.py adopt 03_maze_env     take over into sources/ what was changed in Jupyter
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

EXPERIMENTS = Path(__file__).resolve().parent
SOURCES = EXPERIMENTS / "sources"
NAMES = tuple(sorted(path.stem for path in SOURCES.glob("*.py")))

_MARKER = re.compile(r"^# %%( \[markdown\])? id=([a-z0-9-]{1,64})$")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


class SourceError(ValueError):
    """A source that is no notebook; the text names file and line."""


def source_path(name: str) -> Path:
    """Returns the source of a notebook."""
    return SOURCES / f"{name}.py"


def notebook_path(name: str) -> Path:
    """Returns the committed notebook."""
    return EXPERIMENTS / f"{name}.ipynb"


def from_text(text: str, source: str) -> nbformat.NotebookNode:
    """Makes a notebook without outputs of a source.

    Args:
        text: The source.
        source: Its name, for messages.

    Raises:
        SourceError: A line before the first cell, a wrong marker, an id twice, or text that is no comment.
    """
    cells: list[tuple[bool, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# %%"):
            marker = _MARKER.match(line)
            if marker is None:
                raise SourceError(f"{source}:{number}: a cell begins with '# %% id=name' or '# %% [markdown] id=name'")
            if marker[2] in (name for _, name, _ in cells):
                raise SourceError(f"{source}:{number}: there is a cell {marker[2]} already")
            cells.append((marker[1] is not None, marker[2], []))
        elif not cells:
            raise SourceError(f"{source}:{number}: nothing may stand before the first cell")
        elif cells[-1][0] and line.strip() and not line.startswith("#"):
            raise SourceError(f"{source}:{number}: text of a Markdown cell begins with '# '")
        else:
            cells[-1][2].append(line)
    book = new_notebook(metadata=_METADATA)
    for is_text, name, lines in cells:
        if is_text:
            content = "\n".join(line.removeprefix("# ") if line != "#" else "" for line in lines).strip()
            book.cells.append(new_markdown_cell(content, id=name))
        else:
            book.cells.append(new_code_cell("\n".join(lines).strip(), id=name))
    return book


def to_text(book: nbformat.NotebookNode) -> str:
    """Writes the cells of a notebook as a source; the opposite of `from_text`."""
    parts = []
    for cell in book.cells:
        if cell.cell_type == "markdown":
            body = "\n".join(f"# {line}".rstrip() for line in cell.source.splitlines())
            parts.append(f"# %% [markdown] id={cell.id}\n{body}\n")
        else:
            parts.append(f"# %% id={cell.id}\n{cell.source}\n")
    return "\n".join(parts)


def build(name: str) -> nbformat.NotebookNode:
    """Makes a notebook, without outputs, of its source file."""
    path = source_path(name)
    return from_text(path.read_text(encoding="utf-8"), f"sources/{path.name}")


def read(name: str) -> nbformat.NotebookNode:
    """Reads a committed notebook."""
    book: nbformat.NotebookNode = nbformat.read(notebook_path(name), as_version=4)
    return book


def adopt(name: str) -> None:
    """Takes over into the source what was changed in Jupyter."""
    text = to_text(read(name))
    from_text(text, notebook_path(name).name)  # Jupyter gives new cells ids of its own; they are names as well
    source_path(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "adopt" or sys.argv[2] not in NAMES:
        sys.exit(f"usage: python experiments/notebook_source.py adopt {{{', '.join(NAMES)}}}")
    adopt(sys.argv[2])
