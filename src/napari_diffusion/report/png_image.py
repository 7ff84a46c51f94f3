"""Images as PNG in data URIs, which a page holds itself."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.report.palette import COLOURS, palette, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage


def grey_uri(plane: NDArray[Any], limits: tuple[float, float]) -> str:
    """Return grey levels, or colours where the last axis has three, from black to white."""
    return _uri(_grey(plane, limits))


def outlined_uri(
    plane: NDArray[Any],
    limits: tuple[float, float],
    lines: Sequence[tuple[NDArray[Any], str]],
    factor: int,
) -> str:
    """Return an image with closed lines over it, in colours.

    Parameters
    ----------
    plane : ndarray
        As shown, reduced by `factor`.
    limits : tuple of float
        Black and white.
    lines : sequence of (ndarray, str)
        Corners y, x in pixels that are not reduced, and a colour.
    factor : int
        How many pixels are one that is shown.
    """
    from PIL import ImageDraw

    image = _grey(plane, limits).convert("RGB")
    draw = ImageDraw.Draw(image)
    width = max(1, round(max(image.size) / 300))
    for corners, colour in lines:
        points = ((np.asarray(corners, np.float64) + 0.5) / factor - 0.5)[:, ::-1]
        closed = [(float(x), float(y)) for x, y in (*points, points[0])]
        draw.line(closed, fill=colour, width=width)
    return _uri(image)


def _grey(plane: NDArray[Any], limits: tuple[float, float]) -> PillowImage:
    from PIL import Image

    low, high = limits
    span = high - low if high > low else 1.0
    values = np.nan_to_num((plane.astype(np.float64) - low) / span)
    return Image.fromarray(np.rint(values.clip(0.0, 1.0) * 255).astype(np.uint8))


def map_uri(plane: NDArray[Any], limits: tuple[float, float], diverging: bool) -> str:
    """Return values in the colours of a palette; what is no number is transparent."""
    from PIL import Image

    image = Image.fromarray(places(plane.astype(np.float64), limits))
    image.putpalette([*palette(diverging).ravel().tolist(), 0, 0, 0])
    return _uri(image, transparency=COLOURS)


def reduced(plane: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """Return the means of squares of `factor` pixels; at the edges of what is left of them."""
    from PIL import Image

    values = plane.astype(np.float64)
    if factor < 2:
        return values
    channels = values[..., None] if values.ndim == 2 else values
    parts = [
        np.asarray(Image.fromarray(channels[..., c].astype(np.float32)).reduce(factor), np.float64)
        for c in range(channels.shape[-1])
    ]
    return parts[0] if values.ndim == 2 else np.stack(parts, axis=-1)


def _uri(image: PillowImage, **options: int) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=False, compress_level=6, **options)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
