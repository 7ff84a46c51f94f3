"""The images of all benchmarks: what each may be used for, and that it is what it was."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images.decoding import decoded
from benchmarks.images.photograph import Kind, Photograph, Role
from benchmarks.images.table import PARTS, PHOTOGRAPHS

__all__ = [
    "PARTS",
    "PHOTOGRAPHS",
    "Kind",
    "Photograph",
    "Role",
    "digest_of",
    "file_of",
    "is_here",
    "load",
    "middle",
    "part",
    "photograph",
    "photographs",
    "reported",
]

# Side of the parts that benchmarks take.
SIDE = 256

# How a package is called where it is installed.
_PROJECTS = {
    "data_store": "pydicom-data",
    "mvtbdata": "mvtb-data",
    "ndev_sampledata": "ndev-sampledata",
    "pywt": "PyWavelets",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


def photographs(role: Role, kind: Kind | None = None) -> tuple[Photograph, ...]:
    """Return the photographs of a role, of all packages or of one kind, here or not."""
    return tuple(p for p in PHOTOGRAPHS if p.role == role and kind in (None, p.kind))


def photograph(name: str) -> Photograph:
    """Return the photograph that a name or the name of a part means."""
    wanted = PARTS[name].photograph if name in PARTS else name
    for each in PHOTOGRAPHS:
        if each.name == wanted:
            return each
    raise KeyError(
        f"benchmarks.images has no {name!r}; it has {sorted(p.name for p in PHOTOGRAPHS)}"
    )


def is_here(name: str) -> bool:
    """Say whether the package that ships a photograph is installed; nothing is imported."""
    return importlib.util.find_spec(photograph(name).package) is not None


def file_of(name: str) -> Path:
    """Return the file of a photograph."""
    chosen = photograph(name)
    spec = importlib.util.find_spec(chosen.package)
    if spec is None or spec.origin is None:
        project = _PROJECTS.get(chosen.package, chosen.package)
        raise ModuleNotFoundError(
            f"The image {chosen.name!r} ships with {project}, which is not installed: "
            f"pip install {project}."
        )
    return Path(spec.origin).parent / chosen.path


@functools.cache
def load(name: str) -> Any:
    """Return all that the file of a photograph holds, read-only, if it is what it was."""
    chosen = photograph(name)
    values = np.asarray(decoded(file_of(name)))
    found = digest_of(values)
    if found != chosen.digest:
        raise ValueError(
            f"The image {chosen.name!r} ({chosen.package}, {chosen.path}) is not what was "
            f"measured: its SHA-256 is {found}, that in benchmarks/images {chosen.digest}. Install "
            f"the version of {chosen.package}, or of its decoder, that was measured with, or "
            "measure again and change the table."
        )
    values.flags.writeable = False
    return values


def digest_of(values: Any) -> str:
    """Return SHA-256 of an array: of its type, its shape and its values in little-endian order."""
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    start = f"{plain.dtype.str} {plain.shape}".encode()
    return hashlib.sha256(start + plain.tobytes()).hexdigest()


def part(name: str, colour: bool = False) -> Any:
    """Return a part of a photograph of at most 256², float32, bytes from 0 to 1.

    Other types are divided by their 0.999 quantile. Without `colour` colours become grey.
    """
    values = _intensities(name, colour)
    if name in PARTS:
        y, x = PARTS[name].start
        return np.ascontiguousarray(values[y : y + SIDE, x : x + SIDE], np.float32)
    return _middle(values, SIDE)


def middle(name: str, side: int) -> Any:
    """Return the middle of a photograph in grey, at most `side` pixels along each axis."""
    return _middle(_intensities(name, False), side)


def reported(side: int, least: int) -> list[str]:
    """Return the images for reporting that are here, whose middle has `least` pixels an axis."""
    found = [each.name for each in photographs("report") if is_here(each.name)]
    return [name for name in found if min(middle(name, side).shape) >= least]


def _middle(values: Any, side: int) -> Any:
    y, x = (max((n - side) // 2, 0) for n in values.shape[:2])
    return np.ascontiguousarray(values[y : y + side, x : x + side], np.float32)


def _intensities(name: str, colour: bool) -> Any:
    """Return a photograph whole, bytes from 0 to 1, others divided by their 0.999 quantile."""
    from skimage import color

    chosen = photograph(name)
    image = load(chosen.name)[chosen.plane]
    in_colour = image.ndim == 3
    if image.dtype != np.uint8:
        return image / np.quantile(image, 0.999)
    if in_colour:
        image = image[..., :3]
    return color.rgb2gray(image) if in_colour and not colour else image / 255.0
