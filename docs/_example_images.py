"""The images of the pages, made by running the program while the pages are built."""

from __future__ import annotations

import functools
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core import Parameter

#: Standard deviation of the noise that the example image has, of a range from 0 to 1.
NOISE = 0.08


#: Which part of scikit-image's camera man is the example: face, hands, camera and lawn.
PART = (slice(60, 220), slice(150, 342))


@functools.cache
def clean() -> NDArray[Any]:
    """Return the example image without noise, from 0 to 1."""
    from skimage import data

    return data.camera()[PART].astype(np.float32) / 255


@functools.cache
def noisy() -> NDArray[Any]:
    """Return the example image with white Gaussian noise of σ = 0.08."""
    return nd.noise.Gaussian()(clean(), noise_scale=NOISE, seed=2024)


def png(image: NDArray[Any], low: float = 0.0, high: float = 1.0) -> bytes:
    """Return an image, grey or RGB, as a PNG file; `low` is black and `high` is white."""
    from PIL import Image

    shown = np.clip((np.asarray(image, float) - low) / (high - low), 0, 1)
    file = BytesIO()
    Image.fromarray(np.round(shown * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def strip(shown: Iterable[tuple[str, str]]) -> str:
    """Return the text that shows images side by side: (place, caption) each."""
    figures = [
        f'<figure markdown="span">![{caption}]({place})<figcaption>{caption}</figcaption></figure>'
        for place, caption in shown
    ]
    return '<div class="strip" markdown>\n' + "\n".join(figures) + "\n</div>\n"


def variations(parameter: Parameter, value: Any) -> list[Any]:
    """Return values that show what a parameter does, `value` being the usual one.

    None where there is nothing to be seen: for components, functions, lists and arrays, and for
    what is not set unless somebody does.
    """
    if parameter.kind == "choice":
        return list(parameter.choices)
    if parameter.kind == "bool":
        return [False, True]
    if parameter.kind not in ("int", "float") or not isinstance(value, int | float):
        return []
    # Intensities are from 0 to 1.
    unit = 0.1 if parameter.unit == "intensity" else 1
    spread = [value / 4, value, value * 4] if value else [0, unit, 2 * unit]
    if parameter.kind == "int":
        spread = [round(each) for each in spread]
    low = [b for b in (parameter.minimum, parameter.above) if b is not None]
    lowest = max(low, default=-np.inf)
    highest = np.inf if parameter.maximum is None else parameter.maximum
    within = [type(value)(min(max(each, lowest), highest)) for each in spread]
    allowed = [each for each in within if parameter.above is None or each > parameter.above]
    return sorted(set(allowed))


def number(value: Any) -> str:
    """Return a value as a reader wants it: three digits of a number, anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def curves(
    lines: Sequence[tuple[str, Iterable[float]]], label: str, first: str = "0", before: int = 0
) -> str:
    """Return an SVG drawing of numbers over the steps, one line for each entry.

    Parameters
    ----------
    lines : sequence of (name, values)
        The values of each line, step by step; the first line is the strongest. NaN leaves a gap.
    label : str
        What the drawing shows, for those who cannot see it.
    first : str
        What stands under the first value.
    before : int
        How many values come before step 0.
    """
    width, height, left, bottom = 480, 220, 44, 36
    table = [(name, [float(each) for each in values]) for name, values in lines]
    count = max(len(values) for _, values in table)
    known = [value for _, values in table for value in values if np.isfinite(value)] or [1.0]
    low, top = min(0.0, *known), max(0.0, *known)
    # What lies far from 0 is not shown from 0 on.
    low = min(known) if min(known) > 0.5 * top else low
    size = (top - low) or 1.0

    def x(step: int) -> float:
        return left + (width - left - 10) * step / max(count - 1, 1)

    def y(value: float) -> float:
        return 10 + (height - bottom - 10) * (1 - (value - low) / size)

    parts = [
        f'<svg class="curves" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">',
        f'<path class="axis" d="M{left} 10V{height - bottom}H{width - 10}"/>',
        f'<text x="{left - 6}" y="{y(top) + 4:.0f}" text-anchor="end">{top:.3g}</text>',
        f'<text x="{left - 6}" y="{y(low) + 4:.0f}" text-anchor="end">{low:.3g}</text>',
        f'<text x="{x(0):.0f}" y="{height - 20}" text-anchor="middle">{first}</text>',
        f'<text x="{x(count - 1):.0f}" y="{height - 20}" text-anchor="middle">'
        f"{count - 1 - before}</text>",
        f'<text x="{width / 2:.0f}" y="{height - 6}" text-anchor="middle">step</text>',
    ]
    for place, (name, values) in enumerate(table):
        known = [(x(k), y(v)) for k, v in enumerate(values) if np.isfinite(v)]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in known)
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in known)
        parts.append(f'<g class="line{place}"><polyline points="{points}"/>{dots}')
        parts.append(
            f'<text x="{width - 16}" y="{24 + 16 * place}" text-anchor="end">{name}</text></g>'
        )
    return "".join(parts) + "</svg>"
