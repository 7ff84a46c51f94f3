"""The images that are given to learn from: one or several, and frames of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.core.image import Image
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.core.named_axes import named_axes, values_of
from napari_diffusion.learning.measured_image import Kind, MeasuredImage, measured

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.core.grid import GridOptions


def measured_images(
    images: ArrayLike | Sequence[ArrayLike], kind: Kind, noise_sigma: Any, options: GridOptions
) -> list[MeasuredImage]:
    """Return all images, checked and measured; see `train` for the parameters.

    Raises
    ------
    ValueError
        If one of them cannot be learned from; it says which.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))} (got {kind!r}).")
    several = isinstance(images, Sequence) and len(images) > 0 and np.ndim(images[0]) > 1
    given: list[Any] = list(cast("Sequence[ArrayLike]", images)) if several else [images]
    options = options.copy()
    if kind == "frames":
        given, options["axes"] = _frames(given, several, options.get("axes"))
    found = []
    for n, each in enumerate(given):
        try:
            image = Image.of(each, **options)
            found.append(measured(image, hash_of(_array(each)), kind, noise_sigma))
        except ValueError as error:
            if len(given) == 1:
                raise
            raise ValueError(f"Image {n + 1} of {len(given)}: {error}") from error
    return found


def _frames(given: list[Any], several: bool, axes: str | None) -> tuple[list[Any], str]:
    """Return images with an axis t of frames, and their axes."""
    axes = (
        axes
        or named_axes(given[0])
        or {2: "yx", 3: "zyx" if several else "tyx"}.get(np.ndim(given[0]), "")
    )
    if several and "t" not in axes:
        shapes = {np.shape(each) for each in given}
        if len(shapes) > 1:
            raise ValueError(
                f"Frames of one scene have the same shape (got {', '.join(map(str, shapes))})."
            )
        given, axes = [np.stack([np.asarray(each) for each in given])], f"t{axes}"
    for each in given:
        count = np.shape(each)[axes.index("t")] if "t" in axes else 1
        if count < 2:
            raise ValueError(
                f"Frames of one scene lie along t, and are 2 or more (got {count} with the axes "
                f'{axes!r}): name the axes, or learn from noisy images (kind="noisy").'
            )
    return given, axes


def _array(image: Any) -> Any:
    """Return an array with a type and a shape, from which parts are read."""
    values = values_of(image)
    return values if is_dask(values) else np.asarray(values)
