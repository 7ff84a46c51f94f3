"""Which planes of a stack a trace reads, where it does not read all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.base import plane_count, planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

#: So many planes of a stack are read at most, evenly spread.
MOST_PLANES = 16


def chosen_planes(image: Image) -> list[tuple[tuple[int, ...], NDArray[np.float64]]]:
    """Return (index, brightness) of the planes to read, as `planes_of`."""
    wanted = set(_numbers(image))
    return [each for k, each in enumerate(planes_of(image)) if k in wanted]


def planes_read(image: Image) -> tuple[str, ...]:
    """Return a remark that says how many planes are read; none where all of them are."""
    count, read = plane_count(image), len(_numbers(image))
    return (f"Read from {read} of {count} planes, evenly spread.",) if read < count else ()


def plane_name(index: tuple[int, ...]) -> str:
    """Return "plane 3", or "image" where there is but one."""
    return "image" if not index else "plane " + ", ".join(map(str, index))


def _numbers(image: Image) -> list[int]:
    count = plane_count(image)
    return [round(k) for k in np.linspace(0, count - 1, min(count, MOST_PLANES))]
