"""Reads the image files that packages ship."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

# What gzip hides: the size and the type of the one raw file, a slice of a head.
_RAW = (256, 256), ">u2"


def decoded(file: Path) -> Any:
    """Return the array in a file."""
    match "".join(file.suffixes[-2:]):
        case ".dcm":
            import pydicom

            return pydicom.dcmread(file).pixel_array
        case ".nii" | ".nii.gz":
            import nibabel

            return nibabel.load(file).dataobj
        case ".npy":
            return np.load(file, allow_pickle=False)
        case ".npz":
            with np.load(file, allow_pickle=False) as kept:
                return kept["data" if "data" in kept.files else "elevation"]
        case ".ima.gz":
            shape, kind = _RAW
            return np.frombuffer(gzip.decompress(file.read_bytes()), kind).reshape(shape)
        case ".dat":
            # Two numbers say how many rows and columns follow.
            rows_columns = np.fromfile(file, "<u4", 2)
            return np.fromfile(file, "<f8", offset=8).reshape(rows_columns)
        case _:
            from skimage.io import imread

            return imread(file)
