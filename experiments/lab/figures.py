"""The look of figures and animations, and how they get into a notebook.

A picture goes into the notebook as HTML with an alternative text, for readers who do not see it; few colours keep
the files small.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
from cycler import cycler
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from lab import colours

_DPI = 176  # sharp on a screen of two device pixels a CSS pixel
_SHOWN_DPI = 96  # at which a figure's inches are shown
_COLOURS = 96  # of a figure; more are not seen, and weigh

VALUE_MAP = LinearSegmentedColormap.from_list("value", [colours.HEAT_VALUE_LOW, colours.HEAT_VALUE_HIGH])
# Dark in the middle and light at both ends; which end is which is written beside each map, not told by the hue alone.
DIFFERENCE_MAP = LinearSegmentedColormap.from_list("difference", [colours.WARN, colours.ACTIVE, colours.ACCENT])


def use_colours() -> None:
    """Gives all figures that follow the product's dark panel."""
    mpl.use("agg")
    plt.rcParams.update(
        {
            "figure.facecolor": colours.PANEL,
            "savefig.facecolor": colours.PANEL,
            "axes.facecolor": colours.PANEL,
            "axes.edgecolor": colours.LINE_STRONG,
            "axes.labelcolor": colours.TEXT_2,
            "axes.titlecolor": colours.TEXT,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "axes.titlepad": 10,
            "axes.labelsize": 10,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(
                color=[colours.ACCENT, colours.WARN, colours.MAZE_AGENT, colours.OK, colours.TEXT_3]
            ),
            "axes.unicode_minus": True,
            "grid.color": colours.CHART_GRID,
            "grid.linewidth": 1.0,
            "xtick.color": colours.TEXT_2,
            "ytick.color": colours.TEXT_2,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "text.color": colours.TEXT,
            "legend.frameon": False,
            "legend.labelcolor": colours.TEXT_2,
            "legend.fontsize": 9.5,
            "lines.linewidth": 2.0,
            "lines.solid_capstyle": "round",
            "font.size": 10,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.12,
            "figure.constrained_layout.w_pad": 0.12,
        }
    )


def panels(columns: int = 1, width: float = 9.4, height: float = 3.5, **options: Any) -> tuple[Figure, list[Axes]]:
    """Makes a figure of some plots side by side; width and height in inches."""
    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False, **options)
    return figure, list(axes[0])


def thousands(axes: Axes) -> None:
    """Writes the numbers of the x axis as 10k, 20k."""
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if value else "0")


def _put(kind: str, raw: bytes, alt: str, width: float) -> None:
    encoded = base64.b64encode(raw).decode()
    style = "max-width: 100%; border-radius: 8px"
    shown = f'<img alt="{html.escape(alt)}" width="{width:.0f}" style="{style}" src="data:{kind};base64,{encoded}">'
    display({"text/html": shown, "text/plain": alt}, raw=True)


def _png(image: Image.Image, limit: int = _COLOURS) -> bytes:
    out = io.BytesIO()
    few = image.convert("RGB").quantize(limit, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def show(figure: Figure, alt: str) -> None:
    """Puts a figure into the notebook and closes it.

    Args:
        figure: The figure.
        alt: What it shows, for those who do not see it.
    """
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_DPI)
    plt.close(figure)
    _put("image/png", _png(Image.open(out)), alt, figure.get_figwidth() * _SHOWN_DPI)


def picture(image: Image.Image, alt: str, shown: float = 0.5) -> None:
    """Puts a drawing into the notebook; `shown` is CSS pixels for one of its own."""
    _put("image/png", _png(image), alt, image.width * shown)


def animate(frames: Sequence[Image.Image], alt: str, frame_ms: int, shown: float = 0.5, last_ms: int = 1500) -> None:
    """Puts an animation into the notebook, a GIF that starts again at its end.

    Args:
        frames: Equal in size.
        alt: What happens in it.
        frame_ms: How long a frame stays.
        shown: CSS pixels for one pixel of a frame.
        last_ms: How long the last one stays.
    """
    # One palette for all frames, of frames from all of it: so that nothing flickers, and only what moves is stored.
    sample = frames[:: max(1, len(frames) // 12)]
    sheet = Image.new("RGB", (sample[0].width, sample[0].height * len(sample)))
    for place, frame in enumerate(sample):
        sheet.paste(frame, (0, place * frame.height))
    palette = sheet.quantize(16, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few = [frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    times = [frame_ms] * (len(few) - 1) + [last_ms]
    few[0].save(out, "gif", save_all=True, append_images=few[1:], duration=times, loop=0, optimize=True)
    _put("image/gif", out.getvalue(), alt, frames[0].width * shown)


def say(text: str) -> None:
    """Writes a sentence, Markdown, whose figures the cell has just found."""
    display({"text/markdown": text, "text/plain": text}, raw=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table; all columns but the first are aligned to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    say("\n".join(lines))
