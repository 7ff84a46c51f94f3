"""A reference, diffused for a series of times, and how far an image is from each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.diffusion_time.tiles import Tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# The times that the reference is diffused for, in pixels².
TIMES = np.concatenate([[0.0], np.geomspace(0.12, 8.0, 17)])

# The first rings say what a tile shows; the power in the others is compared.
_CONTENT = 2

# Tiles too few to compare.
_FEWEST = 40

# Of the regression: keeps it stable where the tiles of the reference are alike.
_RIDGE = 3e-3


@dataclass(frozen=True, eq=False)
class Gaps:
    """How far an image is from its reference after each time.

    Attributes
    ----------
    values : (times, tiles, rings) array
        Logarithm of power in the image, minus what the diffused reference has in tiles alike.
    found : (tiles, rings) array
        The logarithm of power in the image.
    steepness : (tiles,) array
        Logarithm of the coarsest power: large at edges, small in flat regions.
    rates : (rings,) array
        Of the rings that are compared.
    """

    values: NDArray[np.float64]
    found: NDArray[np.float64]
    steepness: NDArray[np.float64]
    rates: NDArray[np.float64]


#: Logarithm of power in each ring of each tile, and the means of the tiles.
Spectra = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def series_of(reference: NDArray[np.float64], unit: float, *, whole: bool) -> list[Spectra]:
    """Return the spectra of a reference after each time, rounded as the image was."""
    tiles = Tiles()
    chosen = tiles.chosen(reference, unit)
    seen = (np.rint(u / unit) * unit if whole else u for u in _diffused(reference))
    return [tiles.spectra(each, chosen, unit) for each in seen]


def gaps_of(image: NDArray[np.float64], series: list[Spectra], unit: float) -> Gaps | None:
    """Compare an image with a series; None where too few tiles say anything."""
    tiles = Tiles()
    chosen = tiles.chosen(image, unit)
    if min(len(chosen), len(series[0][0])) < _FEWEST:
        return None
    found, means = tiles.spectra(image, chosen, unit)
    values = np.stack([_gap(found, means, *each) for each in series])
    return Gaps(values, found[:, _CONTENT:], found[:, 0], tiles.weights()[1][_CONTENT:])


def _diffused(plane: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield a plane after each time of the heat equation, by its cosine modes."""
    from scipy import fft

    modes = fft.dctn(plane)
    down, across = (4 * np.sin(0.5 * np.pi * np.arange(n) / n) ** 2 for n in plane.shape)
    rates = down[:, None] + across[None]
    yield plane
    for time in TIMES[1:]:
        yield np.asarray(fft.idctn(modes * np.exp(-time * rates)))


def _gap(
    found: NDArray[np.float64],
    means: NDArray[np.float64],
    reference: NDArray[np.float64],
    reference_means: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the fine power beyond what the reference has in tiles of like coarse power."""
    content = np.column_stack([reference[:, :_CONTENT], reference_means])
    centre, spread = content.mean(0), content.std(0) + 1e-6
    terms = _terms((content - centre) / spread)
    ridge = _RIDGE * len(terms) * np.eye(terms.shape[1])
    fitted = np.linalg.solve(terms.T @ terms + ridge, terms.T @ reference[:, _CONTENT:])
    # Beyond what the reference shows, nothing is extrapolated.
    here = np.column_stack([found[:, :_CONTENT], means])
    here = np.clip(here, content.min(0), content.max(0))
    expected = _terms((here - centre) / spread) @ fitted
    return np.asarray(found[:, _CONTENT:] - expected)


def _terms(features: NDArray[np.float64]) -> NDArray[np.float64]:
    first = [*features.T]
    second = [a * b for k, a in enumerate(first) for b in first[k:]]
    return np.stack([np.ones(len(features)), *first, *second], 1)
