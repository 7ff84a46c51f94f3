"""Ghost: parts that change least when the image is saved as JPEG again at one quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.parameters import NEIGHBOURS
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading, TraceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The qualities at which the image is saved again.
_QUALITIES = tuple(range(40, 98, 3))

# Where no blocks of the image begin, when they begin at (0, 0).
_AWAY = 4

# Fewest pixels along y and x.
_FEWEST = 64

# Share of the blocks whose dips are deeper than any off the blocks, to be spoken of.
_SHARE = 0.01

_LIMITS = (-10.0, 10.0)


@dataclass(frozen=True)
class Ghost(Trace):
    """Regions that were compressed before at a quality of their own, on the blocks of the image.

    A part that was a JPEG of quality q changes least when it is saved at q again. With E(q) the
    mean squared change of a block and its neighbours, the depth of a dip is
    ``[ln E(q−3) + ln E(q+3)] / 2 − ln E(q)``, minus the median over the image, in its spread. The
    deepest dip over q is shown, minus that with blocks moved by (4, 4), where no dip can come from
    an earlier compression.

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
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = (
        "The image was not cropped or moved since its blocks began at (0, 0), and a region that "
        "was compressed before kept that position."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Constant, clipped and very smooth parts change at no quality, or at all alike.",
        "A figure assembled from JPEG panels has parts that were compressed at other qualities.",
        "Parts without detail of an image that was a JPEG as a whole dip less or more than others.",
    )

    neighbours: Annotated[int, NEIGHBOURS] = 3

    def worthless(self, evidence: Evidence) -> str:
        """Return why no blocks can be saved again; see `Trace.worthless`."""
        from napari_diffusion.forensics.jpeg.grey_levels import why_no_blocks

        return why_no_blocks(evidence.image, _FEWEST)

    def read(self, evidence: Evidence) -> Reading:
        """Return the deepest dips on the blocks minus those off them; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked, unit_of

        unit = unit_of(evidence.image) or 1.0
        planes = [(index, plane / unit) for index, plane in evidence.planes()]
        seen = [self._dips(evidence, plane) for _, plane in planes]
        found = TraceMap(
            "deepest dip on the blocks minus off them (spreads)",
            stacked(evidence.image, [each.around_pixels() for each in seen]),
            "",
            _LIMITS,
            diverging=True,
            null=np.concatenate([-each.paired.ravel() for each in seen]),
            null_words="the same image, on and off the blocks exchanged",
        )
        named = [f" in plane {', '.join(map(str, index))}" if index else "" for index, _ in planes]
        told = [each.words(name) for each, name in zip(seen, named, strict=True)]
        return Reading(
            self,
            maps=(found,),
            curves=tuple(curve for each in seen[:1] for curve in each.curves()),
            numbers=tuple(each.number(name) for each, name in zip(seen, named, strict=True)),
            remarks=tuple(words for words in told if words) or (NOTHING,),
        )

    def _dips(self, evidence: Evidence, plane: NDArray[Any]) -> _Dips:
        from napari_diffusion.forensics.jpeg.resaved import changes, dips

        poll = evidence.threads.poll
        on, usual, _ = dips(changes(plane, _QUALITIES, (0, 0), poll), self.neighbours)
        away, off_usual, _ = dips(changes(plane, _QUALITIES, (_AWAY, _AWAY), poll), self.neighbours)
        deepest, off = on.max(axis=0), np.maximum(away.max(axis=0), 0.0)
        # Off the blocks there is one row and one column less.
        at = (
            np.minimum(np.arange(n), m - 1) for n, m in zip(deepest.shape, off.shape, strict=True)
        )
        paired = deepest - off[np.ix_(*at)]
        return _Dips(plane.shape, paired, on.argmax(axis=0), usual, off_usual)


@dataclass(frozen=True, eq=False)
class _Dips:
    """The dips of one plane: by block, and the usual ones by quality."""

    shape: tuple[int, ...]
    paired: NDArray[np.float64]
    deepest: NDArray[np.intp]
    usual: NDArray[np.float64]
    off_usual: NDArray[np.float64]

    @property
    def stands_out(self) -> NDArray[np.bool_]:
        return self.paired > max(0.0, -float(self.paired.min()))

    def around_pixels(self) -> NDArray[np.float64]:
        from napari_diffusion.forensics.jpeg.blocks import spread

        return spread(self.paired, self.shape)

    def number(self, name: str) -> Number:
        share = 100 * float(self.stands_out.mean())
        words = "0 to 1 where no part was compressed on its own"
        return Number(f"blocks that dip on the blocks alone{name} (%)", share, words=words)

    def curves(self) -> tuple[Curve, Curve]:
        words = "quality", "usual depth of the dip (powers of e)"
        x = tuple(map(float, _QUALITIES[1:-1]))
        on, off = (tuple(map(float, each)) for each in (self.usual, self.off_usual))
        return Curve("on the blocks", *words, x, on), Curve("off them", *words, x, off, True)

    def words(self, name: str) -> str:
        """Return what is seen; empty for nothing."""
        out = self.stands_out
        if out.mean() < _SHARE:
            return ""
        y, x = (8 * np.median(each) + 4 for each in np.nonzero(out))
        quality = _QUALITIES[1 + int(np.bincount(self.deepest[out]).argmax())]
        return (
            f"A region{name} around ({y:.0f}, {x:.0f}) differs from the rest in how much it "
            f"changes when saved again: least at a quality of about {quality}, on the blocks "
            "alone. This also happens in figures assembled from JPEG panels, and in smooth parts."
        )
