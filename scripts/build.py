"""Builds the server and the web application, each only when something that goes into it has changed.

python3 scripts/build.py        both, installing what they need first
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import machine
from bootstrap import install, light_chain, web_chain
from machine import PNPM, ROOT, SERVER_BINARY, STANDALONE
from progress import Failed, Step, run_chains

SERVER_INPUTS = ["go.mod", "go.sum", "server", "gen/go", "db", "docs/openapi.yaml", "ml/mazes", "ml/conformance"]
WEB_INPUTS = ["apps/web", "packages", "gen/ts", "package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]
NOT_INPUTS = {"node_modules", ".next", "e2e", "test-results", "playwright-report", "coverage", "__pycache__", "testdata"}


def files(inputs: list[str]) -> Iterator[Path]:
    """The files under the inputs, in a fixed order, without what is built and without tests."""
    for name in inputs:
        path = ROOT / name
        if path.is_file():
            yield path
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in NOT_INPUTS)
            for file in sorted(names):
                if (
                    not file.endswith(("_test.go", ".test.ts", ".test.tsx", ".md", ".tsbuildinfo", ".py", ".log"))
                    and file != "next-env.d.ts"
                ):
                    yield Path(folder) / file


def inputs_key(inputs: list[str], *facts: str) -> str:
    """The hash over names and contents of all inputs, and over other facts."""
    digest = hashlib.sha256("\0".join(facts).encode())
    for path in files(inputs):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def revision() -> str:
    """The commit that is built, with "-dirty" when files differ from it; empty outside of a git clone."""
    safe = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    try:
        head = subprocess.run([*safe, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        state = subprocess.run([*safe, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("-dirty" if state.stdout.strip() else "")


def go_build(output: Path, stamp: str) -> list[str | Path]:
    """The command that builds the server."""
    flags = f"-s -w -X github.com/rlmaze/rlmaze/server/internal/app.revision={stamp}"
    return ["go", "build", "-ldflags", flags, "-o", output, "./server/cmd/rlmaze"]


def server_step() -> Step:
    stamp = revision()
    key = inputs_key(SERVER_INPUTS, stamp, machine.version(["go", "env", "GOVERSION", "GOOS", "GOARCH"]))

    def work(step: Step) -> None:
        SERVER_BINARY.parent.mkdir(parents=True, exist_ok=True)
        fresh = SERVER_BINARY.with_suffix(".fresh")
        step.run(go_build(fresh, stamp))
        os.replace(fresh, SERVER_BINARY)  # a server that runs keeps its own file

    return Step("the server (Go)", install("build-server", key, [SERVER_BINARY], None, work))


def web_step() -> Step:
    entry = STANDALONE / "apps" / "web" / "server.js"
    key = inputs_key(WEB_INPUTS, machine.version(["node", "--version"]))

    def work(step: Step) -> None:
        step.run([PNPM, "--filter", "./apps/web", "run", "build"])
        # Next leaves what browsers fetch outside of the standalone folder.
        web = ROOT / "apps" / "web"
        for source, target in ((web / ".next" / "static", entry.parent / ".next" / "static"), (web / "public", entry.parent / "public")):
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)

    return Step("the web application (Next.js)", install("build-web", key, [entry, entry.parent / ".next" / "static"], None, work))


def ensure_built() -> None:
    """Installs and builds what `make run` needs: three chains beside each other, because each waits for something else."""
    machine.check()
    run_chains(light_chain(), [*web_chain(), web_step()], [server_step()])


if __name__ == "__main__":
    try:
        ensure_built()
    except (Failed, machine.Missing) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; the next run goes on from here")
