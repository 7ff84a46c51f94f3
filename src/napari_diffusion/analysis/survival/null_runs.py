"""The noise that a recipe leaves at each place: results on its own result plus fresh noise."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import with_fresh_noise
from napari_diffusion.analysis.survival.local_noise import map_of, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study

# Seeds of studies that differ by less have different noise.
_SEEDS = 1 << 20

# Offset of the seeds of recipes from those of many runs.
_OTHER_SEEDS = 1 << 33

# More images of fresh noise than a study draws.
_MOST = 64


def null_results(
    study: Study,
    without: NDArray[Any],
    count: int,
    seed: int,
    after: Callable[[], object] = lambda: None,
) -> list[NDArray[Any]]:
    """Return the recipe's results on its own result plus fresh noise.

    Its own result is the best substitute for the noise-free image: it has the structures at which a
    filter leaves more noise than elsewhere. The noise that the recipe itself adds is another one in
    each, because what is left of it is noise in the result too.

    Parameters
    ----------
    study : Study
    without : ndarray
        The recipe's result on the image, in the studied part.
    count : int
        How many.
    seed : int
        Selects the noise.
    after : callable
        Called after each.
    """
    found = []
    for k in range(count):
        values = study.image.data.copy()
        values[study.run.core] = _noisy(study, without, seed, k)
        found.append(study.reseeded((k + 1) * _OTHER_SEEDS).result(values))
        after()
    return found


def noise_of_source(
    study: Study, without: NDArray[Any], count: int, seed: int
) -> list[NDArray[np.float32]]:
    """Return the noise in images of the source's kind; one channel for RGB images."""
    return [
        merged(_noisy(study, without, seed, k) - without, study).astype(np.float32)
        for k in range(count)
    ]


def noise_left(study: Study, results: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
    """Return what differs between results that differ by their noise alone.

    ``√(n / (n − 1)) · (result − mean of all n)``: the structures that they share cancel, and the
    variance is that of one result. One channel for RGB images.
    """
    mean = np.zeros(results[0].shape)
    for each in results:
        mean += each / len(results)
    factor = math.sqrt(len(results) / (len(results) - 1))
    return [merged((each - mean) * factor, study).astype(np.float32) for each in results]


def _noisy(study: Study, without: NDArray[Any], seed: int, k: int) -> NDArray[Any]:
    noise, sigma = study.noise, map_of(study)
    if sigma is not None:
        noise = dataclasses.replace(noise, map=sigma)
    return with_fresh_noise(noise, without, seed % _SEEDS * _MOST + k)
