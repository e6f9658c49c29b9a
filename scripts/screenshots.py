"""Takes docs/images again: the pictures that the browser tests take of the real product, in the states the documents show.

python3 scripts/screenshots.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
from build import ensure_built
from machine import PNPM, ROOT, SERVER_BINARY, environment
from progress import Failed
from test import GroupFailed, find_chrome

# Picture of the tests → picture of the documents.
WANTED = {
    "watch-1440-dark.png": "page.png",
    "watch-1440-light.png": "light.png",
    "watch-value-1440-dark.png": "value.png",
    "watch-large-1440-dark.png": "large.png",
    "watch-390-dark.png": "phone.png",
    "race-1440-dark.png": "race.png",
    "race-390-light.png": "race-phone.png",
    "training-1440-light.png": "training-form.png",
    "training-run-1440-dark.png": "training.png",
    "training-run-390-dark.png": "training-phone.png",
    "difference-1440-light.png": "difference.png",
    "difference-390-dark.png": "difference-phone.png",
    "draw-1440-dark.png": "draw.png",
    "palette-1440-dark.png": "palette.png",
    "models-1440-dark.png": "models.png",
}
# All of them together, so that the repository stays light.
LARGEST_BYTES = 2_500_000


def main() -> int:
    try:
        ensure_built()
        chrome = find_chrome()
    except (Failed, machine.Missing, GroupFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        variables = {"CHROME_PATH": chrome, "RLMAZE_SERVER": str(SERVER_BINARY), "RLMAZE_PICTURES": folder}
        states = "|".join(sorted({name.rsplit("-", 2)[0] for name in WANTED}))
        subprocess.run(
            [str(PNPM), "exec", "playwright", "test", "a11y.spec.ts", "--grep", f" ({states}): no breach"],
            cwd=ROOT / "apps" / "web",
            env=environment(variables),
            check=False,
        )
        images = ROOT / "docs" / "images"
        images.mkdir(parents=True, exist_ok=True)
        missing = [name for name in WANTED if not (Path(folder) / name).is_file()]
        for name, target in WANTED.items():
            if name not in missing:
                shutil.copyfile(Path(folder) / name, images / target)
                print(f"  docs/images/{target} ({os.path.getsize(images / target) // 1024} kB)")
    total = sum((images / target).stat().st_size for target in WANTED.values() if (images / target).is_file())
    if total > LARGEST_BYTES:
        print(f"{total // 1000} kB together, more than {LARGEST_BYTES // 1000} kB", file=sys.stderr)
        return 1
    if missing:
        print(f"not taken: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
