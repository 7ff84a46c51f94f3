"""What writes the steps of a run, by the extension of the output."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord

FOLDER = ""

# What writes one image, or all steps of a run: "module:class".
_WRITERS = {
    ".ome.zarr": "ome_zarr.writer:ZarrWriter",
    ".zarr": "ome_zarr.writer:ZarrWriter",
    ".ome.tiff": "tiff.writer:TiffWriter",
    ".ome.tif": "tiff.writer:TiffWriter",
    ".tiff": "tiff.writer:TiffWriter",
    ".tif": "tiff.writer:TiffWriter",
    ".mrc": "formats.mrc_writer:MrcWriter",
    ".nii.gz": "formats.nifti_writer:NiftiWriter",
    ".nii": "formats.nifti_writer:NiftiWriter",
    ".npy": "npy_writer:NpyWriter",
    FOLDER: "tiff.folder_writer:FolderWriter",
}
_IMAGEJ = "tiff.imagej_writer:ImageJWriter"
_RUN, _STACK = "ome_zarr.writer:ZarrRunWriter", "ome_zarr.writer:ZarrStackWriter"

#: Extensions and so formats; none at all asks for a folder of OME-TIFF files.
ENDINGS = tuple(ending for ending in _WRITERS if ending)

#: Formats of one image.
SINGLE = (".mrc", ".nii.gz", ".nii")


class Writer(Protocol):
    """Writes steps in one format, each as it comes."""

    #: Whether steps can be read without a last word.
    separate: bool

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write the next step; if that fails, those before stay whole."""

    def finish(self, record: StepRecord) -> None:
        """Complete the file with the steps written so far, however many."""

    def close(self) -> None:
        """Close open files, complete or not."""


class RunWriter(Writer, Protocol):
    """Writes many steps, and goes on behind those that an earlier run has written."""

    #: How many steps of an unfinished output are whole.
    kept: int

    def image(self, index: int) -> NDArray[Any]:
        """Return a whole step, not read yet, in the order of the source's axes."""


def step_writer(
    path: Path,
    ending: str,
    source: Source,
    dtype: DTypeLike,
    count: int,
    *,
    stack: bool = False,
    imagej: bool = False,
    whole: Sequence[StepRecord] = (),
    durable: bool = False,
) -> Writer:
    """Return what writes the steps of a run; it begins the file, or goes on with it.

    Parameters
    ----------
    path, ending : path, str
        Where, and the extension that chooses the format.
    source : Source
        Axes, pixel sizes and unit of the steps.
    dtype : dtype
        Type of the values written.
    count : int
        How many steps are to come.
    stack, imagej : bool
        Whether an OME-Zarr is one image, and a .tif a hyperstack of ImageJ.
    whole : sequence of StepRecord
        The records of the steps that an earlier run has written.
    durable : bool
        Whether each step is to stay after a loss of power.

    Raises
    ------
    ValueError
        If the format needs a package that is not installed.
    """
    chosen = _WRITERS[ending]
    if ending.endswith("zarr") and count > 1:
        chosen = _STACK if stack else _RUN
    if imagej:
        chosen = _IMAGEJ
    module, _, name = chosen.partition(":")
    more: dict[str, Any] = {"whole": whole, "durable": durable} if count > 1 else {}
    try:
        made = getattr(importlib.import_module(f"napari_diffusion.io.{module}"), name)
        return cast("Writer", made(path, source, dtype, count, **more))
    except ImportError as error:
        if ending not in SINGLE:
            raise
        raise ValueError(
            f"{path.name!r} needs the package {error.name}: pip install "
            '"napari-diffusion[formats]".'
        ) from error
