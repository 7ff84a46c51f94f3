"""A step of the loop: its image, and the noise that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_diffusion.core.noise_scale import NoiseScale


@dataclass(frozen=True, eq=False)
class Step:
    """The result of one step of the loop.

    Attributes
    ----------
    index : int
        0 … num_steps; the last index is that of the final filter.
    noise_scale : float or tuple of float
        Standard deviation of the noise used in this step; 0.0 for the final filter.
    image : ndarray
        The image after this step, a new array with the axes of the source.
    is_final : bool
        Whether this is the result of the final filter.
    next_noise_scale : float, tuple of float or None
        The noise scale of the next step; None after the final filter.
    noisy : ndarray or None
        Of reverse updates, the noisy image that the filter got, which the next step goes on from;
        in stabilised units if there is a domain. The last step has it, others on request.
    """

    index: int
    noise_scale: NoiseScale
    image: NDArray[np.floating[Any]]
    is_final: bool
    next_noise_scale: NoiseScale | None = None
    noisy: NDArray[np.floating[Any]] | None = None
