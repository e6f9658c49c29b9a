"""env-step: environment steps a second on one core, observations and resets included, as Stable-Baselines3 sees them.

Ours is the batched `MazeVecEnv`. Peers: SB3's `DummyVecEnv` over the same rules in plain Python (plain_maze_env.py), and EnvPool's
Jumanji Maze on one thread. EnvPool's maze is 10 x 10 too, but another task: its observation is the whole grid as it is, nothing is
computed for a window, a trail or a memory, and an episode has 100 steps; it is the fastest batched maze environment that PyPI has.

    python benchmarks/env_step/run.py [--quick]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import numpy as np
from one_core import SB3, STOCK_ENVIRONMENTS, stay_on_one_core, stock_environments
from side_by_side import Row, Sample, say, take_turns

from rlmaze_env.mazeset import load_set
from rlmaze_env.vec_env import MazeVecEnv

OURS_ENVIRONMENTS = 256
ENVPOOL_ENVIRONMENTS = 256
RATIO_BAR = 50.0
SPEED_BAR = 1_000_000.0


def stepping(step: Callable[[Any], Any], environments: int, seconds: float) -> Callable[[], Sample]:
    """Returns a turn: random actions for so long; microseconds a step, by the wall and by this process's CPU."""
    actions = np.random.default_rng(0).integers(0, 4, (256, environments))

    def turn() -> Sample:
        wall, cpu = time.perf_counter(), time.process_time()
        calls = 0
        while time.perf_counter() - wall < seconds:
            for _ in range(16):
                step(actions[calls % 256])
                calls += 1
        steps = calls * environments
        return {"us": (time.perf_counter() - wall) / steps * 1e6, "cpu_us": (time.process_time() - cpu) / steps * 1e6}

    turn()  # compiles, and fills the caches
    return turn


def main() -> None:
    quick = "--quick" in sys.argv
    # Many short turns: what else a machine does then falls on odd and even ones alike.
    rounds, seconds = (2, 0.3) if quick else (40, 0.25)
    stay_on_one_core()
    mazes = load_set("training").mazes
    for observation in ("memory/1", "trail/1", "plain/1"):
        ours = MazeVecEnv(mazes, OURS_ENVIRONMENTS, observation, seed=1)
        ours.reset()
        plain = stock_environments(mazes, observation)
        plain.seed(1)
        plain.reset()
        say(f"env-step: {observation} against DummyVecEnv")
        turns = take_turns(stepping(ours.step, OURS_ENVIRONMENTS, seconds), stepping(plain.step, STOCK_ENVIRONMENTS, seconds), rounds)
        ratio, speed = turns.ratio("us"), 1e6 / turns.median("ours", "cpu_us")
        Row(
            benchmark="env-step",
            figure=f"{observation}, DummyVecEnv",
            unit="µs",
            ours=turns.median("ours", "us"),
            peer=turns.median("peer", "us"),
            peer_name=f"{SB3} DummyVecEnv, the same rules in plain Python",
            ratio=ratio,
            cpu_ratio=turns.ratio("cpu_us"),
            bar=f"CPU ≥ {RATIO_BAR:g} ×, ≥ 1 M steps a CPU-second" if observation == "memory/1" else "",
            passed=(turns.ratio("cpu_us") >= RATIO_BAR and speed >= SPEED_BAR) if observation == "memory/1" else None,
            control=turns.control("cpu_us"),
            note=f"{speed / 1e6:.2f} M steps a CPU-second",
        ).emit()
    against_envpool(mazes, rounds, seconds)


def against_envpool(mazes: list[Any], rounds: int, seconds: float) -> None:
    """Compares with EnvPool's maze where EnvPool is installed; its absence is said, never hidden."""
    try:
        import envpool
    except ImportError as error:
        Row("env-step", "EnvPool's Jumanji Maze", note=f"EnvPool is not installed here ({error})").emit()
        return
    theirs = envpool.make("Jumanji/Maze-v0", env_type="gymnasium", num_envs=ENVPOOL_ENVIRONMENTS, num_threads=1, seed=1)
    theirs.reset()
    ours = MazeVecEnv(mazes, OURS_ENVIRONMENTS, "memory/1", seed=1)
    ours.reset()
    say("env-step: memory/1 against EnvPool")
    turns = take_turns(
        stepping(ours.step, OURS_ENVIRONMENTS, seconds),
        stepping(lambda a: theirs.step(a.astype(np.int32)), ENVPOOL_ENVIRONMENTS, seconds),
        rounds,
    )
    Row(
        benchmark="env-step",
        figure="memory/1, EnvPool's Jumanji Maze",
        unit="µs",
        ours=turns.median("ours", "us"),
        peer=turns.median("peer", "us"),
        peer_name=f"EnvPool {version('envpool')} Jumanji/Maze-v0, one thread",
        ratio=turns.ratio("us"),
        cpu_ratio=turns.ratio("cpu_us"),
        control=turns.control("cpu_us"),
        note="another task: the whole grid, no window, trail or memory",
    ).emit()


if __name__ == "__main__":
    main()
