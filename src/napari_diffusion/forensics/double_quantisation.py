"""Double quantisation: which blocks of a JPEG file were compressed once, and which twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

import numpy as np

from napari_diffusion.forensics.base import Evidence, Need, Null, Trace, plane_count
from napari_diffusion.forensics.parameters import NEIGHBOURS
from napari_diffusion.forensics.reading import Number, Reading, TraceMap

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.file import StoredJpeg
    from napari_diffusion.forensics.jpeg.quantised_twice import FirstStep, Twice

_SIDE = 8

# Where fewer blocks vary by more than so many grey levels, levels say little.
_VARIED, _BY = 0.1, 3

# An image that was read from the file differs from its brightness by rounding alone.
_ROUNDED = 2.0

# Ends of the colour bar, in nats per block.
_LIMITS = (-10.0, 10.0)

_UNSEEN = (
    "Nothing that this method can see: the file was compressed once, or before with the same "
    "steps, with finer ones, or with other positions of the blocks, which cannot be seen."
)


@dataclass(frozen=True)
class DoubleQuantisation(Trace):
    """Blocks of a JPEG file that were compressed once where the rest was compressed twice.

    A coefficient that was rounded to multiples of q₁ and then of q₂ has levels that are missing or
    too frequent. ``L = Σ log P(level | q₂) − log P(level | q₁, q₂)`` over the coarse coefficients
    of a block, averaged over neighbouring blocks: above 0 where one quantisation explains them
    better. The levels without any quantisation are read from the same image half a block away; of
    q₁ the most likely step is taken for each coefficient.

    Parameters
    ----------
    neighbours : int
        Side of the square of blocks that are averaged, an odd number. Larger squares are surer and
        show less detail.

    Notes
    -----
    Use it on a JPEG file that was edited and saved at a higher quality than before: what was
    pasted, painted or moved off its blocks has only the last compression. It is read from the file,
    not from the pixels. With a last compression as strong as the first or stronger it sees little
    or nothing, and says so. Blocks without any level but 0 are 0.

    References
    ----------
    Bianchi and Piva (2012), Image forgery localization via block-grained analysis of JPEG
    artifacts.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"pixels", "file"})
    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = (
        "The file is the one that was saved last, and both compressions had blocks at the same "
        "positions."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "A caption, a scale bar or a logo that was added before saving has only one compression.",
        "Clipped, constant and very smooth parts, and drawings, have too few levels.",
        "Text and texture that repeat every 8 pixels differ half a block away.",
    )

    neighbours: Annotated[int, NEIGHBOURS] = 3

    def worthless(self, evidence: Evidence) -> str:
        """Return why there are no levels to read; see `Trace.worthless`."""
        from napari_diffusion.forensics.jpeg.file import why_not_jpeg

        grid = evidence.image.grid
        if plane_count(evidence.image) > 1 or evidence.file is None:
            return "It is read from the file of a single plane, grey or in colour."
        if min(grid.shape[-2:]) < 8 * _SIDE:
            return f"It needs {8 * _SIDE} pixels along y and x (got {min(grid.shape[-2:])})."
        return why_not_jpeg(evidence.file, tuple(grid.shape[-2:])) or _why_flat(evidence)

    def read(self, evidence: Evidence) -> Reading:
        """Return the log-likelihoods of the blocks, and the earlier steps; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.file import read_jpeg
        from napari_diffusion.forensics.jpeg.quantised_twice import quantised_twice

        stored = read_jpeg(cast("Path", evidence.file))
        twice = quantised_twice(stored, evidence.threads.poll)
        differs = _differs(evidence, stored)
        if not twice.steps:
            return Reading(self, numbers=_last_quality(stored), remarks=(_UNSEEN, *differs))
        likelihood, values = self._maps(stored, twice)
        once = Number("blocks that one quantisation explains better (%)", 100 * float(
            (likelihood > 0).mean()), words="0 where all was compressed twice")  # fmt: skip
        found = TraceMap(
            "log-likelihood of one quantisation (nats per block)",
            _placed(evidence, values),
            "",
            _LIMITS,
            diverging=True,
            null=likelihood.ravel(),
            null_words="the same image",
        )
        numbers = (once, *_last_quality(stored), *_first_steps(twice.steps))
        return Reading(
            self, maps=(found,), numbers=numbers, remarks=(*_remarks(once, twice.steps), *differs)
        )

    def _maps(self, stored: StoredJpeg, twice: Twice) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the averaged log-likelihoods of blocks, and upright of pixels."""
        from scipy import ndimage

        from napari_diffusion.forensics.jpeg.blocks import spread

        likelihood = ndimage.uniform_filter(twice.likelihood, self.neighbours)
        return likelihood, stored.upright(spread(likelihood, stored.brightness.shape))


def _why_flat(evidence: Evidence) -> str:
    from napari_diffusion.forensics.jpeg.grey_levels import unit_of
    from napari_diffusion.forensics.jpeg.varied import varied

    unit = unit_of(evidence.image)
    if unit is None:
        return "The values of the image are not those of an 8-bit image, as the file has them."
    if varied(next(evidence.planes())[1] / unit, _BY).mean() < _VARIED:
        return "Most of the image is constant or nearly so: there are no levels to compare."
    return ""


def _placed(evidence: Evidence, values: NDArray[Any]) -> NDArray[np.float32]:
    from napari_diffusion.forensics.jpeg.grey_levels import stacked

    return stacked(evidence.image, [values])


def _differs(evidence: Evidence, stored: StoredJpeg) -> tuple[str, ...]:
    """Say so where the image is not what the file holds."""
    from napari_diffusion.forensics.jpeg.grey_levels import unit_of

    plane = next(evidence.planes())[1] / (unit_of(evidence.image) or 1.0)
    if np.median(np.abs(plane - stored.upright(stored.brightness))) <= _ROUNDED:
        return ()
    return ("The image is not what the file holds: this was read from the file.",)


def _last_quality(stored: StoredJpeg) -> tuple[Number, ...]:
    from napari_diffusion.forensics.jpeg.quality import quality_of

    quality = quality_of(stored.steps)
    words = "the table of the Independent JPEG Group with the same steps"
    return () if quality is None else (Number("quality of the file", quality, words=words),)


def _first_steps(steps: tuple[FirstStep, ...]) -> tuple[Number, ...]:
    return tuple(
        Number(f"earlier step of coefficient {s.place}", s.first, words=f"{s.last} in the file")
        for s in steps
    )


def _remarks(once: Number, steps: tuple[FirstStep, ...]) -> tuple[str, ...]:
    words = (
        f"The levels of {len(steps)} of 9 coefficients show an earlier compression of the whole "
        f"image or most of it; {once.value:.0f} % of the blocks show the last one alone. This also "
        "happens with captions, scale bars and montage, and in smooth parts."
    )
    coarser = sum(step.last > step.first for step in steps)
    if 2 * coarser < len(steps):
        return (words,)
    return words, (
        "The last steps are coarser than the earlier ones: blocks can hardly be told apart, and "
        "the map says little."
    )
