"""What all traces read from one image, with the hash of what was inspected."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.forensics.limits import measured
from napari_diffusion.loop.registry import to_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.forensics.base import Evidence, Trace
    from napari_diffusion.forensics.reading import Reading

# So many remarks are shown.
_MOST_REMARKS = 8

# What there is one of at each place along an axis.
_MANY = {"t": "frame", "c": "channel", "z": "plane"}

#: Stands at the end of everything that shows readings.
ASK = (
    "What is read here says how an image differs from what is expected, not why. Ask for the "
    "original file, and for what was done to it."
)


@dataclass(frozen=True)
class Hashed:
    """An image that was inspected, and its SHA-256.

    Attributes
    ----------
    name : str
        Of the file or layer.
    sha256 : str
    of : {"file", "values"}
        What was hashed: the bytes of the file, or the values, as records of results do it.
    """

    name: str
    sha256: str
    of: str


@dataclass(frozen=True)
class NotRead:
    """A trace that could not be read, and why, in a sentence."""

    trace: Trace
    why: str


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was read from one image. It has no sum of its readings.

    Attributes
    ----------
    image : Image
        What was inspected.
    dtype : dtype
        Of its values as given, before they became floating-point.
    inspected : Hashed
    reference : Hashed or None
        What it was compared with.
    readings : tuple of Reading
        In the order of the traces.
    not_read : tuple of NotRead
    """

    image: Image
    dtype: np.dtype[Any]
    inspected: Hashed
    reference: Hashed | None = None
    readings: tuple[Reading, ...] = ()
    not_read: tuple[NotRead, ...] = ()

    @property
    def name(self) -> str:
        """Name of the file or layer."""
        return self.inspected.name

    def named(self, name: str) -> Inspection:
        """Return the same with another name."""
        return replace(self, inspected=replace(self.inspected, name=name))

    @property
    def what(self) -> str:
        """What was inspected, such as "5 planes of 160 × 160 pixels, uint16"."""
        grid = self.image.grid
        sizes = dict(zip(CANONICAL, grid.shape, strict=True))
        plane = " × ".join(str(sizes[axis]) for axis in grid.axes if axis in "yx")
        apart = [axis for axis in "tcz" if axis in grid.axes and not (axis == "c" and grid.rgb)]
        many = [f"{sizes[axis]} {_MANY[axis]}{'s' * (sizes[axis] != 1)}" for axis in apart]
        said = f"{' × '.join(many)} of {plane}" if many else plane
        kind = " in colour" * grid.rgb
        alpha = "; transparency is not inspected" * (self.image.alpha is not None)
        return f"{said} pixels{kind}, {self.dtype}{alpha}"

    @property
    def values(self) -> NDArray[Any]:
        """The image as it was given, without alpha."""
        return given_values(self.image, self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; no NaN, no maps."""
        found = self.inspected, self.reference
        inspected, reference = (None if each is None else vars(each) for each in found)
        return {
            "inspected": inspected,
            "what": self.what,
            "reference": reference,
            "readings": [reading_values(each) for each in self.readings],
            "not_read": [
                {"trace": type(each.trace).__name__, "why": each.why} for each in self.not_read
            ],
        }


def reading_values(reading: Reading) -> dict[str, Any]:
    """Return a reading as plain values, with its trace's parameters and what was measured of it."""
    parameters = to_dict(reading.trace)
    return reading.to_dict() | {"parameters": parameters, "measured": measured(reading.trace)}


def first_remarks(reading: Reading) -> tuple[str, ...]:
    """Return the remarks as a page shows them: of very many, such as one a plane, the first."""
    said = reading.sentences()
    left = len(said) - _MOST_REMARKS
    return (*said[:_MOST_REMARKS], *([f"And {left} more, in the JSON."] if left > 0 else []))


def inspect(
    evidence: Evidence,
    traces: Iterable[Trace],
    name: str,
    reference_name: str = "reference",
    progress: Callable[[Trace], None] | None = None,
) -> Inspection:
    """Read traces from an image.

    Parameters
    ----------
    evidence : Evidence
        See `evidence_of`.
    traces : iterable of Trace
        Those that cannot be read are kept with the reason.
    name, reference_name : str
        Of the two images.
    progress : callable, optional
        Takes each trace before it is read.

    Raises
    ------
    Stopped
        If the stop token of the evidence is set.
    """
    readings, left = [], []
    for trace in traces:
        if progress is not None:
            progress(trace)
        try:
            why = trace.why_not(evidence)
            if not why:
                readings.append(trace.read(evidence))
        except (ValueError, OSError) as error:  # of one trace, or a file that has gone
            why = str(error) or type(error).__name__
        if why:
            left.append(NotRead(trace, why))
    reference = None
    if evidence.reference is not None:
        reference = hashed(reference_name, evidence.reference, evidence.reference_file)
    inspected = hashed(name, evidence.image, evidence.file, evidence.dtype)
    return Inspection(
        evidence.image, evidence.dtype, inspected, reference, tuple(readings), tuple(left)
    )


def hashed(name: str, image: Image, file: Path | None, dtype: DTypeLike | None = None) -> Hashed:
    """Return the hash of a file, or of the values where there is no single file."""
    if file is not None and file.is_file():
        with file.open("rb") as opened:
            return Hashed(name, hashlib.file_digest(opened, "sha256").hexdigest(), "file")
    return Hashed(name, hash_of(given_values(image, dtype)), "values")


def given_values(image: Image, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Return an image in the order of its axes, and in a type."""
    values = image.grid.restored(image.data)
    return np.asarray(values if dtype is None else values.astype(dtype))
