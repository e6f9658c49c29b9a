"""Curves that one notebook records and another one compares with: JSON in `experiments/records/`."""

import json
import os
from pathlib import Path
from typing import Any

from lab.budget import budget


def _folder() -> Path:
    # The tests run with a small budget and must not touch what is committed.
    return Path(os.environ.get("RLMAZE_NOTEBOOK_RECORDS", Path(__file__).resolve().parent.parent / "records"))


def save(name: str, record: dict[str, Any]) -> None:
    """Writes a record, with the budget that it was made with."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in {"budget": budget(), **record}.items()
    )
    (folder / f"{name}.json").write_text(f"{{\n{lines}\n}}\n")


def load(name: str, writer: str) -> dict[str, Any]:
    """Reads a record.

    Args:
        name: Of the record.
        writer: The notebook that writes it.

    Raises:
        FileNotFoundError: It was not written yet, or with another budget; the text says what to run.
    """
    path = _folder() / f"{name}.json"
    if path.is_file():
        record: dict[str, Any] = json.loads(path.read_text())
        if record["budget"] == budget():
            return record
    raise FileNotFoundError(f"run {writer} first, with the {budget()} budget: it records {name}")
