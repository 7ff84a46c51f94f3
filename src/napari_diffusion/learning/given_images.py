"""The images that are given to learn from: one or several, and frames of a scene."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.image import Image
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.core.named_axes import named_axes
from napari_diffusion.learning.measured_image import Kind, MeasuredImage, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from napari_diffusion.core.grid import GridOptions


def measured_images(
    images: ArrayLike | Image | Sequence[ArrayLike | Image],
    kind: Kind,
    noise_sigma: Any,
    options: GridOptions,
) -> list[MeasuredImage]:
    """Return all images, checked and measured; see `train` for the parameters.

    Raises
    ------
    ValueError
        If one of them cannot be learned from; it says which.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))} (got {kind!r}).")
    given = _listed(images)
    made = [_image(each, len(given) == 1 and kind == "frames", options) for each in given]
    if kind == "frames":
        made = _frames(made)
    found = []
    for n, image in enumerate(made):
        try:
            digest = hash_of(image.grid.restored(image.data))
            found.append(measured(image, digest, kind, noise_sigma))
        except ValueError as error:
            if len(made) == 1:
                raise
            raise ValueError(f"Image {n + 1} of {len(made)}: {error}") from error
    return found


def _listed(images: Any) -> list[Any]:
    """Return the images one by one."""
    if not isinstance(images, list | tuple):
        return [images]
    if not images:
        raise ValueError("There are no images to learn from.")
    several = isinstance(images[0], Image) or np.ndim(images[0]) > 1
    return list(images) if several else [images]


def _image(given: Any, frames: bool, options: GridOptions) -> Image:
    """Return an image; of frames that are one array of three axes, the first is time."""
    options = options.copy()
    unnamed = options.get("axes") is None and not isinstance(given, Image)
    if frames and unnamed and np.ndim(given) == 3 and not options.get("rgb"):
        options["axes"] = named_axes(given) or "tyx"
    image = Image.of(given, **options)
    if "t" in image.grid.along:
        raise ValueError(
            f"What is learned from are planes in space (got {image.grid.along!r}): leave out t."
        )
    return image


def _frames(images: list[Image]) -> list[Image]:
    """Return images with their frames along t; several without t are the frames of one scene."""
    if len(images) > 1 and all(each.grid.shape[0] == 1 for each in images):
        images = [_joined(images)]
    for each in images:
        if each.grid.shape[0] < 2:
            raise ValueError(
                "Frames of one scene lie along t, and are 2 or more (got 1 with the axes "
                f"{each.grid.axes!r}): name the axes, or learn from noisy images (kind='noisy')."
            )
    return images


def _joined(images: list[Image]) -> Image:
    """Return one image with others as its frames."""
    first = images[0].grid
    shapes = {each.grid.shape[1:] for each in images}
    if len(shapes) > 1 or any(each.grid.axes != first.axes for each in images):
        raise ValueError(
            "Frames of one scene have the same axes and shape (got "
            f"{', '.join(f'{each.grid.axes} {each.grid.shape}' for each in images)})."
        )
    data = _together([each.data for each in images])
    masks = [np.ones(each.grid.shape, bool) if each.mask is None else each.mask for each in images]
    mask = None if all(each.mask is None for each in images) else _together(masks)
    axes = first.axes if "t" in first.axes else f"t{first.axes}"
    grid = dataclasses.replace(
        first, axes=axes, shape=per_axis(data.shape), masked=mask is not None
    )
    return Image(data, grid, mask)


def _together(arrays: list[Any]) -> Any:
    if not any(map(is_dask, arrays)):
        return np.concatenate(arrays)
    import dask.array as da

    return da.concatenate(arrays)
