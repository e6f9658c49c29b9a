"""CartPole: the test that all notebooks use, and drawings of the cart."""

import math
from collections.abc import Callable, Iterable, Sequence

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lab import colours
from lab.drawing import beside, titled

ENVIRONMENT = "CartPole-v1"
TEST_SEED = 900_000  # starts that no training uses

States = NDArray[np.float32]  # (n, 4): position, speed, angle, angular speed
Policy = Callable[[States], NDArray[np.int64]]  # (n, 4) states to (n,) actions


def durations(policy: Policy, episodes: int, seed: int = TEST_SEED) -> NDArray[np.int64]:
    """Plays episodes side by side and returns how many steps the pole stood in each, (episodes,) int64, at most 500.

    Args:
        policy: What acts.
        episodes: How many.
        seed: Of their starts; the same seed gives every policy the same starts.
    """
    envs = gym.make_vec(ENVIRONMENT, num_envs=episodes, vectorization_mode=gym.VectorizeMode.VECTOR_ENTRY_POINT)
    states, _ = envs.reset(seed=seed)
    stood = np.zeros(episodes, np.int64)
    upright = np.ones(episodes, bool)
    while upright.any():
        states, _, fell, timed_out, _ = envs.step(np.asarray(policy(states), np.int64))
        stood += upright
        upright &= ~(fell | timed_out)
    envs.close()
    return stood


def play(policy: Policy, seed: int, most: int = 500) -> tuple[States, bool]:
    """Plays one episode; returns its states, (steps + 1, 4), and whether the pole fell."""
    env = gym.make(ENVIRONMENT)
    state, _ = env.reset(seed=seed)
    states, fell = [state], False
    for _ in range(most):
        state, _, fell, timed_out, _ = env.step(int(policy(state[None])[0]))
        states.append(state)
        if fell or timed_out:
            break
    env.close()
    return np.array(states, np.float32), bool(fell)


_SCALE = 2  # drawn so many times larger and made smaller again, for smooth edges
_WIDTH, _HEIGHT = 560, 300
_METRES = 5.2  # shown of the rail, whose ends are 4.8 m apart
_POLE = 1.9  # metres as drawn; the real one has 1 m, and would hardly be seen to lean


def draw(state: Sequence[float] | States, fallen: bool = False) -> Image.Image:
    """Draws one moment of CartPole; a fallen pole is dashed and red."""
    position, _, angle, _ = (float(part) for part in state)
    unit = _WIDTH * _SCALE / _METRES
    image = Image.new("RGB", (_WIDTH * _SCALE, _HEIGHT * _SCALE), colours.MAZE_WALL)
    pen = ImageDraw.Draw(image)
    rail = int(_HEIGHT * _SCALE * 0.80)
    middle = _WIDTH * _SCALE / 2
    pen.line([(middle - 2.4 * unit, rail), (middle + 2.4 * unit, rail)], fill=colours.LINE_STRONG, width=2 * _SCALE)
    for end in (-2.4, 0.0, 2.4):
        x = middle + end * unit
        pen.line([(x, rail - 7 * _SCALE), (x, rail + 7 * _SCALE)], fill=colours.LINE_STRONG, width=2 * _SCALE)
    x = middle + position * unit
    half, tall = 0.26 * unit, 0.20 * unit
    pen.rounded_rectangle([x - half, rail - tall / 2, x + half, rail + tall / 2], 6 * _SCALE, fill=colours.TEXT_2)
    # Where upright would be: the tilt that ends an episode is only 12 degrees.
    hinge = (x, rail - tall / 2)
    for part in range(12):
        top = hinge[1] - (part + 0.5) / 12 * _POLE * unit
        pen.line([(x, top), (x, top - 0.04 * unit)], fill=colours.ACTIVE, width=2 * _SCALE)
    tip = (x + math.sin(angle) * _POLE * unit, hinge[1] - math.cos(angle) * _POLE * unit)
    pole = colours.DANGER if fallen else colours.ACCENT
    pen.line([hinge, tip], fill=pole, width=11 * _SCALE)
    for end_of_pole in (hinge, tip):
        pen.ellipse(
            [
                end_of_pole[0] - 5.5 * _SCALE,
                end_of_pole[1] - 5.5 * _SCALE,
                end_of_pole[0] + 5.5 * _SCALE,
                end_of_pole[1] + 5.5 * _SCALE,
            ],
            fill=pole,
        )
    pen.ellipse([x - 4 * _SCALE, hinge[1] - 4 * _SCALE, x + 4 * _SCALE, hinge[1] + 4 * _SCALE], fill=colours.MAZE_WALL)
    return image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)


def film(
    episodes: Iterable[tuple[States, bool]], frames: int, every: int, pause: int
) -> list[tuple[Image.Image, int, int]]:
    """Draws episodes one after the other until there are enough frames.

    Args:
        episodes: Each its states and whether the pole fell.
        frames: How many are wanted.
        every: Steps of the game between two frames.
        pause: Frames for which a fallen pole stays.

    Returns:
        For each frame the drawing, how often the pole has fallen so far, and the step of the episode.
    """
    shots: list[tuple[Image.Image, int, int]] = []
    falls = 0
    for states, fell in episodes:
        last = len(states) - 1
        shots += [(draw(states[step]), falls, step) for step in range(0, last, every)]
        falls += int(fell)
        shots += [(draw(states[last], fallen=fell), falls, last)] * (pause if fell else 1)
        if len(shots) >= frames:
            break
    return shots[:frames]


def duel(
    left: list[tuple[Image.Image, int, int]], right: list[tuple[Image.Image, int, int]], titles: tuple[str, str]
) -> list[Image.Image]:
    """Puts two films side by side, each with its name and its falls so far."""

    def captioned(shot: tuple[Image.Image, int, int], title: str) -> Image.Image:
        image, falls, step = shot
        note = f"fell {falls} ×" if falls else f"upright {step * 0.02:.1f} s"
        return titled(image, title, note, colours.DANGER if falls else colours.OK)

    return [beside(captioned(a, titles[0]), captioned(b, titles[1])) for a, b in zip(left, right, strict=False)]
