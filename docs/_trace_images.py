"""Draw images and what is read from them, on examples that everybody has, for docs/traces.md.

python docs/_trace_images.py
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from vispy.color import get_colormap

import napari_diffusion as nd

if TYPE_CHECKING:
    from napari_diffusion.forensics import TraceMap

TARGET = Path(__file__).parent / "images" / "traces.jpg"

# Pixels of each panel and between them; orange of Okabe and Ito (2008).
_SIDE, _GAP, _ORANGE = 320, 8, "#e69f00"

# An image, its map, and the changed part: top, left, side; None where nobody changed it.
Pair = tuple[Any, "TraceMap", tuple[int, int, int] | None]


def smoothed() -> Pair:
    """Return *brick* with a smoothed square."""
    image = data.brick()[:384, :384].copy()
    part = np.s_[192:272, 152:232]
    image[part] = np.rint(nd.filters.PeronaMalik(time=1.0)(image)[part])
    return image, nd.forensics.LocalNoise()(image).maps[0], (192, 152, 80)


def quantised_once() -> Pair:
    """Return *camera*, saved as a JPEG twice, with a square that was saved once."""
    part = np.s_[200:296, 200:296]
    image = saved(data.camera(), 75)
    image[part] = data.camera()[part]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.jpg"
        file.write_bytes(jpeg(image, 90))
        image = np.array(Image.open(file))
        reading = nd.forensics.DoubleQuantisation()(image, file=file)
    return image, reading.maps[0], (200, 200, 96)


def compressed_before() -> Pair:
    """Return *camera* with a square that was a JPEG of quality 60."""
    image, part = data.camera().copy(), np.s_[200:296, 200:296]
    image[part] = saved(image, 60)[part]
    return image, nd.forensics.Ghost()(image).maps[0], (200, 200, 96)


def untouched() -> Pair:
    """Return *astronaut* in grey."""
    grey = data.astronaut() @ np.array([0.299, 0.587, 0.114])
    image = np.rint(grey).astype(np.uint8)[:384, :384]
    return image, nd.forensics.LocalNoise()(image).maps[0], None


def jpeg(image: Any, quality: int) -> bytes:
    """Return an image as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return file.getvalue()


def saved(image: Any, quality: int) -> Any:
    """Return an image as it comes back from a JPEG file."""
    return np.array(Image.open(io.BytesIO(jpeg(image, quality))))


def drawn(image: Any, found: TraceMap, part: tuple[int, int, int] | None) -> Any:
    """Return an image with the changed part outlined, and its map beside it."""
    left = Image.fromarray(image).convert("RGB")
    if part is not None:
        top, start, side = part
        ImageDraw.Draw(left).rectangle((start, top, start + side, top + side), None, _ORANGE, 3)
    low, high = found.limits
    share = np.clip((np.squeeze(found.values).astype(float) - low) / (high - low), 0, 1)
    colours = get_colormap("coolwarm" if found.diverging else "viridis")
    seen = colours.map(np.nan_to_num(share).reshape(-1))[:, :3].reshape(*share.shape, 3)
    right = Image.fromarray(np.rint(255 * seen).astype(np.uint8))
    return np.hstack([
        np.asarray(each.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)) for each in (left, right)
    ])  # fmt: skip


def main() -> None:
    """Write all of them as one image."""
    pairs = [
        np.pad(drawn(*make()), ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255)
        for make in (smoothed, quantised_once, compressed_before, untouched)
    ]
    sheet = np.vstack([np.hstack(pairs[:2]), np.hstack(pairs[2:])])[:-_GAP, :-_GAP]
    Image.fromarray(sheet).save(TARGET, quality=88, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
