"""The same recipe on its own result plus fresh noise: what it removes where nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.fresh_noise import with_fresh_noise
from napari_diffusion.analysis.trial import OTHER_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study

# Turns of the fresh noise that belong to one seed.
_TURNS = 1 << 12


def null_runs(
    study: Study, result: NDArray[Any], count: int, seed: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield (residual, result) of the studied part for each of `count` runs.

    Outside the studied part, and outside the mask, the image stays the source: it has noise there.

    Parameters
    ----------
    study : Study
        The recipe, and the noise to draw.
    result : ndarray
        Of the studied part, canonical.
    """
    source, core, mask = study.image.data, study.run.core, study.image.mask
    clean = source.copy()
    clean[core] = result
    drawn = np.zeros(source.shape, bool)
    drawn[core] = True
    if mask is not None:
        drawn &= mask
    for turn in range(count):
        noisy = with_fresh_noise(study.noise, clean, seed * _TURNS + turn)
        noisy = np.where(drawn, noisy, source)
        made = study.reseeded((turn + 1) * OTHER_SEEDS).result(noisy)
        yield noisy[core] - made, made


def centred(residuals: NDArray[Any]) -> NDArray[Any]:
    """Return residuals of null runs without what is the same in all of them.

    What a recipe removes of its own result again and again is no noise. The n values left at a
    pixel are stretched by √(n / (n − 1)), to the spread they had.
    """
    count = len(residuals)
    stretch = residuals.dtype.type(np.sqrt(count / (count - 1)))
    return (residuals - residuals.mean(axis=0)) * stretch
