"""How far `uv pip install` is, read from what it draws on a terminal.

While it downloads, it redraws a count, "⠙ Preparing packages... (41/130)", and a bar for each of the larger files,
"torch ------------ 34.00 MiB/780.00 MiB"; then "Installing wheels..." with a count of its own. Nothing in here is a promise of uv's: what
can't be read leaves the progress where it was.
"""

from __future__ import annotations

import re

COUNT = re.compile(r"Preparing packages\.\.\.\s*\((\d+)/(\d+)\)")
INSTALLED = re.compile(r"\[(\d+)/(\d+)\]")
SIZE = r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B)"
FILE = re.compile(rf"^\s*([A-Za-z0-9][\w.+-]*)\s+\S+\s+{SIZE}\s*/\s*{SIZE}\s*$")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
DOWNLOADS = 0.9  # the share of the downloads in the whole, by experience; the rest is unpacking into the environment


class UvProgress:
    """Reads lines and keeps how far they say that it is. Never goes back."""

    def __init__(self) -> None:
        self.prepared = 0
        self.packages = 0
        self.installing = False
        self._files: dict[str, tuple[float, float]] = {}
        self._fraction = 0.0

    def read(self, line: str) -> bool:
        """Takes one line, without its control characters. Returns whether it is a drawing, which no log needs."""
        if match := COUNT.search(line):
            self.prepared, self.packages = int(match[1]), int(match[2])
        elif match := FILE.match(line):
            self._files[match[1]] = (float(match[2]) * UNITS[match[3]], float(match[4]) * UNITS[match[5]])
        elif match := INSTALLED.search(line):
            self.installing = True
            self._raise_to(DOWNLOADS + (1 - DOWNLOADS) * int(match[1]) / max(1, int(match[2])))
            return True
        else:
            if "Installing wheels" in line:
                self.installing = True
                self._raise_to(DOWNLOADS)
            return bool(re.match(r"\s*[⠀-⣿]|\s*\S*[░█]", line))
        done, total = (sum(file[i] for file in self._files.values()) for i in (0, 1))
        # The count alone says little: the four largest files are most of the bytes, and come last.
        self._raise_to(DOWNLOADS * (done / total if total else self.prepared / max(1, self.packages)))
        return True

    def _raise_to(self, fraction: float) -> None:
        self._fraction = max(self._fraction, min(1.0, fraction))

    def fraction(self) -> float:
        """0–0.99: the end is for the one to tell who runs uv."""
        return min(self._fraction, 0.99)

    def words(self) -> str:
        """Such as "41 of 130 packages"; empty before anything is known."""
        if self.installing:
            return "unpacking"
        return f"{self.prepared} of {self.packages} packages" if self.packages else ""
