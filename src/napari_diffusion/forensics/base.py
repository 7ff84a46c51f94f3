"""The base class of traces: components that read from an image what was done to it."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, final

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.threads import Threads
from napari_diffusion.forensics.trace_facts import Need as Need
from napari_diffusion.forensics.trace_facts import Null as Null
from napari_diffusion.forensics.trace_facts import TraceFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.forensics.reading import Reading

# Weights of red, green and blue in brightness.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is inspected.

    Attributes
    ----------
    image : Image
        In memory; float32 or float64, whole numbers 0 … 255 for 8-bit images.
    dtype : dtype
        Type of the values as given, before they became floating-point.
    reference : Image or None
        Another image: of the same source, or one that may share parts.
    file : Path or None
        The file of the image, where it is known.
    reference_file : Path or None
    stop : StopToken or None
        Once set, `Stopped` is raised.
    """

    image: Image
    dtype: np.dtype[Any]
    reference: Image | None = None
    file: Path | None = None
    reference_file: Path | None = None
    stop: StopToken | None = None

    @property
    def threads(self) -> Threads:
        """What shares tiles, and polls the stop token."""
        return Threads(stop=self.stop)

    def planes(self) -> Iterator[tuple[tuple[int, ...], NDArray[np.float64]]]:
        """Yield (index, brightness) of every plane y, x of the image; see `planes_of`."""
        yield from planes_of(self.image)


def plane_count(image: Image) -> int:
    """Return how many planes `planes_of` yields."""
    frames, channels, depth = image.data.shape[:3]
    return frames * depth * (1 if image.grid.rgb else channels)


def planes_of(image: Image) -> Iterator[tuple[tuple[int, ...], NDArray[np.float64]]]:
    """Yield (index, brightness) of every plane y, x of an image.

    The index is along the axes before y and x (t, c, z) that the image has, without c for RGB.
    Brightness is 0.299 R + 0.587 G + 0.114 B.
    """
    grid, data = image.grid, image.data
    if grid.rgb:
        weights = np.array(_LUMA)[None, :, None, None, None]
        data = (data[:, :3].astype(np.float64) * weights).sum(axis=1, keepdims=True)
    named = [a for a in "tcz" if a in grid.axes and not (a == "c" and grid.rgb)]
    for index in np.ndindex(*data.shape[:3]):
        place = tuple(n for a, n in zip("tcz", index, strict=True) if a in named)
        yield place, np.ascontiguousarray(data[index], np.float64)


@dataclass(frozen=True)
class Trace(TraceFacts, abc.ABC):
    """A trace of processing, read from an image: ``Levels()(image)`` returns a `Reading`.

    It shows evidence, with its null and its innocent causes. It never pronounces a verdict.
    """

    @final
    def why_not(self, evidence: Evidence) -> str:
        """Return why this trace cannot be read here, in a sentence; empty where it can."""
        image = evidence.image
        if "file" in self.needs and evidence.file is None:
            return "It is read from the file, and the file of this image is not known."
        if "second image" in self.needs and evidence.reference is None:
            return "It compares with a second image: choose a reference."
        if "frames" in self.needs and image.grid.shape[0] < 3:
            cure = (
                "if z is time, name the axes tyx" if image.grid.shape[2] > 2 else "open a sequence"
            )
            return f"It needs 3 frames or more along t (got {image.grid.shape[0]}): {cure}."
        return self.worthless(evidence)

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read in this image, in a sentence; empty where there is.

        Such as an image without noise for a trace of noise. Quick: it greys a button.
        """
        del evidence
        return ""

    @abc.abstractmethod
    def read(self, evidence: Evidence) -> Reading:
        """Return what is read; only called where `why_not` is empty."""

    @final
    def __call__(
        self,
        image: ArrayLike | Image,
        *,
        reference: ArrayLike | Image | None = None,
        file: str | Path | None = None,
        reference_file: str | Path | None = None,
        stop: StopToken | None = None,
        **options: Unpack[GridOptions],
    ) -> Reading:
        """Read this trace from an image.

        Parameters
        ----------
        image : array_like
            2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
        reference : array_like, optional
            A second image with the same axes, of any size.
        file, reference_file : path, optional
            The files of both, where a trace needs them. Never written.
        stop : StopToken, optional
            Once set, `Stopped` is raised.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.

        Raises
        ------
        ValueError
            Where it cannot be read, with the reason.
        """
        evidence = evidence_of(image, reference, file, reference_file, stop, **options)
        if why := self.why_not(evidence):
            raise ValueError(f"{self.display_name} cannot be read. {why}")
        return self.read(evidence)


def evidence_of(
    image: ArrayLike | Image,
    reference: ArrayLike | Image | None = None,
    file: str | Path | None = None,
    reference_file: str | Path | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Evidence:
    """Read in what is inspected; see `Trace.__call__` for the parameters."""
    if is_dask(image) or is_dask(reference):
        raise ValueError("Traces are read in memory: give image.compute(), or a part of it.")
    other = None if reference is None else Image.of(reference, **options)
    own = np.asarray(image.data if isinstance(image, Image) else image)
    first, second = (None if each is None else Path(each) for each in (file, reference_file))
    return Evidence(Image.of(image, **options), own.dtype, other, first, second, stop)
