"""Checks what operators load into Prometheus, by Prometheus' own tool: `make ops-check`.

promtool is compiled from its pinned module (tools/prometheus), which takes minutes the first time; so this stands beside `make test` and not in
it. That every metric which a rule or a panel names is exported is checked there, by a test of the server.
"""

from __future__ import annotations

import subprocess
import sys

import machine
from machine import ROOT, environment

PROMTOOL = ["go", "tool", "-modfile=tools/prometheus/go.mod", "promtool"]
CHECKS = [
    ["check", "config", "ops/prometheus/prometheus.yml"],
    ["check", "rules", "--lint-fatal", "ops/prometheus/alerts.yml"],
    ["test", "rules", "ops/prometheus/alerts_test.yml"],
]


def main() -> int:
    try:
        machine.check()
    except machine.Missing as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    failed = sum(subprocess.run([*PROMTOOL, *arguments], cwd=ROOT, env=environment()).returncode != 0 for arguments in CHECKS)
    print(f"ops-check: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
