"""What a layer's axes are: read from its labels, scale and units, and folded for the loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.axis_names import FURTHER as FURTHER
from napari_diffusion.core.axis_names import axis_letters, letter_of
from napari_diffusion.core.grid import CANONICAL, SPATIAL

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray
    from pint import Unit


def axes_of(layer: Image) -> str:
    """Return one letter of "tczyx" per axis of a layer's array; "?" marks any further axis.

    Axes whose label says nothing are read as yx, zyx, tzyx or tczyx, as many as there are.
    """
    usual = "tzyx" if layer.rgb or layer.ndim == 4 else CANONICAL
    letters = axis_letters([str(label) for label in layer.axis_labels], usual[-layer.ndim :])
    return letters.replace("c", FURTHER) + "c" if layer.rgb else letters


def is_unnamed(label: str) -> bool:
    """Say whether a label says nothing of its axis, such as the number that napari gives it."""
    return letter_of(str(label)) is None


def along_of(axes: str) -> str:
    """Return the axes that diffuse unless the user says otherwise: the spatial ones."""
    return "".join(axis for axis in axes if axis in SPATIAL)


def spacing_of(layer: Image, axes: str, along: str) -> tuple[float, ...]:
    """Return the pixel size per axis of `along`, in the unit of the last one."""
    lengths = _lengths(layer)
    units = layer.units
    reference = units[axes.index(along[-1])] if along else None
    return tuple(
        _converted(float(lengths[axes.index(axis)]), units[axes.index(axis)], reference)
        for axis in along
    )


def unit_of(layer: Image, axes: str, along: str) -> str:
    """Return the short name of the unit that `spacing_of` gives lengths in."""
    return f"{layer.units[axes.index(along[-1])]:~P}" if along else ""


def _lengths(layer: Image) -> NDArray[Any]:
    matrix = layer.affine.linear_matrix
    if np.array_equal(matrix, np.eye(len(matrix))):
        return np.abs(layer.scale)
    # The affine may scale on top of the layer's own scale: lengths are measured in the world.
    return np.linalg.norm(matrix @ (layer.rotate * layer.scale), axis=0)


def _converted(length: float, unit: Unit, reference: Unit | None) -> float:
    if unit == reference or not unit.is_compatible_with(reference):
        return length
    # The registry's factors carry rounding of their own: 1 µm would be 999.9999999999999 nm.
    return float(f"{(length * unit).to(reference).magnitude:.12g}")


@dataclass(frozen=True)
class Fold:
    """Folds further axes into t, and back.

    Attributes
    ----------
    letters : str
        One letter per axis of the array; "?" is a further axis.
    shape : tuple of int
        Extent of the array.
    """

    letters: str
    shape: tuple[int, ...]

    @property
    def axes(self) -> str:
        """The axes of the folded array."""
        if FURTHER not in self.letters:
            return self.letters
        return "t" + "".join(letter for letter in self.letters if letter not in (FURTHER, "t"))

    def without(self, letter: str) -> Fold:
        """Return the fold of an array that lacks one axis."""
        kept = [i for i, each in enumerate(self.letters) if each != letter]
        shape = tuple(self.shape[i] for i in kept)
        return Fold("".join(self.letters[i] for i in kept), shape)

    @property
    def _first(self) -> list[int]:
        further = [i for i, letter in enumerate(self.letters) if letter == FURTHER]
        return further + [i for i, letter in enumerate(self.letters) if letter == "t"]

    @property
    def _rest(self) -> list[int]:
        return [i for i in range(len(self.letters)) if i not in self._first]

    def folded(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array (numpy or dask) with its further axes and t as one leading axis."""
        if FURTHER not in self.letters:
            return array
        moved = array.transpose(self._first + self._rest)
        count = math.prod(self.shape[i] for i in self._first)
        return moved.reshape((count, *moved.shape[len(self._first) :]))

    def unfolded(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a folded array, or a region of it, with its axes as they were."""
        if FURTHER not in self.letters:
            return array
        whole = math.prod(self.shape[i] for i in self._first)
        first = [self.shape[i] if array.shape[0] == whole else 1 for i in self._first]
        moved = array.reshape((*first, *array.shape[1:]))
        return moved.transpose(np.argsort(self._first + self._rest).tolist())

    def region(self, slices: tuple[slice, ...]) -> tuple[slice, ...]:
        """Return a region of the array as one of the folded array.

        Of the folded axes it takes one position or all of them.
        """
        if FURTHER not in self.letters:
            return slices
        folded = [slices[i] for i in self._first]
        sizes = [self.shape[i] for i in self._first]
        first = slice(0, math.prod(sizes))
        if all(part.stop - part.start == 1 for part in folded):
            place = int(np.ravel_multi_index([part.start for part in folded], sizes))
            first = slice(place, place + 1)
        return (first, *(slices[i] for i in self._rest))
