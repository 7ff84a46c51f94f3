"""What is inspected: a layer, and a reference that is a layer or a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics import evidence_of
from napari_diffusion.io.reader import read_image
from napari_diffusion.widgets.layers.layer_axes import FURTHER, Fold, axes_of
from napari_diffusion.widgets.layers.layer_files import file_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import threading

    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.forensics import Evidence, TraceMap
    from napari_diffusion.widgets.source.run_source import RunSource

# Bytes that traces work in, for each value of an image.
_BYTES = 24


@dataclass(frozen=True, eq=False)
class Reference:
    """What an image is compared with; nothing in it changes when layers do.

    Attributes
    ----------
    name : str
        Of the layer or of the file.
    data, fold, rgb
        The values of a layer, and how they are read; None for a file, which is read when needed.
    file : Path or None
        The file, or the one that the layer was read from.
    style : LayerStyle or None
        Where the layer lies; None for a file.
    """

    name: str
    data: Any = None
    fold: Fold | None = None
    rgb: bool = False
    file: Path | None = None
    style: LayerStyle | None = None

    @classmethod
    def of(cls, chosen: Image | Path) -> Reference:
        """Read what was chosen, a layer or a file."""
        if isinstance(chosen, Path):
            return cls(chosen.name, file=chosen)
        data = values(chosen)
        fold = Fold(axes_of(chosen), tuple(int(size) for size in data.shape))
        style = LayerStyle.of(chosen)
        return cls(chosen.name, data, fold, bool(chosen.rgb), file_of(chosen), style)

    def read(self, axes: str, rgb: bool) -> NDArray[Any]:
        """Return the values in the axes of the image; ValueError says why they do not fit."""
        if self.fold is None:
            assert self.file is not None
            source = read_image(self.file, lazy=False)
            found = np.asarray(source.image)
            own = source.axes or "tczyx"[-found.ndim :]
            is_rgb = bool(source.rgb)
        else:
            found, own = self.fold.folded(np.array(self.data)), self.fold.axes
            is_rgb = self.rgb
        if own != axes or is_rgb != rgb:
            words = [f"{a}{' in colours' if c else ''}" for a, c in ((own, is_rgb), (axes, rgb))]
            raise ValueError(
                f"The reference {self.name!r} has the axes {words[0]}, and the image {words[1]}: "
                "choose one with the same axes."
            )
        return found


@dataclass(frozen=True, eq=False)
class Inspected:
    """A layer to inspect; nothing in it changes when layers do.

    Attributes
    ----------
    source : RunSource
        The layer, as its axes are read, and the part of it that is wanted.
    name : str
        Of the layer.
    style : LayerStyle
        Where what is found lies.
    file : Path or None
        The file that the layer was read from.
    reference : Reference or None
    """

    source: RunSource
    name: str
    style: LayerStyle
    file: Path | None = None
    reference: Reference | None = None

    @classmethod
    def of(cls, source: RunSource, chosen: Image | Path | None) -> Inspected:
        """Take a source and a reference as they are now."""
        (layer,) = source.layers
        reference = None if chosen is None else Reference.of(chosen)
        return cls(source, layer.name, source.styles[0], file_of(layer), reference)

    @property
    def letters(self) -> str:
        """One letter per axis of the layer."""
        letters = self.source.fold.letters
        return letters.removesuffix("c") if self.rgb else letters

    @property
    def rgb(self) -> bool:
        """Whether the layer holds colours."""
        return bool(self.source.options["rgb"])

    def evidence(self, stop: threading.Event) -> Evidence:
        """Read what is inspected; a thread does so. ValueError says what is wrong."""
        source = self.source
        self._check_memory()
        fold, options = source.fold, {**source.options}
        array = fold.folded(np.array(source.data))
        if source.region is not None:
            array = array[fold.region(source.region)]
        reference = other = None
        if self.reference is not None:
            reference = self.reference.read(fold.axes, self.rgb)
            other = self.reference.file
        return evidence_of(array, reference, self.file, other, stop, **options)

    def in_layer(self, shown: TraceMap) -> NDArray[Any]:
        """Return the values of a map in the axes of the layer."""
        fold = self.source.fold.without("c") if self.rgb else self.source.fold
        return np.asarray(fold.unfolded(np.asarray(shown.values, float)))

    def corners(self, outline: NDArray[Any], plane: tuple[int, ...]) -> NDArray[Any]:
        """Return the corners of an outline in a plane, with a coordinate for every axis."""
        return corners(self.letters, self.source.fold.shape, outline, plane)

    def _check_memory(self) -> None:
        part = self.source.region or ()
        shape = [each.stop - each.start for each in part] or list(self.source.fold.shape)
        needed, free = int(np.prod(shape)) * _BYTES, memory.free_memory()
        if needed > free:
            raise RunError(
                "source",
                f"Traces of {self.name!r} need about {memory.written_bytes(needed)}, and "
                f"{memory.written_bytes(free)} are free: choose the visible region under Advanced.",
            )


def corners(
    letters: str, shape: tuple[int, ...], outline: NDArray[Any], plane: tuple[int, ...]
) -> NDArray[Any]:
    """Return the corners of an outline with a coordinate for every axis of a layer.

    Parameters
    ----------
    letters : str
        One letter per axis; the further ones and t are one axis of the plane, see `Fold`.
    shape : tuple of int
        Extent of the axes.
    outline : ndarray
        Columns y, x.
    plane : tuple of int
        The place along t, c, z, as far as they are there; short ones begin at 0.
    """
    folded = [i for i, each in enumerate(letters) if each == FURTHER]
    folded += [i for i, each in enumerate(letters) if each == "t"]
    there = [each for each in "tcz" if each in letters or (each == "t" and folded)]
    at = dict(zip(there, plane, strict=False))
    found = np.zeros((len(outline), len(letters)))
    for axis, letter in enumerate(letters):
        if letter in "yx":
            found[:, axis] = outline[:, "yx".index(letter)]
        elif letter in at:
            found[:, axis] = at[letter]
    if len(folded) > 1:
        sizes = [shape[i] for i in folded]
        found[:, folded] = np.unravel_index(at.get("t", 0), sizes)
    elif folded:
        found[:, folded] = at.get("t", 0)
    return found
