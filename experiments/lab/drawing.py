"""What the drawings of both games share: fonts, captions, and two pictures side by side."""

from functools import cache
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from lab import colours

GAP = 20  # pixels between two drawings


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings along, so that figures and drawings match on every machine; size in pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def titled(image: Image.Image, title: str, note: str, colour: str = colours.TEXT_2) -> Image.Image:
    """Puts a title on the left and a note on the right above a drawing."""
    head = 52
    out = Image.new("RGB", (image.width, image.height + head), colours.PANEL)
    out.paste(image, (0, head))
    pen = ImageDraw.Draw(out)
    pen.text((8, head // 2), title, font=font(24, bold=True), fill=colours.TEXT, anchor="lm")
    pen.text((image.width - 8, head // 2), note, font=font(22), fill=colour, anchor="rm")
    return out


def beside(*images: Image.Image) -> Image.Image:
    """Puts drawings of equal height side by side on one panel."""
    width = sum(image.width for image in images) + GAP * (len(images) + 1)
    out = Image.new("RGB", (width, max(image.height for image in images) + 2 * GAP), colours.PANEL)
    left = GAP
    for image in images:
        out.paste(image, (left, GAP))
        left += image.width + GAP
    return out
