"""Where the image may change: a layer of labels, of shapes, or of two values."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.channels import sizes
from napari_diffusion.widgets.layers.layer_axes import FURTHER
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.shape_masks import drawn, outlines
from napari_diffusion.widgets.layers.source_layers import is_preview
from napari_diffusion.widgets.layers.step_records import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.widgets.layers.layer_axes import Fold

# Axes of images that nothing flows between: a mask may do without them.
_BATCH = ("t", "c", FURTHER)

# Pixels looked at to recognise a binary image; a run checks all of them.
_PIXELS = 1 << 16

# Most images have more than two values among so few.
_FEW = 64


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask as it was chosen.

    Attributes
    ----------
    name : str
        Name of the layer.
    draw : callable
        Returns booleans of the source's shape, colours left out; called by the thread that
        computes. What it reads was kept when the mask was chosen.
    """

    name: str
    draw: Callable[[], NDArray[np.bool_]]

    def of_run(self, restores: bool) -> Mask:
        """Return the mask as a run takes it; one that restores pixels wants all others."""
        return Mask(self.name, lambda: ~self.draw()) if restores else self

    def folded(self, fold: Fold, rgb: bool) -> NDArray[np.bool_]:
        """Return the mask in the loop's axes."""
        place = fold.without("c") if rgb else fold
        # Of layers taken as channels, all have the mask of one.
        inside = np.broadcast_to(self.draw(), place.shape)
        return np.ascontiguousarray(place.folded(inside))


@dataclass(frozen=True, eq=False)
class KeptMask:
    """The mask of an earlier run, as the loop took it.

    Attributes
    ----------
    name : str
        Name of the layer that it was.
    inside : ndarray
        Booleans in the loop's axes.
    """

    name: str
    inside: NDArray[np.bool_]

    def folded(self, fold: Fold, rgb: bool) -> NDArray[np.bool_]:
        """Return the mask in the loop's axes."""
        del fold, rgb
        return self.inside

    def of_run(self, restores: bool) -> KeptMask:
        """Return the mask itself: what it was for is done."""
        del restores
        return self


def can_be_mask(layer: Layer, source: Image) -> bool:
    """Say whether a layer is of a kind that masks are made of, whether or not it fits."""
    from napari.layers import Image, Labels, Shapes

    if layer is source or KEY in layer.metadata or is_preview(layer):
        return False
    return isinstance(layer, Labels | Shapes) or (
        isinstance(layer, Image) and not layer.rgb and not misfit(layer, source, None)
    )


def misfit(layer: Layer, source: Image, letters: str | None) -> str:
    """Say in a few words why a layer cannot be the mask of a source; nothing if it can."""
    from napari.layers import Image, Shapes

    if isinstance(layer, Shapes):
        if not outlines(layer):
            return "it has no polygon, rectangle or ellipse"
        return ""
    shape = tuple(values(layer).shape)
    if _index(shape, source, letters) is None:
        wanted = sizes(_shape(source))
        return f"it is {sizes(shape)}, and {source.name!r} is {wanted}"
    if isinstance(layer, Image) and not _has_two_values(values(layer)):
        return "it does not hold 0 and one other value"
    return ""


def mask_of(layer: Layer, source: Image, letters: str) -> Mask:
    """Return the mask that a layer is; ValueError says why it cannot be one.

    Parameters
    ----------
    layer : Layer
        Labels, shapes, or an image of two values.
    source : Image
        What is masked.
    letters : str
        One letter for each axis of the source's array, colours included.
    """
    from napari.layers import Shapes

    if reason := misfit(layer, source, letters):
        raise ValueError(f"{layer.name!r} cannot be the mask: {reason}.")
    shape = _shape(source)
    if isinstance(layer, Shapes):
        areas = drawn(layer, source)
        return Mask(layer.name, lambda: areas.inside(shape))
    data, name = values(layer), layer.name
    index = _index(tuple(data.shape), source, letters)

    def draw() -> NDArray[np.bool_]:
        array = np.asarray(data)
        _check_two_values(array, name)
        return np.broadcast_to((array != 0)[index], shape)

    return Mask(name, draw if not _is_labels(layer) else _drawn_labels(data, index, shape))


def lies_elsewhere(layer: Layer, source: Image) -> bool:
    """Say whether a layer of labels lies elsewhere than the source it fits pixel by pixel."""
    from napari.layers import Shapes

    if isinstance(layer, Shapes):
        return False
    shape = values(layer).shape
    count = min(layer.ndim, source.ndim)
    corners = np.array([np.zeros(count), np.array(shape, float)[-count:] - 1])
    step = float(np.abs(source.scale[-count:]).min())

    def placed(each: Layer, corner: NDArray[Any]) -> NDArray[Any]:
        padded = np.concatenate([np.zeros(each.ndim - count), corner])
        return np.array(each.data_to_world(padded))[-count:]

    apart = [placed(layer, corner) - placed(source, corner) for corner in corners]
    return bool(np.abs(apart).max() > 0.01 * step)


def _drawn_labels(
    data: NDArray[Any], index: tuple[slice | None, ...], shape: tuple[int, ...]
) -> Callable[[], NDArray[np.bool_]]:
    return lambda: np.broadcast_to((np.asarray(data) != 0)[index], shape)


def _is_labels(layer: Layer) -> bool:
    from napari.layers import Labels

    return isinstance(layer, Labels)


def _shape(source: Image) -> tuple[int, ...]:
    """Return the shape of a layer's array without colours."""
    shape = tuple(int(size) for size in values(source).shape)
    return shape[:-1] if source.rgb else shape


def _index(shape: tuple[int, ...], source: Image, letters: str | None) -> Any:
    """Return what gives an array of this shape the source's axes; None where it does not fit."""
    whole = _shape(source)
    letters = FURTHER * (len(whole) - 2) + "yx" if letters is None else letters
    for kept in _kept(letters[: len(whole)]):
        if shape == tuple(size for size, keep in zip(whole, kept, strict=True) if keep):
            return tuple(slice(None) if keep else None for keep in kept)
    return None


def _kept(letters: str) -> Iterator[tuple[bool, ...]]:
    """Yield which axes a mask may have: all of them, then without images to take one by one."""
    batch = [axis for axis, letter in enumerate(letters) if letter in _BATCH]
    for count in range(len(batch) + 1):
        for out in itertools.combinations(batch, count):
            yield tuple(axis not in out for axis in range(len(letters)))


def _has_two_values(data: Any) -> bool:
    if data.dtype == bool:
        return True
    # What is lazy or on disk would have to be read first.
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "uif" or not data.size:
        return False
    few = data[(slice(None, None, max(data.shape[0] // 8, 1)),)].flat[:_FEW]
    return len(np.unique(few)) <= 2 and _are_two_values(_some(data))


def _some(data: NDArray[Any]) -> NDArray[Any]:
    steps = max(int((data.size / _PIXELS) ** (1 / data.ndim)), 1)
    return data[(slice(None, None, steps),) * data.ndim]


def _are_two_values(array: NDArray[Any]) -> bool:
    high = array.max()
    return bool(array.min() == 0 < high and ((array == 0) | (array == high)).all())


def _check_two_values(array: NDArray[Any], name: str) -> None:
    if array.dtype != bool and not _are_two_values(array):
        raise ValueError(f"{name!r} cannot be the mask: it does not hold 0 and one other value.")
