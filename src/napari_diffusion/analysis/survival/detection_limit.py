"""The contrast at which objects are found, from how many were found at each contrast."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Shares of objects that are found at a limit of detection.
SHARES = (0.5, 0.95)

# How many thresholds, widths and lapses are compared.
_MIDDLES, _WIDTHS, _LAPSES = 401, 21, 10

# So many objects that were all found would give the same preference for small lapses.
_PRIOR = 50

# Credible intervals.
_LEVELS = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class DetectionLimit:
    """The contrast at which a share of the objects is found.

    Attributes
    ----------
    kind : str
        "spot", "line", "edge" or "patch".
    size : float
        Radius in pixels.
    share : float
        Share of the objects that is found: 0.5 or 0.95.
    contrast : float or None
        Multiple of the standard deviation of the noise; None outside the range that was tried.
    low, high : float or None
        Ends of the 95 % interval; None where they lie outside that range.
    text : str
        The contrast in words, such as "4.2" or ">8".
    """

    kind: str
    size: float
    share: float
    contrast: float | None
    low: float | None
    high: float | None
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self)


def detection_limits(
    kind: str, size: float, contrasts: NDArray[Any], found: NDArray[Any]
) -> tuple[DetectionLimit, ...]:
    """Fit the share of objects found as a function of the contrast.

    ``p(C) = (1 − λ) Φ((C / m − 1) / v)``, exact for a linear filter, whose score is proportional to
    the contrast plus Gaussian noise. All thresholds m, relative widths v and lapses λ of a grid are
    weighted by their likelihood, with flat priors for ln m and ln v, and small λ preferred,
    ``(1 − λ)^50``. A limit is the median of the contrasts at which they reach a share; its interval
    is the central 95 %, for the threshold as it is.

    Parameters
    ----------
    kind, size
        Of the objects.
    contrasts : ndarray
        Contrast of each object, in multiples of the noise.
    found : ndarray of bool
        Whether it was found.
    """
    levels = np.unique(contrasts)
    hits = np.array([np.count_nonzero(found[contrasts == level]) for level in levels])
    misses = np.array([np.count_nonzero(contrasts == level) for level in levels]) - hits
    limits, weights = _weighted(levels, hits, misses)
    order = np.argsort(limits, axis=1)
    made = []
    for share, row, places in zip(SHARES, limits, order, strict=True):
        total = np.cumsum(weights[places])
        ends = [row[places][np.searchsorted(total, level * total[-1])] for level in _LEVELS]
        made.append(_limit(kind, size, share, np.exp(ends), levels[0], levels[-1]))
    return tuple(made)


def _weighted(
    levels: NDArray[Any], hits: NDArray[Any], misses: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logarithms of both limits of every curve, and its weight."""
    from scipy.special import ndtr, ndtri

    low, high = np.log(levels[0]), np.log(levels[-1])
    middle = np.exp(np.linspace(low - 1.5, high + 1.5, _MIDDLES))[:, None, None]
    width = np.geomspace(0.03, 0.8, _WIDTHS)[None, :, None]
    lapse = np.linspace(0.0, 0.3, _LAPSES)[None, None, :]
    shape = np.broadcast_shapes(middle.shape, width.shape, lapse.shape)
    weight = np.broadcast_to(_PRIOR * np.log1p(-lapse), shape)
    for level, hit, miss in zip(levels, hits, misses, strict=True):
        share = np.clip((1 - lapse) * ndtr((level / middle - 1) / width), 1e-6, 1 - 1e-6)
        weight = weight + hit * np.log(share) + miss * np.log1p(-share)
    limits = []
    for wanted in SHARES:
        # Curves that never reach the share have no limit.
        reached = np.where(1 - lapse > wanted, wanted / (1 - lapse), np.nan)
        limit = np.log(middle * (1 + width * ndtri(reached)))
        limits.append(np.where(np.isnan(limit), np.inf, limit).ravel())
    return np.array(limits), np.exp(weight - weight.max()).ravel()


def _limit(
    kind: str, size: float, share: float, ends: NDArray[Any], least: float, most: float
) -> DetectionLimit:
    low, contrast, high = (float(each) for each in ends)
    if contrast > most or contrast < least:
        beyond = contrast > most
        text = f">{most:.3g}" if beyond else f"<{least:.3g}"
        inside = (low if least <= low <= most else None, high if least <= high <= most else None)
        return DetectionLimit(kind, size, share, None, *inside, text)
    return DetectionLimit(
        kind, size, share, contrast,
        low if low >= least else None, high if high <= most else None,
        f"{contrast:.3g}",
    )  # fmt: skip
