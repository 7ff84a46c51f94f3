"""An array as a parameter: one value per pixel, compared by content."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_diffusion.core.image import computing_type
from napari_diffusion.core.npy_file import npy_values

# Larger arrays than this are not stored in a recipe's text, only the name of their file.
INLINE = 1024

# Those that a recipe can be written with.
_TYPES = ("float32", "float64", "float16", "longdouble", "float128", "float96")

# No compression makes real values so much smaller.
_MOST_COMPRESSED = 1000


class ArrayParameter:
    """An array as the value of a parameter of a frozen component.

    Two are equal if their values, shape and type are.

    Parameters
    ----------
    values : array_like or path
        Finite real numbers, or a .npy or .tif file with them.
    """

    def __init__(self, values: Any) -> None:
        self.file: str | None = None
        self._factor = 1.0
        self._whole: ArrayParameter | None = None
        if isinstance(values, str | Path):
            self.file, values = str(values), _read(Path(values))
        array = np.array(values, order="C")
        if array.dtype.kind not in "biuf" or not array.size:
            raise TypeError(
                f"An array parameter must hold real numbers (got {array.dtype} of shape "
                f"{array.shape})."
            )
        if not np.isfinite(array).all():
            raise ValueError("An array parameter must be finite: fill its NaN and infinite values.")
        self.values = array.astype(computing_type(array.dtype))
        self.values.flags.writeable = False

    @functools.cached_property
    def extremes(self) -> tuple[float, float]:
        """The least and the largest number."""
        return float(self.values.min()), float(self.values.max())

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of type, shape and numbers."""
        head = f"{self.values.dtype.str} {self.values.shape}".encode()
        return hashlib.sha256(head + self.values.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayParameter) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        where = f" of {self.file}" if self.file else ""
        return f"<Map{where}, shape {self.values.shape}, mean {self.values.mean():.4g}>"

    @property
    def is_written(self) -> bool:
        """Whether the text of a recipe can hold it: it is small, or has a file."""
        return self.values.size <= INLINE or self.file is not None

    def times(self, factor: float) -> ArrayParameter:
        """Return this array multiplied by a number; it remembers the file of the original."""
        if factor == 1:
            return self
        made = ArrayParameter(self.values * self.values.dtype.type(factor))
        made.file, made._factor = self.file, factor * self._factor
        made._whole = self._whole or self
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the numbers if they are few, else the name of the file."""
        if self.values.size <= INLINE:
            return {"values": self.values.tolist(), "dtype": self.values.dtype.name}
        if not self.is_written:
            raise ValueError(
                f"An array of {self.values.size} values is too long for the text of a recipe: "
                "save it with numpy.save and use the name of the file instead."
            )
        named = {"file": self.file, "sha256": (self._whole or self).sha256}
        return named if self._factor == 1 else {**named, "times": self._factor}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ArrayParameter:
        """Make one from plain values; raise if its file has changed since."""
        if "values" in values:
            return cls(np.array(values["values"], _type(values.get("dtype", "float64"))))
        if not isinstance(values.get("file"), str):
            raise ValueError(
                f'An array parameter must have "values" or a "file" (got {sorted(values)}).'
            )
        found = cls(values["file"])
        if values.get("sha256", found.sha256) != found.sha256:
            raise ValueError(
                f"{found.file} has changed since the recipe was written: use the original file."
            )
        times = values.get("times", 1.0)
        if isinstance(times, bool) or not isinstance(times, int | float):
            raise ValueError(f"The factor on {found.file} must be a number (got {times!r}).")
        return found.times(float(times))


def _type(name: object) -> np.dtype[Any]:
    """Return the type of a name; others than numbers could be of any size."""
    if name not in _TYPES:
        raise ValueError(f"An array parameter has one of the types {', '.join(_TYPES)}.")
    return np.dtype(str(name))


def _read(path: Path) -> Any:
    if path.suffix.lower() not in (".npy", ".tif", ".tiff"):
        raise ValueError(f"An array parameter must be a .npy or .tif file (got {str(path)!r}).")
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r} to read the array from.")
    if path.suffix.lower() == ".npy":
        return npy_values(path)
    try:
        return _tiff_values(path)
    except (MemoryError, OSError, ValueError):
        raise
    except Exception as error:
        # tifffile raises whatever it meets first in a broken file.
        raise ValueError(f"{str(path)!r} cannot be read: {error}.") from error


def _tiff_values(path: Path) -> Any:
    import tifffile

    # What a set continues in is not opened.
    alone: Any = dict.fromkeys(("is_ome", "is_mmstack", "is_ndtiff"), False)
    with tifffile.TiffFile(path, **alone) as file:
        series = file.series[0]
        declared, held = int(series.nbytes), path.stat().st_size
        if declared > _MOST_COMPRESSED * held:
            raise ValueError(
                f"{str(path)!r} declares {declared} bytes of values, but holds {held} bytes."
            )
        return series.asarray()
