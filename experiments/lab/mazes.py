"""Drawings of the maze as the product's page shows it, and films of an agent in it."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lab import colours
from rlmaze_env import Episode, Maze
from rlmaze_env.maze import WALL

_SCALE = 3  # drawn larger and made smaller again, for smooth edges
_TRAIL = 36  # steps of the trail that are shown, as on the page
# How desirable a cell is, from wall to goal, in lightness.
_DESIRABLE = LinearSegmentedColormap.from_list(
    "desirable", [(0.0, colours.MAZE_WALL), (0.5, "#3d4860"), (1.0, colours.MAZE_GOAL)]
)


def draw(
    maze: Maze,
    path: Sequence[int] = (),
    cell: int = 44,
    window: bool = False,
    marks: Iterable[int] = (),
) -> Image.Image:
    """Draws a maze.

    Args:
        maze: The maze.
        path: Flat indices of the cells that the agent stood on, the last one where it is; none draws no agent.
        cell: Pixels of a cell's side.
        window: Frame the 5 × 5 cells around the agent.
        marks: Flat indices of cells to cross out: those known to lead nowhere.
    """
    side = cell * _SCALE
    image = Image.new("RGB", (maze.width * side, maze.height * side), colours.MAZE_WALL)
    pen = ImageDraw.Draw(image)

    def corner(flat: int) -> tuple[float, float]:
        return flat % maze.width * side, flat // maze.width * side

    def middle(flat: int) -> tuple[float, float]:
        x, y = corner(flat)
        return x + side / 2, y + side / 2

    for flat, mark in enumerate("".join(maze.rows)):
        if mark != WALL:
            x, y = corner(flat)
            pen.rectangle([x + _SCALE, y + _SCALE, x + side - _SCALE, y + side - _SCALE], fill=colours.MAZE_PATH)
    for flat in marks:
        x, y = middle(flat)
        arm = side * 0.16
        for slope in (-1, 1):
            pen.line([(x - arm, y - slope * arm), (x + arm, y + slope * arm)], fill=colours.TEXT_3, width=3 * _SCALE)
    ring = side * 0.27
    x, y = middle(maze.start)
    pen.ellipse([x - ring, y - ring, x + ring, y + ring], outline=colours.MAZE_START, width=4 * _SCALE)
    x, y = middle(maze.goal)
    pen.polygon([(x, y - ring), (x + ring, y), (x, y + ring), (x - ring, y)], fill=colours.MAZE_GOAL)
    if path:
        recent = [middle(flat) for flat in path[-_TRAIL - 1 :]]
        for colour, width in ((colours.MAZE_CASING, 0.26), (colours.MAZE_AGENT, 0.13)):
            if len(recent) > 1:
                pen.line(recent, fill=colour, width=int(side * width), joint="curve")
        x, y = middle(path[-1])
        for colour, part in ((colours.MAZE_CASING, 0.40), (colours.MAZE_AGENT_RING, 0.34), (colours.MAZE_AGENT, 0.25)):
            pen.ellipse([x - side * part, y - side * part, x + side * part, y + side * part], fill=colour)
        if window:
            # Outside the grid counts as wall, and is drawn only as far as the picture goes.
            left, top = x - 2.5 * side, y - 2.5 * side
            pen.rounded_rectangle(
                [left, top, left + 5 * side, top + 5 * side], side // 6, outline=colours.ACCENT, width=4 * _SCALE
            )
    return image.resize((maze.width * cell, maze.height * cell), Image.Resampling.LANCZOS)


def walk(maze: Maze, actions: Iterable[int]) -> list[int]:
    """Returns the flat indices of the cells that actions lead through, the start first."""
    episode = Episode(maze)
    return [episode.position, *(episode.step(action).position for action in actions)]


def numbers(axes: Axes, observation: NDArray[np.float32], title: str) -> None:
    """Shows an observation as its 5 × 5 numbers, each on a ground as light as it is large."""
    grid = observation.reshape(5, 5)
    axes.imshow(grid, cmap=_DESIRABLE, vmin=-1, vmax=1)
    for (row, col), value in np.ndenumerate(grid):
        text = "0" if value == 0 else f"{value:+.0f}" if abs(value) == 1 else f"{value:.2f}"
        axes.text(
            col,
            row,
            text.replace("-", "−"),
            ha="center",
            va="center",
            fontsize=9.5,
            color=colours.TEXT if value < 0.5 else colours.MAZE_CASING,
        )
    axes.add_patch(_square(1.5))
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _square(at: float) -> Rectangle:
    return Rectangle((at, at), 1, 1, fill=False, edgecolor=colours.MAZE_AGENT, linewidth=2)
