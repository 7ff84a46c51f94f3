"""Ghost: parts whose coefficients fit a JPEG compression of their own, at one quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.parameters import NEIGHBOURS
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading, TraceMap
from napari_diffusion.forensics.statistics.plane_choice import plane_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.requantised import Fits

# The qualities of an earlier compression that are tried.
_QUALITIES = tuple(range(40, 98))

# Fewest pixels along y and x.
_FEWEST = 64

# In untouched images, smooth blocks fit some quality by so many nats.
_UNTOUCHED = 7.0

# Share of the blocks that fit better than any off the blocks, to be spoken of.
_SHARE = 0.01

_LIMITS = (-10.0, 10.0)


@dataclass(frozen=True)
class Ghost(Trace):
    """Regions that were compressed before at a quality of their own, on the blocks of the image.

    The coefficients of a part that was a JPEG of quality q lie near multiples of the steps of q.
    ``L(q) = Σ log P(c | rounded to the steps of q) − log P(c)`` over the coarse coefficients of a
    block, averaged over its neighbours, minus the same with blocks moved by (4, 4), where nothing
    can come from an earlier compression, and minus the median over the image where that is above
    0. What c would be without compression is read from the moved blocks. The largest L over q is
    shown. Where the whole image shows a last compression, both are expected after that one.

    Parameters
    ----------
    neighbours : int
        Side of the square of blocks that are averaged, an odd number. Larger squares are surer and
        show less detail.

    Notes
    -----
    Use it on a PNG or TIFF, or on a JPEG of high quality, to see a region that was compressed more
    strongly than the rest. Of a region whose blocks begin elsewhere than those of the image, at
    (0, 0), it says nothing: see the block grid. It is strong only where the last compression was
    weaker than the earlier one.

    References
    ----------
    Farid (2009), Exposing digital forgeries from JPEG ghosts.
    Bianchi and Piva (2012), Image forgery localization via block-grained analysis of JPEG
    artifacts.
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = (
        "The image was not cropped or moved since its blocks began at (0, 0), and a region that "
        "was compressed before kept that position."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Constant, clipped and very smooth parts fit every quality, or none.",
        "A figure assembled from JPEG panels has parts that were compressed at other qualities.",
        "Parts without detail of an image that was a JPEG as a whole fit its quality less or more "
        "than others.",
    )

    neighbours: Annotated[int, NEIGHBOURS] = 3

    def worthless(self, evidence: Evidence) -> str:
        """Return why no blocks can be read; see `Trace.worthless`."""
        from napari_diffusion.forensics.jpeg.grey_levels import why_no_blocks

        return why_no_blocks(evidence.image, _FEWEST)

    def read(self, evidence: Evidence) -> Reading:
        """Return the best fits on the blocks against those off them; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked, unit_of

        unit = unit_of(evidence.image) or 1.0
        planes = [(index, plane / unit) for index, plane in evidence.planes()]
        seen = [self._fit(evidence, plane) for _, plane in planes]
        found = TraceMap(
            "log-likelihood of a compression of its own (nats per block)",
            stacked(evidence.image, [each.around_pixels() for each in seen]),
            "",
            _LIMITS,
            diverging=True,
            null=np.concatenate([each.off.ravel() for each in seen]),
            null_words="the same image, on and off the blocks exchanged",
        )
        named = [f" in {plane_name(index)}" if index else "" for index, _ in planes]
        told = [each.words(name) for each, name in zip(seen, named, strict=True)]
        return Reading(
            self,
            maps=(found,),
            curves=tuple(curve for each in seen[:1] for curve in each.curves()),
            numbers=tuple(each.number(name) for each, name in zip(seen, named, strict=True)),
            remarks=tuple(words for words in told if words) or (NOTHING,),
        )

    def _fit(self, evidence: Evidence, plane: NDArray[Any]) -> _Fit:
        from napari_diffusion.forensics.jpeg.requantised import fits

        found = fits(plane, _QUALITIES, evidence.threads.poll)
        on, off = found.paired(self.neighbours)
        best = np.asarray(found.qualities)[on.argmax(axis=0)]
        return _Fit(plane.shape, found, on.max(axis=0), off.max(axis=0), best)


@dataclass(frozen=True, eq=False)
class _Fit:
    """How one plane fits: the best fits by block, on and off the blocks, and their qualities."""

    shape: tuple[int, ...]
    found: Fits
    on: NDArray[np.float32]
    off: NDArray[np.float32]
    qualities: NDArray[np.intp]

    @property
    def stands_out(self) -> NDArray[np.bool_]:
        return self.on > max(_UNTOUCHED, float(self.off.max()))

    def around_pixels(self) -> NDArray[np.float32]:
        from napari_diffusion.forensics.jpeg.blocks import spread

        return spread(self.on, self.shape)

    def number(self, name: str) -> Number:
        share = 100 * float(self.stands_out.mean())
        words = "0 to 1 where no part was compressed on its own"
        return Number(f"blocks that fit on the blocks alone{name} (%)", share, words=words)

    def curves(self) -> tuple[Curve, Curve]:
        words = "quality", "usual log-likelihood (nats per block)"
        x = tuple(map(float, self.found.qualities))
        on, off = (tuple(map(float, each)) for each in self.found.usual())
        return Curve("on the blocks", *words, x, on), Curve("off them", *words, x, off, True)

    def words(self, name: str) -> str:
        """Return what is seen; empty for nothing."""
        out = self.stands_out
        if out.mean() < _SHARE:
            return ""
        y, x = (8 * np.median(each) + 4 for each in np.nonzero(out))
        quality = int(np.bincount(self.qualities[out]).argmax())
        return (
            f"A region{name} around ({y:.0f}, {x:.0f}) differs from the rest in its coefficients: "
            f"they fit a compression at a quality of about {quality}, on the blocks alone. This "
            "also happens in figures assembled from JPEG panels, and in smooth parts."
        )
