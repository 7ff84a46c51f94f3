"""All steps of a run side by side in one image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from napari_diffusion.core.noise_scale import NoiseScale

_GAP, _TEXT = 12, 18
_LARGEST = 384
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


@dataclass(frozen=True, eq=False)
class Panel:
    """One image of the sheet.

    Attributes
    ----------
    label : str
        Text above the image.
    image : ndarray
        (height, width) or (height, width, 3).
    """

    label: str
    image: NDArray[Any]


def panel(
    label: str,
    image: NDArray[Any],
    axes: str,
    *,
    rgb: bool = False,
    spacing: Mapping[str, float] | None = None,
) -> Panel:
    """Return the middle slice of the middle frame of an image as a panel.

    Parameters
    ----------
    label : str
        Text above the image.
    image : array
        In any axes; numpy or dask.
    axes : str
        One letter of "tczyx" per axis.
    rgb : bool
        Whether c holds RGB colours. Of other channels the first one is shown.
    spacing : mapping, optional
        Pixel size by axis: rows and columns are shown in proportion.
    """
    plane = [axis for axis in "zyx" if axis in axes][-2:]
    shown = [*plane, "c"] if rgb else plane
    index = tuple(
        slice(None) if axis in shown else 0 if axis == "c" else size // 2
        for axis, size in zip(axes, image.shape, strict=True)
    )
    left = [axis for axis in axes if axis in shown]
    source = np.asarray(image[index]).transpose([left.index(axis) for axis in shown])
    if len(plane) == 1:
        source = source[np.newaxis]
    lengths = [(spacing or {}).get(axis, 1.0) for axis in plane]
    ratio = lengths[0] / lengths[-1]
    return Panel(label, in_proportion(source[..., :3] if rgb else source, ratio))


def step_label(index: int, noise_scale: NoiseScale, is_final: bool) -> str:
    """Return the label of a step: its number, and its noise scale if noise was added."""
    if is_final:
        return "final filter"
    scales = noise_scale if isinstance(noise_scale, tuple) else (noise_scale,)
    if not any(scales):
        return f"step {index:02}"
    # "sigma" in letters: the font that Pillow brings has no Greek ones.
    return f"step {index:02} · sigma {' / '.join(f'{scale:.3g}' for scale in scales)}"


def shown_range(image: NDArray[Any], rgb: bool = False) -> tuple[float, float]:
    """Return the display range for the images of a run, from its source.

    RGB keeps the range of its type; other images leave out 0.1 % at either end.
    """
    dtype = np.dtype(image.dtype)
    if rgb:
        return (0.0, float(np.iinfo(dtype).max)) if dtype.kind in "iu" else (0.0, 1.0)
    low, high = np.nanpercentile(np.asarray(image).astype(float), (0.1, 99.9))
    return float(low), float(high) if high > low else float(low) + 1.0


def contact_sheet(panels: Sequence[Panel], limits: tuple[float, float]) -> PillowImage:
    """Draw panels side by side, all with the same display range.

    Parameters
    ----------
    panels : sequence of Panel
        All of one size.
    limits : (low, high)
        Intensities shown as black and as white.

    Returns
    -------
    PIL.Image.Image
        Has ``save(path)``.

    Raises
    ------
    ValueError
        If there are no panels.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not panels:
        raise ValueError("A contact sheet needs at least one panel (got none).")
    images = [_sized(_bytes(each.image, limits)) for each in panels]
    font = ImageFont.load_default(size=_TEXT)
    width = max(
        *(image.width for image in images),
        *(math.ceil(font.getlength(each.label)) for each in panels),
    )
    height = max(image.height for image in images)
    columns = _columns(len(panels), width, height)
    rows = math.ceil(len(panels) / columns)
    cell_width, cell_height = width + _GAP, height + 2 * _TEXT + _GAP
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (each, image) in enumerate(zip(panels, images, strict=True)):
        x = _GAP + place % columns * cell_width
        y = _GAP + place // columns * cell_height
        draw.text((x, y), each.label, fill=_INK, font=font)
        sheet.paste(image, (x, y + round(1.6 * _TEXT)))
    return sheet


def _columns(count: int, width: int, height: int) -> int:
    """Return how many columns make a sheet of about 16:10 with few empty places."""
    wanted = math.sqrt(count * 1.6 * (height + 2 * _TEXT) / width)
    near = range(max(math.floor(wanted) - 1, 1), math.ceil(wanted) + 2)
    return min(count, min(near, key=lambda n: (-count % n, abs(math.log(n / wanted)))))


def _bytes(image: NDArray[Any], limits: tuple[float, float]) -> PillowImage:
    from PIL import Image

    low, high = limits
    values = np.nan_to_num((image.astype(float) - low) / (high - low))
    levels = np.rint(values.clip(0.0, 1.0) * 255).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def _sized(image: PillowImage) -> PillowImage:
    """Return the image neither too large for a sheet of many nor too small to see."""
    from PIL import Image

    longest = max(image.size)
    if longest > _LARGEST:
        factor = _LARGEST / longest
        size = [max(round(side * factor), 1) for side in image.size]
        return image.resize(size, Image.Resampling.BOX)
    # Whole pixels stay whole: squares, not blur.
    factor = _LARGEST // longest
    return image.resize([side * factor for side in image.size], Image.Resampling.NEAREST)


def in_proportion(image: NDArray[Any], ratio: float) -> NDArray[Any]:
    """Return the image with its rows or columns repeated until it is in proportion."""
    if not 0.01 < ratio < 100 or abs(ratio - 1.0) < 0.01:
        return image
    axis, factor = (0, ratio) if ratio > 1.0 else (1, 1.0 / ratio)
    count = round(image.shape[axis] * factor)
    nearest = (np.arange(count) + 0.5) / factor
    return image.take(nearest.astype(int).clip(0, image.shape[axis] - 1), axis=axis)
