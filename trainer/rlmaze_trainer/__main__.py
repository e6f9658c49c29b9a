"""Starts the trainer: `python -m rlmaze_trainer`, or `rlmaze-trainer`; with `sweep <file>` it runs a sweep instead."""

import importlib.util
import sys
from pathlib import Path


def main() -> int:
    """Serves until a signal, or runs a sweep; returns the exit status."""
    if importlib.util.find_spec("rlmaze_api") is None:
        # The installed command knows nothing of PYTHONPATH; the generated contract lies in the repository that it was installed from.
        sys.path.append(str(Path(__file__).resolve().parents[2] / "gen" / "python"))
    if sys.argv[1:2] == ["sweep"]:
        from rlmaze_trainer.sweep.command import main as sweep

        return sweep(sys.argv[2:])
    if sys.argv[1:]:
        print("Use: rlmaze-trainer (serves; settings come from the environment), or: rlmaze-trainer sweep --help", file=sys.stderr)
        return 2
    return _serve()


def _serve() -> int:
    from pydantic import ValidationError

    from rlmaze_trainer.app import serve
    from rlmaze_trainer.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"{name}: {fault['msg']}; got {fault['input']!r}", file=sys.stderr)
        return 2
    serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
