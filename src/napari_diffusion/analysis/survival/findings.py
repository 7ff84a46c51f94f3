"""What was tried, and what feature survival says, in sentences and tables."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.results import ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_diffusion.analysis.survival.cells import SurvivalCell
    from napari_diffusion.analysis.survival.detection_limit import DetectionLimit
    from napari_diffusion.analysis.survival.plan import SurvivalPlan

# Fewer objects in a cell are too few to say much.
_FEW = 20


@dataclass(frozen=True)
class Conditions:
    """What was tried, on what.

    Attributes
    ----------
    false_rate : float
        False objects per megapixel at the threshold of the detectors.
    dark : bool
        Whether objects are darker than their surroundings.
    detectors : tuple of (str, float, str)
        Kind and size of each object, and its detector in words.
    noise_sigma : float
        Median standard deviation of the noise in the studied part.
    part : tuple of int
        Size of the studied part along t, c, z, y, x.
    num_runs, num_nulls : int
        In how many runs objects were added, and how many had noise alone.
    noise_change : float
        How much the objects of one run change the measured noise, as a part of it.
    photon_noise : bool
        Whether the noise grows with the intensity.
    planes : bool
        Whether objects extend along y and x alone.
    """

    false_rate: float
    dark: bool
    detectors: tuple[tuple[str, float, str], ...]
    noise_sigma: float
    part: tuple[int, ...]
    num_runs: int
    num_nulls: int
    noise_change: float
    photon_noise: bool
    planes: bool

    @classmethod
    def of(cls, plan: SurvivalPlan, false_rate: float) -> Conditions:
        """Return what a plan tries."""
        return cls(
            float(false_rate),
            plan.dark,
            tuple((shape.kind, shape.size, shape.searched_with()) for shape in plan.shapes),
            float(np.median(plan.noise.sigma)),
            tuple(plan.study.run.source.shape),
            plan.num_runs,
            plan.num_nulls,
            plan.noise_change,
            any(plan.noise.gains),
            len(plan.object_axes) < 3,
        )

    def detector(self, kind: str, size: float) -> str:
        """Return the detector of objects in words."""
        return next(words for k, s, words in self.detectors if (k, s) == (kind, size))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        plain = dataclasses.asdict(self)
        return plain | {"part": list(self.part), "detectors": [list(d) for d in self.detectors]}


def survival_sentences(
    cells: Sequence[SurvivalCell],
    limits: Sequence[DetectionLimit],
    in_source: Sequence[DetectionLimit],
    conditions: Conditions,
) -> tuple[str, ...]:
    """Return what was found: of each kind and size its limit, and the cell next to it."""
    found = []
    for half, most, before in zip(limits[::2], limits[1::2], in_source[::2], strict=True):
        same = [cell for cell in cells if (cell.kind, cell.size) == (half.kind, half.size)]
        found.append(_limit_in_words(half, most, before, conditions))
        found.append(_cell_in_words(_telling(same), conditions))
    return tuple(found)


def survival_limits(cells: Sequence[SurvivalCell], conditions: Conditions) -> tuple[str, ...]:
    """Return what was tried, on what, and what does not follow from it."""
    kinds = _listed(dict.fromkeys(_plural(cell.kind) for cell in cells))
    counts = [cell.count for cell in cells]
    found = [
        f"Tried were {kinds} of {_numbers(cell.size for cell in cells)} pixels and "
        f"{_numbers(cell.contrast for cell in cells)} σ, {_range(counts)} of each, "
        "at random places that keep apart; nothing follows for other shapes, for objects that "
        "touch, or for single places.",
        "An object counts as lost when its detector misses it among the noise that the recipe "
        "leaves at its place; its threshold follows the noise left around a place. Structures of "
        "the image that would hide an object, or pass for one, are not counted.",
        f"The noise left is that of {conditions.num_nulls} runs on the recipe's own result plus "
        "fresh noise, as it was measured or given: where that is wrong, so are thresholds and "
        "contrasts.",
    ]
    if min(counts) < _FEW:
        found.append(f"There was room for few objects only ({min(counts)} in the smallest cell): "
                     "the intervals are wide.")  # fmt: skip
    if conditions.noise_change > 0.03:
        change = f"{100 * conditions.noise_change:.0f} %"
        found.append(f"The objects change the measured noise by {change}: study a larger part, or "
                     "fewer contrasts.")  # fmt: skip
    if conditions.photon_noise and conditions.dark:
        found.append("Dark objects keep the noise of the intensity that they reduce, "
                     "although theirs would be weaker.")  # fmt: skip
    if any(cell.kind == "patch" for cell in cells):
        found.append("A patch cut from the image has the noise of its place in it.")
    if conditions.part[1] > 1:
        found.append("Colours get grey objects; of other channels each object is in one.")
    if conditions.planes and max(conditions.part[0], conditions.part[2]) > 1:
        found.append("Each object is in one plane and one frame.")
    return tuple(found)


def limit_table(limits: Sequence[DetectionLimit], where: str = "") -> ResultTable:
    """Return the limits of detection."""
    rows = tuple(
        (each.kind, each.size, f"{100 * each.share:.0f} %", each.text,
         math.nan if each.low is None else each.low, math.nan if each.high is None else each.high)
        for each in limits
    )  # fmt: skip
    columns = ("kind", "radius (pixels)", "found", "contrast (σ)", "from", "to")
    return ResultTable(f"Limit of detection{where}", columns, rows)


def cell_table(cells: Sequence[SurvivalCell], where: str = "") -> ResultTable:
    """Return what was measured of each cell."""
    columns = ("kind", "radius (pixels)", "contrast (σ)", "contrast (intensity)", "objects",
               "kept", "± kept", "widening", "shift (pixels)", "lost", "lost from",
               "lost to")  # fmt: skip
    rows = tuple(
        (each.kind, each.size, each.contrast, each.intensity, each.count, each.kept,
         each.kept_error, each.widening, each.shift, each.lost, *each.lost_interval)
        for each in cells
    )  # fmt: skip
    return ResultTable(f"What is kept of added objects{where}", columns, rows)


def _limit_in_words(
    half: DetectionLimit, most: DetectionLimit, before: DetectionLimit, conditions: Conditions
) -> str:
    what = _what(half.kind, half.size, conditions)
    return (
        f"Of {what}, 50 % are found at {_at(half)} and 95 % at {_at(most)}; before the recipe "
        f"50 % at {_at(before)}."
    )


def _at(limit: DetectionLimit) -> str:
    if limit.contrast is None:
        return f"{limit.text} σ"
    low = "?" if limit.low is None else f"{limit.low:.3g}"
    high = "?" if limit.high is None else f"{limit.high:.3g}"
    return f"{limit.text} σ ({low} to {high})"


def _telling(cells: Sequence[SurvivalCell]) -> SurvivalCell:
    """Return the cell with a share lost that is nearest to one half; of several the faintest."""
    return min(cells, key=lambda cell: (abs(cell.lost - 0.5), cell.contrast))


def _cell_in_words(cell: SurvivalCell, conditions: Conditions) -> str:
    low, high = cell.lost_interval
    detector = conditions.detector(cell.kind, cell.size)
    return (
        f"Of {_what(cell.kind, cell.size, conditions)} and {cell.contrast:.3g} σ, "
        f"{100 * cell.kept:.0f} % of the contrast is kept and {100 * cell.lost:.0f} % are lost "
        f"({100 * low:.0f} to {100 * high:.0f} %; {cell.count} objects; detector: "
        f"{detector}, {conditions.false_rate:.3g} false objects per megapixel)."
    )


def _what(kind: str, size: float, conditions: Conditions) -> str:
    """Return objects of one kind and size in words."""
    dark = "dark " if conditions.dark else ""
    if kind == "patch":
        return f"{dark}copies of the patch"
    return f"{dark}{_plural(kind)} of radius {size:.3g} pixels"


def _plural(kind: str) -> str:
    return {"patch": "patches"}.get(kind, f"{kind}s")


def _numbers(values: Iterable[float]) -> str:
    return _listed(f"{value:.3g}" for value in np.unique(list(values)))


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
