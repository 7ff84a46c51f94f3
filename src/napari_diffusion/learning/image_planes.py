"""The planes of images, over their noise, as training takes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers.guided_filter import plane_axes
from napari_diffusion.learning.held_out import SMALL
from napari_diffusion.learning.planes import Planes
from napari_diffusion.learning.window_size import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.learning.measured_image import MeasuredImage

    Stack = tuple[NDArray[np.float32], NDArray[np.bool_] | None]

# Pixels that are learned from: of more, planes are left out evenly, and the middle of large ones is
# taken, of a side within these. Frames of a scene.
_MOST_PIXELS, _SIDES, _MOST_FRAMES = 1 << 26, (256, 2048), 16


def planes_of(images: Sequence[MeasuredImage], frames: bool, seed: int) -> Planes:
    """Return the planes of images.

    Parameters
    ----------
    images : sequence of MeasuredImage
    frames : bool
        Whether all frames, along t, show the same scene.
    seed : int
        Chooses what is held out.

    Raises
    ------
    ValueError
        If there is no room to learn and to hold something out.
    """
    stacks: list[NDArray[np.float32]] = []
    inside: list[NDArray[np.bool_] | None] = []
    groups: list[int] = []
    for number, each in enumerate(images):
        for values, own in _stacks(each, frames, _MOST_PIXELS // len(images)):
            # Neighbours in a stack are alike, and have the same squares held out; of small planes,
            # which have no room for both, whole ones are.
            own_number = len(images) + len(stacks)
            groups.append(own_number if min(values.shape[1:]) < SMALL else number)
            stacks.append(values)
            inside.append(own)
    smallest = min(min(each.shape[1:]) for each in stacks)
    if smallest < SIDES[-1]:
        raise ValueError(
            f"Images must have at least {SIDES[-1]} pixels along both axes of their planes to "
            f"learn from them (got {smallest})."
        )
    planes = Planes(stacks, seed, inside, groups)
    if not planes.side:
        raise ValueError(
            "There is no room to learn from one part of these images and to test on another: give "
            f"larger images, more of them, or fewer masked or clipped pixels (got {len(stacks)} "
            f"of {stacks[0].shape[1]} × {stacks[0].shape[2]} pixels)."
        )
    return planes


def _stacks(each: MeasuredImage, frames: bool, most: int) -> Iterator[Stack]:
    """Yield the planes of an image, those of the same scene together."""
    axes = plane_axes(each.image.grid)
    arrays = [each.image.data, each.source.data, each.image.mask]
    data, source, mask = (None if a is None else _last(a, axes) for a in arrays)
    assert data is not None
    assert source is not None
    # t, c, and the third spatial axis, before the two of the planes.
    count = data.shape[0] if frames else 1
    shown = np.unique(np.linspace(0, count - 1, min(count, _MOST_FRAMES)).astype(int))
    scenes = list(np.ndindex(1 if frames else data.shape[0], *data.shape[1:3]))
    side = min(max(math.isqrt(most // len(shown)), _SIDES[0]), _SIDES[1])
    part = tuple(_middle(n, side) for n in data.shape[3:])
    pixels = math.prod(s.stop - s.start for s in part) * len(shown)
    wanted = np.linspace(0, len(scenes) - 1, min(len(scenes), max(most // pixels, 1))).astype(int)
    for t, c, z in (scenes[n] for n in wanted):
        where = [(int(k) if frames else t, c, z, *part) for k in shown]
        values = np.stack([np.asarray(data[at], np.float32) for at in where])
        inside = None if mask is None else np.all([mask[at] for at in where], axis=0)
        for value in each.clipped:
            sound = np.all([np.asarray(source[at]) != value for at in where], axis=0)
            inside = sound if inside is None else inside & sound
        yield values / np.float32(each.units[c]), inside


def _last(array: Any, axes: tuple[int, int]) -> Any:
    """Return a canonical array with the axes of the planes last, and three before them."""
    others = [n for n in range(5) if n not in axes]
    return array.transpose([*others, *axes])


def _middle(size: int, most: int) -> slice:
    count = min(size, most)
    return slice((size - count) // 2, (size - count) // 2 + count)
