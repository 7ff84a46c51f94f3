"""Archives of arrays, .npz files from anyone: nothing is run, and no more read than fits."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.npy_file import values_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: What a file, and all that it holds, may have in bytes.
MOST_BYTES = 4 << 20


def archived(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> bytes:
    """Return a file of arrays, always the same bytes for the same arrays.

    Parameters
    ----------
    arrays : dict of ndarray
    about : dict
        Plain values that say what they were learned from, how, and how well they hold.
    """
    said = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
    arrays = {**arrays, "about": said}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, arrays[name], allow_pickle=False)
            # A date of its own would give other bytes to the same weights.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED
            )
    return stream.getvalue()


def read_bytes(path: Path) -> bytes:
    """Return what a file of weights holds.

    Raises
    ------
    ValueError
        If it is larger than any weights.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{str(path)!r} is larger than {MOST_BYTES} bytes: it holds no weights.")
    return data


def arrays_in(data: bytes, name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays in the bytes of a file, none larger than what is there.

    Raises
    ------
    ValueError
        If it is no archive of arrays, or unpacks to more than any weights.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(each.file_size for each in members) > MOST_BYTES:
                raise ValueError(f"it unpacks to more than {MOST_BYTES} bytes")
            for each in members:
                with archive.open(each) as member:
                    held = member.read(MOST_BYTES + 1)
                key = each.filename.removesuffix(".npy")
                arrays[key] = values_in(io.BytesIO(held), len(held), each.filename)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise ValueError(f"{name} is no file of weights: {error}.") from error
    return arrays


def about_in(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return what a file says about itself; raise if that is no object of plain values."""
    about = json.loads(arrays["about"].tobytes().decode())
    if not isinstance(about, dict):
        raise TypeError("what they say about themselves is no object")
    return about
