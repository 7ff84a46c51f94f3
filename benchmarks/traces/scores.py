"""How readings are scored, with intervals of 95 %."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Drawings of the bootstrap.
DRAWN = 2000


def auc(mask: Any, values: Any) -> float:
    """Return the area under the curve: how often a pixel of the mask has the larger value."""
    from scipy.stats import rankdata

    inside = np.asarray(mask, bool)[::2, ::2].ravel()
    ranks = rankdata(np.asarray(values, np.float64)[::2, ::2].ravel())
    found, other = int(inside.sum()), int((~inside).sum())
    return float((ranks[inside].sum() - found * (found + 1) / 2) / (found * other))


def auc_of(with_trace: Sequence[float], without: Sequence[float]) -> float:
    """Return how often an image with the trace has the larger number."""
    a, b = np.asarray(with_trace, float)[:, None], np.asarray(without, float)[None]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def f1(found: Any, mask: Any) -> float:
    """Return 2 TP / (found + true)."""
    total = int(np.sum(found)) + int(np.sum(mask))
    return float(2 * np.sum(found & mask) / total) if total else 1.0


def outlined(polygons: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return the pixels within any of the polygons, corners (y, x)."""
    from skimage.draw import polygon2mask

    found = np.zeros(shape, bool)
    for each in polygons:
        found |= polygon2mask(shape, each)
    return found


def interval(groups: Sequence[str], values: Sequence[float], median: bool = False) -> Any:
    """Return the mean (or median) and its interval: (value, from, to).

    Photographs, with all the crops of each, are drawn anew.
    """
    centre = np.median if median else np.mean
    return _drawn(groups, [values], centre)


def auc_interval(
    groups: Sequence[str], with_trace: Sequence[float], without: Sequence[float]
) -> Any:
    """Return `auc_of` and its interval, photographs drawn anew with both values of each."""
    return _drawn(groups, [with_trace, without], auc_of)


def _drawn(groups: Sequence[str], values: Sequence[Any], figure: Callable[..., Any]) -> Any:
    columns, names = [np.asarray(each, float) for each in values], np.asarray(groups)
    each = [np.flatnonzero(names == name) for name in sorted(set(groups))]
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWN):
        at = np.concatenate([each[k] for k in rng.integers(0, len(each), len(each))])
        drawn.append(figure(*(column[at] for column in columns)))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(figure(*columns)), float(low), float(high)


def shown(found: Sequence[float]) -> str:
    """Return "0.87 (0.80 … 0.93)"."""
    value, low, high = found
    return f"{value:.2f} ({low:.2f} … {high:.2f})"
