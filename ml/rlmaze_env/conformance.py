"""The files of `ml/conformance`, which pin the law for every other language, and the twin play that goes further."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from rlmaze_env import rules, sampling
from rlmaze_env.arrays import F32Array, I32Array, U8Array
from rlmaze_env.baselines import BASELINES, downhill, goal_distances, play_baseline
from rlmaze_env.digest import actions_digest
from rlmaze_env.episode import Episode
from rlmaze_env.generator import generate
from rlmaze_env.maze import Maze, distances
from rlmaze_env.puzzles import PUZZLES
from rlmaze_env.rules import OBSERVATION_SIZE, OBSERVATIONS, TERMINATED, Batch
from rlmaze_env.splitmix import SplitMix64, below, draw, unit
from rlmaze_env.trail import CONFORMANCE_FOLDER, compute_trail_ages, trail_ages

# An enclosed chamber beside the way, a goal behind a corner, and nothing symmetrical.
_CHAMBER = Maze.parse("S....\n.###.\n.#.#.\n.#.#.\n.###G")
_LINE = Maze.parse("S.G\n###\n###")


def _digits(actions: Iterable[int]) -> str:
    return "".join(str(action) for action in actions)


def _observations(episode: Episode, cell: int | None = None) -> dict[str, str]:
    return {version: episode.observation(version, cell).astype("<f4").tobytes().hex() for version in OBSERVATIONS}


def _mixed_actions(maze: Maze, seed: int, wander: int) -> list[int]:
    """Plays a maze with `wander` of 8 actions at random, the others along the shortest path; returns the actions."""
    rng = SplitMix64(seed)
    episode = Episode(maze)
    to_goal = goal_distances(maze)
    actions = []
    while not episode.over:
        action = rng.below(4) if rng.below(8) < wander else int(downhill(episode.batch, 0, to_goal))
        actions.append(action)
        episode.step(action)
    return actions


def _rng() -> dict[str, Any]:
    cases = []
    for seed in (0, 1, 42, 1 << 32, 0xDEADBEEFCAFEF00D, (1 << 64) - 1):
        stream, bounded = SplitMix64(seed), SplitMix64(seed)
        cases.append(
            {
                "seed": str(seed),
                "next": [str(stream.next()) for _ in range(8)],
                "below": [{"n": n, "value": bounded.below(n)} for n in (1, 2, 3, 4, 7, 10, 100, 1000, 65536, (1 << 32) - 1)],
                "draw": [str(draw(seed, step)) for step in range(8)],
                "unit": [unit(seed, step) for step in range(8)],
            }
        )
    about = (
        "next: the first numbers of the stream. below: drawn from a fresh stream of the seed, one after the other. "
        "draw and unit: of steps 0 to 7. Numbers of 64 bits are decimal strings."
    )
    return {"about": about, "cases": cases}


def _generator() -> dict[str, Any]:
    shapes = [(3, 3), (3, 7), (7, 3), (5, 5), (10, 10), (10, 10), (9, 14), (20, 20), (3, 100), (100, 3), (30, 30)]
    cases = []
    for number, (rows, cols) in enumerate(shapes):
        for ratio in (0.0, 0.1, 0.3, 0.125, 1.0):
            seed = draw(7, number * 5 + round(ratio * 100))
            maze = generate(rows, cols, seed, ratio)
            cases.append(
                {
                    "rows": rows,
                    "cols": cols,
                    "seed": str(seed),
                    "loop_ratio": ratio,
                    "maze": list(maze.rows),
                    "shortest_path": maze.shortest_path,
                    "difficulty": maze.difficulty,
                    "hash": maze.hash,
                }
            )
    about = "generate(rows, cols, seed, loop_ratio) is maze, with the facts of section 3. loop_ratio 0.125 is rounded to 0.13."
    return {"about": about, "cases": cases}


def _episode_case(maze: Maze, actions: list[int]) -> dict[str, Any]:
    episode = Episode(maze)
    start = _observations(episode)
    steps = []
    for action in actions:
        made = episode.step(action)
        steps.append(
            {
                "position": made.position,
                "hit_wall": made.hit_wall,
                "reward_hundredths": made.reward_hundredths,
                "cumulative_hundredths": made.cumulative_hundredths,
                "end": "terminated" if made.terminated else "truncated" if made.truncated else "",
                **_observations(episode),
            }
        )
    return {"rows": list(maze.rows), "actions": _digits(actions), "start": start, "steps": steps}


def _episodes() -> dict[str, Any]:
    to_goal_at_last = [0] * 16 + [3, 3]  # 16 bumps, then the goal on the very last of 18 steps
    cases = [
        _episode_case(_LINE, to_goal_at_last),
        _episode_case(_LINE, [0, 1, 2] * 6),
        _episode_case(_CHAMBER, [3, 3, 3, 3, 1, 0, 2, 3, 1, 1, 1, 1]),
    ]
    shapes = [(3, 3), (4, 9), (6, 6), (8, 8), (10, 10), (10, 10), (10, 10), (13, 7), (15, 15)]
    for number, (rows, cols) in enumerate(shapes):
        maze = generate(rows, cols, draw(11, number), (0.0, 0.1, 0.3)[number % 3])
        cases.append(_episode_case(maze, _mixed_actions(maze, draw(12, number), wander=(5, 3, 2)[number // 3])))
    about = (
        "rows: the maze. actions: one digit 0-3 a step. start: the three observations before the first step. steps: after each step, "
        "position as row * cols + col, hit_wall, the step's and the cumulative reward in hundredths, end ('' while the episode goes on, "
        "'terminated', 'truncated'), and the three observations, each 25 little-endian float32 as hexadecimal."
    )
    return {"about": about, "cases": cases}


def _policy_map() -> dict[str, Any]:
    cases = []
    mazes = [_CHAMBER, generate(8, 8, 21), generate(10, 10, 22, 0.1), generate(12, 9, 23, 0.3)]
    for number, maze in enumerate(mazes):
        actions = _mixed_actions(maze, draw(13, number), wander=2)
        actions = actions[: max(1, len(actions) * 2 // 3)]
        episode = Episode(maze)
        for action in actions:
            episode.step(action)
        cells = [
            {"row": int(cell) // maze.width, "col": int(cell) % maze.width, **_observations(episode, int(cell))}
            for cell in np.flatnonzero(maze.open_cells.ravel())
        ]
        cases.append({"rows": list(maze.rows), "actions": _digits(actions), "cells": cells})
    about = (
        "After the actions (one digit 0-3 a step): for every open cell, in row-major order, the three observations as if the agent stood "
        "there now, each 25 little-endian float32 as hexadecimal. The chamber of the first maze cannot be reached, only seen."
    )
    return {"about": about, "cases": cases}


def _baselines() -> dict[str, Any]:
    mazes = [_LINE, _CHAMBER, *(puzzle.maze for puzzle in PUZZLES)]
    for number in range(12):
        size = (5, 7, 10, 10, 10, 14)[number % 6]
        mazes.append(generate(size, size, draw(17, number), (0.0, 0.1, 0.3)[number % 3]))
    cases = []
    for number, maze in enumerate(mazes):
        seed = draw(19, number)
        plays = []
        for baseline in BASELINES:
            play = play_baseline(maze, baseline, seed)
            outcome = "reached_goal" if play.reached_goal else "step_limit"
            trace = {"actions": _digits(play.actions), "outcome": outcome, "steps": play.steps, "bumps": play.bumps, "spl": play.spl}
            plays.append({"baseline": baseline, **trace})
        cases.append({"rows": list(maze.rows), "seed": str(seed), "plays": plays})
    about = "For each baseline the whole action trace (one digit 0-3 a step) on the maze, and how it ended. seed is used by RANDOM only."
    return {"about": about, "cases": cases}


def _sampling() -> dict[str, Any]:
    rng = SplitMix64(23)
    cases: list[dict[str, Any]] = []
    for number in range(200):
        kind = (sampling.LOGIT, sampling.Q_VALUE)[number % 2]
        span = 8.0 if kind == sampling.LOGIT else 0.2
        scores = [float(np.float32((rng.below(10_001) / 10_000 - 0.5) * span)) for _ in range(4)]
        if number % 10 == 0:
            scores[3] = scores[1]
        seed, step = rng.next(), 1 + rng.below(200)
        temperature = (0.0, 0.01, 0.5, 1.0, 2.0, 10.0)[number % 6]
        action = sampling.greedy(scores) if temperature == 0.0 else sampling.sample(scores, kind, temperature, seed, step)
        cases.append({"scores": scores, "kind": kind, "temperature": temperature, "seed": str(seed), "step": step, "action": action})
    about = "The action of section 6 for scores (float32 exactly), kind, temperature (0 = greedy), seed and step."
    return {"about": about, "cases": cases}


def _digests() -> dict[str, Any]:
    rng = SplitMix64(29)
    cases = []
    for length in (0, 1, 2, 3, 10, 34, 200, 1800):
        actions = bytes(rng.below(4) for _ in range(length))
        cases.append({"actions": _digits(actions), "digest": str(actions_digest(actions))})
    return {"about": "actions: one digit 0-3 a step. digest: 64-bit FNV-1a over one byte 0-3 a step, in decimal.", "cases": cases}


FILES = {
    "rng.json": _rng,
    "generator.json": _generator,
    "episodes.json": _episodes,
    "policy_map.json": _policy_map,
    "baselines.json": _baselines,
    "sampling.json": _sampling,
    "digests.json": _digests,
}


def render(content: dict[str, Any]) -> str:
    """Writes one of the files as text: `about` first, then one case a line, steps and cells on their own lines."""
    lines = []
    for case in content["cases"]:
        text = json.dumps(case)
        for inner in ("steps", "cells", "plays"):
            if isinstance(case.get(inner), list):
                head = json.dumps({name: value for name, value in case.items() if name != inner})[:-1]
                text = head + f', "{inner}": [\n   ' + ",\n   ".join(json.dumps(part) for part in case[inner]) + "]}"
        lines.append("  " + text)
    return '{\n"about": ' + json.dumps(content["about"]) + ',\n"cases": [\n' + ",\n".join(lines) + "\n]\n}\n"


def write(folder: Path = CONFORMANCE_FOLDER) -> None:
    """Writes every file. `trail_ages.f32` is written only where it is missing: it was computed once for all."""
    table = folder / "trail_ages.f32"
    if not table.exists():
        table.write_bytes(compute_trail_ages().tobytes())
    for name, content in FILES.items():
        (folder / name).write_text(render(content()))


@njit(cache=True)
def _twin_episode(
    b: Batch, goal_steps: I32Array, rng: Any, ages: F32Array, open_cells: U8Array, start: int, goal: int, out: U8Array
) -> int:
    """Plays one twin episode, writes its step records to `out` and returns the number of bytes."""
    rules.load(b, 0, open_cells, start, goal)
    cols = open_cells.shape[1]
    numbers = np.empty(3, np.int32)
    observation = np.empty(OBSERVATION_SIZE, np.float32)
    size = 0
    flags = 0
    while flags < TERMINATED:
        action = below(rng, 4) if below(rng, 2) == 0 else downhill(b, 0, goal_steps)
        flags = rules.step(b, 0, action)
        numbers[0] = rules.row_of(b, b.position[0]) * cols + rules.col_of(b, b.position[0])
        numbers[1] = rules.reward_hundredths(flags)
        numbers[2] = rules.cumulative_hundredths(b, 0)
        raw = numbers.view(np.uint8)
        out[size] = action
        out[size + 1 : size + 5] = raw[0:4]
        out[size + 5] = flags
        out[size + 6 : size + 14] = raw[4:12]
        size += 14
        for version in range(3):
            rules.observe(b, 0, b.position[0], version, ages, observation)
            out[size : size + 100] = observation.view(np.uint8)
            size += 100
    return size


_TWIN_RECORD = 14 + 3 * 100  # bytes of one step
_TWIN_RATIOS = (0.0, 0.0, 0.1, 0.3)


def twin_play(seed: int, least_steps: int) -> tuple[int, int, str]:
    """Plays the random episodes of law §8 from a seed until at least so many steps are done.

    Returns:
        Episodes, steps, and the SHA-256 over everything that happened, in hex.
    """
    rng = SplitMix64(seed)
    digest = hashlib.sha256()
    ages = trail_ages()
    episodes = steps = 0
    while steps < least_steps:
        rows, cols = 3 + rng.below(18), 3 + rng.below(18)
        ratio = _TWIN_RATIOS[rng.below(4)]
        maze = generate(rows, cols, rng.next(), ratio)
        batch = rules.new_batch(1, rows, cols)
        out = np.empty(maze.max_steps * _TWIN_RECORD, np.uint8)
        to_goal = distances(maze.open_cells, maze.goal // cols, maze.goal % cols)
        size = _twin_episode(batch, to_goal, rng.state, ages, maze.open_cells, maze.start, maze.goal, out)
        digest.update("\n".join(maze.rows).encode("ascii"))
        digest.update(out[:size].data)
        episodes += 1
        steps += int(batch.steps[0])
    return episodes, steps, digest.hexdigest()
