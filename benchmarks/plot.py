"""The image: how many times faster, on a logarithmic axis, a bar for each other library."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.cases import Result

WIDTH, LEFT, RIGHT = 1200, 480, 90
ROW, HEADING, TOP, BOTTOM = 24, 40, 64, 56
INK, GREY, RULE, BAR, BEHIND = "#1f2933", "#6b7785", "#dde3e9", "#2f7f9f", "#c8643c"

# What Pillow's own font, the only one that is everywhere, cannot show.
_PLAIN = {"–": "-", "×": "x", "²": "^2", "³": "^3", "σ": "sigma"}


def draw(path: Path, results: list[Result], machine: str) -> None:
    """Draw the medians of the ratios of CPU time with their ranges."""
    groups = [(title, list(rows)) for title, rows in groupby(results, key=lambda r: r.title)]
    height = TOP + BOTTOM + sum(HEADING + ROW * len(rows) for _, rows in groups)
    image = Image.new("RGB", (WIDTH, height), "white")
    pen = ImageDraw.Draw(image)
    ratios = [r.duel.ratio("cpu") for r in results]
    axis = _Axis(min(r.least for r in ratios), max(r.greatest for r in ratios))
    pen.text((24, 20), "times faster, one thread, CPU time: median and range", INK, _font(20))
    _grid(pen, axis, height)
    y = TOP
    for title, rows in groups:
        pen.text((24, y + 14), _plain(title), INK, _font(16))
        y += HEADING
        for row in rows:
            _bar(pen, axis, y, row)
            y += ROW
    pen.text((24, height - 30), _plain(machine), GREY, _font(13))
    # An image of few colours is a third of the size with a palette.
    image.quantize(64).save(path, optimize=True)


class _Axis:
    """A logarithmic axis that holds 1 and whole powers of ten at its ends."""

    def __init__(self, least: float, greatest: float) -> None:
        self.low = min(0, math.floor(math.log10(least)))
        self.high = max(1, math.ceil(math.log10(greatest)))

    def __call__(self, ratio: float) -> float:
        share = (math.log10(ratio) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> list[float]:
        return [m * 10.0**e for e in range(self.low, self.high) for m in (1, 2, 5)] + [
            10.0**self.high
        ]


def _grid(pen: ImageDraw.ImageDraw, axis: _Axis, height: int) -> None:
    bottom = height - BOTTOM
    for tick in axis.ticks():
        x = axis(tick)
        pen.line((x, TOP, x, bottom), INK if tick == 1 else RULE, 1)
        pen.text((x, bottom + 6), f"{tick:g}", GREY, _font(13), anchor="ma")


def _bar(pen: ImageDraw.ImageDraw, axis: _Axis, y: float, row: Result) -> None:
    ratio = row.duel.ratio("cpu")
    one, end = axis(1), axis(ratio.median)
    middle = y + ROW / 2
    colour = BAR if ratio.median >= 1 else BEHIND
    pen.rectangle((min(one, end), y + 5, max(one, end), y + ROW - 5), colour)
    pen.line((axis(ratio.least), middle, axis(ratio.greatest), middle), INK, 2)
    pen.text((LEFT - 12, middle), _plain(row.theirs), INK, _font(14), anchor="rm")
    text = f"{ratio.median:.3g}"
    right = max(one, end, axis(ratio.greatest))
    pen.text((right + 8, middle), text, INK, _font(14), anchor="lm")


def _plain(text: str) -> str:
    return "".join(_PLAIN.get(letter, letter) for letter in text)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
