"""What the services beside the server wait for, in words: DATA_DIR/setup.json, which the server shows on its pages.

    {"trainer": {"message": "Installing PyTorch and MLflow for trainings, 41 of 130 packages", "progress": 0.41}, "mlflow": {…}}

An entry stands for as long as its service is being prepared, and vanishes when it answers. "failed" marks one that is not prepared any
more until the next start. The file is rewritten in one rename, so that a reader never sees half of it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


class SetupState:
    """The entries of the file. A full disk is borne: then the pages know less."""

    def __init__(self, path: Path):
        self.path = path
        self.entries: dict[str, dict[str, str | float | bool]] = {}
        self.remove()  # of an earlier start that was killed

    def tell(self, name: str, message: str, progress: float | None = None, failed: bool = False) -> None:
        """Says what a service waits for; progress is 0–1, None where it is not known."""
        entry: dict[str, str | float | bool] = {"message": message}
        if progress is not None:
            entry["progress"] = round(progress, 3)
        if failed:
            entry["failed"] = True
        if self.entries.get(name) != entry:
            self.entries[name] = entry
            self._write()

    def done(self, name: str) -> None:
        """Takes the entry of a service away."""
        if self.entries.pop(name, None) is not None:
            self._write()

    def remove(self) -> None:
        """Takes the file away."""
        self.entries.clear()
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            pass

    def _write(self) -> None:
        fresh = self.path.with_suffix(".fresh")
        try:
            fresh.write_text(json.dumps(self.entries, ensure_ascii=False) + "\n")
            os.replace(fresh, self.path)
        except OSError:
            pass
