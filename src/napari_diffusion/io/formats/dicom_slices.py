"""Where the slices of a DICOM series lie, and how they stack to a volume."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import warn

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray
    from pydicom import Dataset

# Positions are written with a few decimals, in millimetres.
_DIGITS = 3

# Beyond these parts of their distance slices are unequally spaced, and missing.
_UNEQUAL, _MISSING = 0.01, 1.5


@dataclass(frozen=True, eq=False)
class Slice:
    """One frame of one file.

    Attributes
    ----------
    file, frame : int
        Where it is.
    number : float
        What it is sorted by where it has no position.
    position : ndarray or None
        Of its first pixel, in the patient's coordinates, in millimetres.
    directions : ndarray or None
        Two rows: where the next column and the next row lie.
    slope, intercept : float
        Of the intensities.
    """

    file: int
    frame: int
    number: float
    position: NDArray[np.float64] | None
    directions: NDArray[np.float64] | None
    slope: float
    intercept: float


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in the order of a volume, or of several volumes.

    Attributes
    ----------
    slices : list of Slice
        All slices of the first time before those of the second.
    times : int
        How many images there are at each position.
    distance : float or None
        From one position to the next, in millimetres.
    remarks : tuple of str
        What is incomplete.
    """

    slices: list[Slice]
    times: int = 1
    distance: float | None = None
    remarks: tuple[str, ...] = ()


def slices_in(tags: Dataset, file: int, frames: int) -> list[Slice]:
    """Return the slices of a file."""
    dose = numbers(tags, "DoseGridScaling", 1)
    offsets = numbers(tags, "GridFrameOffsetVector", frames)
    found = []
    for frame in range(frames):
        position = numbers(_group(tags, frame, "PlanePosition"), "ImagePositionPatient", 3)
        six = numbers(_group(tags, frame, "PlaneOrientation"), "ImageOrientationPatient", 6)
        directions = None if six is None else six.reshape(2, 3)
        if position is not None and directions is not None and offsets is not None:
            position = position + np.cross(*directions) * (offsets[frame] - offsets[0])
        values = _group(tags, frame, "PixelValueTransformation")
        slope = numbers(values, "RescaleSlope", 1) if dose is None else dose
        intercept = numbers(values, "RescaleIntercept", 1)
        number = numbers(tags, "InstanceNumber", 1)
        found.append(
            Slice(
                file=file,
                frame=frame,
                number=frame if number is None or frames > 1 else float(number[0]),
                position=position,
                directions=directions,
                slope=1.0 if slope is None else float(slope[0]),
                intercept=0.0 if intercept is None else float(intercept[0]),
            )
        )
    return found


def numbers(tags: Dataset, keyword: str, count: int) -> NDArray[np.float64] | None:
    """Return the finite numbers of a tag; None if it does not have that many."""
    try:
        found = np.atleast_1d(np.array(tags.get(keyword), float))
    except Exception:
        # pydicom converts when asked, and raises what it meets.
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() else None


def stacked(name: str, slices: list[Slice]) -> Stack:
    """Return slices by their position along the normal, or by their number without positions."""
    numbered = sorted(slices, key=lambda each: each.number)
    first = slices[0].directions
    if len(slices) == 1 or first is None or any(each.position is None for each in slices):
        return Stack(numbered)
    if any(each.directions is None or not np.allclose(each.directions, first, atol=1e-3)
           for each in slices):  # fmt: skip
        raise NotReadable(f"{name!r} holds slices of several orientations: read one series only.")
    heights = [_height(each, first) for each in numbered]
    counts = Counter(heights)
    times = counts[heights[0]]
    if len(set(counts.values())) > 1:
        raise NotReadable(
            f"{name!r} holds {min(counts.values())} to {max(counts.values())} images at each of "
            f"{len(counts)} positions: these are no volumes."
        )
    if times > 1 and len(counts) > 1:
        warn(name, f"holds {times} images at each of {len(counts)} positions: read as t.")
    # Sorting is stable: at one position the order is that of the numbers.
    order = sorted(range(len(numbered)), key=heights.__getitem__)
    volumes = [
        numbered[order[n]] for start in range(times) for n in range(start, len(order), times)
    ]
    return _spaced(name, volumes, times, sorted(counts), first)


def _height(each: Slice, directions: NDArray[np.float64]) -> float:
    assert each.position is not None
    return round(float(each.position @ np.cross(*directions)), _DIGITS)


def _spaced(
    name: str,
    slices: list[Slice],
    times: int,
    heights: Sequence[float],
    directions: NDArray[np.float64],
) -> Stack:
    """Return the stack with the distance of its slices; warn of missing and unequal ones."""
    if len(heights) == 1:
        return Stack(slices, times)
    steps = np.diff(heights)
    distance = float(np.median(steps))
    wide = steps > _MISSING * distance
    missing = int(np.sum(np.rint(steps[wide] / distance) - 1))
    remarks = []
    if missing:
        remarks.append(
            f"{missing} of {len(heights) + missing} slices are missing: those beside a gap are "
            "treated as neighbours."
        )
        warn(name, f"is incomplete: {remarks[0]}")
    if np.any(np.abs(steps[~wide] - distance) > _UNEQUAL * distance + 10**-_DIGITS):
        said = f"{steps.min():g} to {steps.max():g} mm"
        warn(name, f"has slices at distances of {said}: {distance:g} mm is used.")
    first, last = slices[0].position, slices[len(heights) - 1].position
    assert first is not None
    assert last is not None
    if np.abs(directions @ (last - first)).max() > _UNEQUAL * (heights[-1] - heights[0]):
        warn(name, "has slices that are shifted sideways: the shift is not applied.")
    return Stack(slices, times, distance, tuple(remarks))


def place_of(name: str, first: Slice) -> dict[str, float]:
    """Return the place of a slice in millimetres, if x, y and z are those of the patient."""
    if first.position is None or first.directions is None:
        return {}
    if np.allclose(first.directions, np.eye(3)[:2], atol=1e-4):
        return dict(zip("xyz", map(float, first.position), strict=True))
    warn(
        name, "lies turned in space: its orientation and its position are only kept in .nii files."
    )
    return {}


def affine_header(first: Slice, placed: Collection[str]) -> dict[str, Any]:
    """Return the affine of NIfTI to the patient, but for sizes, and for places along `placed`.

    In DICOM x leads to the left and y to the back of a patient; in NIfTI both are opposite.
    """
    if first.position is None or first.directions is None:
        return {}
    affine = np.eye(4)
    affine[:3, :3] = np.vstack([first.directions, np.cross(*first.directions)]).T
    affine[:3, 3] = [
        0 if axis in placed else at for axis, at in zip("xyz", first.position, strict=True)
    ]
    return {"affine": np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine}


def _group(tags: Dataset, frame: int, name: str) -> Any:
    """Return the tags of a functional group of an enhanced file; all tags of any other."""
    for keyword, item in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        groups = tags.get(keyword) or ()
        if item < len(groups) and groups[item].get(f"{name}Sequence"):
            return groups[item].get(f"{name}Sequence")[0]
    return tags


def pixel_spacing(name: str, tags: Dataset) -> NDArray[np.float64] | None:
    """Return the pixel sizes along y and x in millimetres."""
    found = numbers(_group(tags, 0, "PixelMeasures"), "PixelSpacing", 2)
    if found is not None:
        return found
    found = numbers(tags, "ImagerPixelSpacing", 2)
    if found is not None:
        warn(name, "has the pixel size at its detector only: structures may be magnified.")
    return found


def spacing_between(tags: Dataset) -> float | None:
    """Return the distance of slices without positions."""
    found = numbers(_group(tags, 0, "PixelMeasures"), "SpacingBetweenSlices", 1)
    return None if found is None or math.isclose(found[0], 0) else float(found[0])
