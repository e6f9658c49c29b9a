"""Proves that what is committed is consistent: `make verify`.

Generated files are made again in an empty folder and compared byte by byte; the contract is linted, formatted and compared with the last
commit of main; every language passes its formatter, linter and type checker; no tracked file names a package registry or a path of the
machine it was written on.

    python3 scripts/verify.py           everything
    python3 scripts/verify.py lint      only the formatters, linters and type checkers
"""

from __future__ import annotations

import filecmp
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine
from bootstrap import ensure
from generate import GENERATED, copy_inputs, generate, link_validate_proto
from machine import GENERATE, PNPM, ROOT, TRAIN, environment
from progress import Failed

# Lock files of the ecosystems tend to pick these up; a clone must install from whatever its machine is configured for.
HOSTS = re.compile(
    rb"(?:https?://|//)[a-z0-9.-]*(?:registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.pkg|pypi\.org|pythonhosted\.org|proxy\.golang\.org|sum\.golang\.org)"
)
# Home folders and temporary folders of somebody's machine, as absolute paths.
MACHINE_PATHS = re.compile(rb"(?<![\w.$}~-])/(?:root|home/[a-z][\w-]*|Users/[A-Za-z][\w-]*|private/tmp)/[\w.-]+")


class Skipped(Exception):
    """A check that can't be made here; the text says why."""


def run(command: list[str | Path], cwd: Path = ROOT) -> str:
    """Runs a program; raises Failed with what it said."""
    words = [str(word) for word in command]
    answer = subprocess.run(words, cwd=cwd, env=environment(), capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failed(f"{' '.join(words)} ended with {answer.returncode}\n{answer.stdout}{answer.stderr}".rstrip())
    return answer.stdout


def git(*arguments: str) -> str:
    # safe.directory: a clone that belongs to another user is read, never run from.
    return run(["git", "-c", f"safe.directory={ROOT}", *arguments])


def tracked_files() -> list[Path]:
    """What is committed or would be; falls back to nothing outside of a git clone."""
    try:
        names = git("ls-files", "-z").split("\0")
    except (Failed, OSError) as error:
        raise Skipped(f"no git clone here ({error})".splitlines()[0]) from None
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def differences(committed: Path, fresh: Path) -> list[str]:
    """The files that are not byte-equal, or on one side only."""
    if committed.is_file() or fresh.is_file():
        same = committed.is_file() and fresh.is_file() and filecmp.cmp(committed, fresh, shallow=False)
        return [] if same else [str(committed.relative_to(ROOT))]
    names = {
        str(path.relative_to(side))
        for side in (committed, fresh)
        for path in side.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return [
        str((committed / name).relative_to(ROOT))
        for name in sorted(names)
        if not ((committed / name).is_file() and (fresh / name).is_file() and filecmp.cmp(committed / name, fresh / name, shallow=False))
    ]


def check_generated() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_inputs(copy)
        generate(copy)
        stale = [line for name in GENERATED for line in differences(ROOT / name, copy / name)]
    if stale:
        raise Failed("not what `make generate` writes:\n" + "\n".join("  " + line for line in stale))


def check_conformance_generated() -> None:
    script = ROOT / "server" / "conformance" / "generate.sh"
    if script.is_file():
        run(["sh", script, "--check"])


def check_contract() -> None:
    link_validate_proto(ROOT)
    run(["buf", "lint"], cwd=ROOT / "api")
    run(["buf", "format", "--diff", "--exit-code", "--path", "rlmaze"], cwd=ROOT / "api")


def check_breaking() -> None:
    """Compares with main as it was before this change: the commit before HEAD when HEAD is main, else main itself."""
    try:
        head = git("rev-parse", "HEAD").strip()
        main = next(
            (
                name
                for name in ("origin/main", "main")
                if subprocess.run(["git", "-C", str(ROOT), "rev-parse", "-q", "--verify", name], capture_output=True).returncode == 0
            ),
            "HEAD",
        )
        base = git("rev-parse", main).strip()
        if base == head:
            base = git("rev-parse", "HEAD~1").strip()
        git("cat-file", "-e", f"{base}:api/buf.yaml")
    except (Failed, OSError):
        raise Skipped("there is no earlier commit that holds a contract") from None
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "archive", base, "api"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        for root in (ROOT, Path(folder)):
            link_validate_proto(root)
        run(["buf", "breaking", "--against", f"{folder}/api"], cwd=ROOT / "api")


def check_sql() -> None:
    run(["sqlc", "diff"])
    # vet prepares every query on a migrated PostgreSQL that is started for it.
    run(["go", "run", "./server/internal/testing/withpostgres", "sqlc", "vet"])


def check_go() -> None:
    wrong = run(["gofmt", "-l", *go_files()]).split()
    if wrong:
        raise Failed("gofmt would change:\n" + "\n".join("  " + name for name in wrong))
    run(["go", "vet", "./..."])
    run([machine.TOOLS / "bin" / "staticcheck", "./..."])


def go_files() -> list[Path]:
    """The hand-written Go files; folders that begin with a dot are none of Go's."""
    paths = [path for name in ("server", "db", "docs", "ml", "benchmarks") for path in (ROOT / name).rglob("*.go")]
    return [path for path in paths if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


def check_web() -> None:
    run([PNPM, "--recursive", "--if-present", "run", "lint"])
    run([ROOT / "apps" / "web" / "node_modules" / ".bin" / "biome", "check", "--config-path", ROOT / "biome.json", "packages"])
    run([PNPM, "--recursive", "--if-present", "run", "typecheck"])


def check_python() -> None:
    # ruff finds the settings next to the code: ml and trainer have their own, the rest those of the root.
    folders = [name for name in ("ml", "trainer", "scripts", "benchmarks") if next((ROOT / name).rglob("*.py"), None)]
    run(["ruff", "check", *folders])
    run(["ruff", "format", "--check", *folders])
    run([TRAIN / "bin" / "mypy"], cwd=ROOT / "ml")
    run([TRAIN / "bin" / "mypy"], cwd=ROOT / "trainer")
    run([GENERATE / "bin" / "mypy", "--python-executable", TRAIN / "bin" / "python", "--config-file", "pyproject.toml", "scripts"])


def check_hosts_and_paths() -> None:
    found: list[str] = []
    for path in tracked_files():
        if path == Path(__file__).resolve() or path.suffix in (".png", ".onnx", ".woff2", ".ico"):
            continue
        content = path.read_bytes()
        for pattern, what in ((HOSTS, "names a package registry"), (MACHINE_PATHS, "names a path of one machine")):
            if match := pattern.search(content):
                line = content.count(b"\n", 0, match.start()) + 1
                found.append(f"  {path.relative_to(ROOT)}:{line} {what}: {match.group().decode(errors='replace')}")
    if found:
        raise Failed("\n".join(found))


LINT: list[tuple[str, Callable[[], None]]] = [
    ("contract: buf lint and format", check_contract),
    ("Go: gofmt, vet, staticcheck", check_go),
    ("web: biome, tsc", check_web),
    ("Python: ruff, mypy", check_python),
]
VERIFY: list[tuple[str, Callable[[], None]]] = [
    ("generated files are fresh", check_generated),
    ("conformance messages are fresh", check_conformance_generated),
    ("contract: nothing breaking", check_breaking),
    ("SQL: sqlc diff and vet", check_sql),
    ("no registry hosts, no machine paths", check_hosts_and_paths),
    *LINT,
]


def main() -> int:
    checks = LINT if "lint" in sys.argv[1:] else VERIFY
    try:
        ensure("light", "generate", "lint", "train")
    except (Failed, machine.Missing) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    failed = 0
    for title, check in checks:
        started = time.monotonic()
        try:
            print(f"  …     {title}", end="\r" if sys.stdout.isatty() else "\n", flush=True)
            check()
            print(f"  ok    {title} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skipped as reason:
            print(f"  skip  {title}: {reason}", flush=True)
        except Failed as error:
            failed += 1
            print(f"  FAIL  {title}\n" + "\n".join("        " + line for line in str(error).splitlines()), flush=True)
    print(f"\nverify: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
