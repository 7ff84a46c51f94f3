"""The reverse step: what is left of the noise of a step, and how much fresh noise the next adds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from napari_diffusion.noise import Gaussian

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_diffusion.core.image import Array
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.filters import Filter
    from napari_diffusion.noise import Noise
    from napari_diffusion.schedules import Schedule

#: How a step changes the image: by all that noise and filter do, or on to the next noise scale.
Update = Literal["whole", "reverse"]


class Denoised(NamedTuple):
    """The image of a reverse step, and what the next step needs beside.

    Attributes
    ----------
    image : array
        The filtered image, in intensities: the image of the step.
    noisy : array
        The noisy image that it was made of, stabilised if there is a domain.
    noise_scale : float or tuple of float
        Of that noise.
    """

    image: Array
    noisy: Array
    noise_scale: NoiseScale


def with_less_noise(
    clean: Array, noisy: Array, before: NoiseScale, after: NoiseScale
) -> tuple[Array, NoiseScale]:
    """Return a noisy image moved towards its clean one, and the scale of the noise to add to it.

    ``clean + r · (noisy − clean)`` and ``after · √(1 − r)``, with ``r = (after / before)²``: if
    the noise of `noisy` has the scale `before`, what is left and the fresh noise have `after`.

    Parameters
    ----------
    clean, noisy : array
        Canonical; numpy or dask.
    before, after : float or tuple of float
        One number, or one for each channel; `after` is the smaller one.
    """
    many = isinstance(before, tuple)
    pairs = list(zip(_tuple(before), _tuple(after), strict=True))
    left = [(b / a) ** 2 if a else 0.0 for a, b in pairs]
    fresh = tuple(b * math.sqrt(1 - r) for (_, b), r in zip(pairs, left, strict=True))
    ratio: Any = np.reshape(left, (1, -1, 1, 1, 1)).astype(clean.dtype)
    return clean + ratio * (noisy - clean), fresh if many else fresh[0]


def check_update(
    update: Any,
    noise: Noise | None,
    schedule: Schedule,
    filters: Iterable[Filter],
    final_filter: Filter | None,
) -> None:
    """Raise for parts of a recipe that do not go together; see `Recipe`."""
    if update not in get_args(Update):
        raise ValueError(f'update must be "whole" or "reverse" (got {update!r}).')
    if final_filter is not None:
        for name in final_filter.set_by_step():
            raise ValueError(
                f'final_filter.{name}="step" is not possible, since the final filter comes after '
                'the last step: use a number or "auto".'
            )
    if noise is None and any(each.set_by_step() for each in filters):
        raise ValueError(
            'noise_sigma="step" needs noise in the steps (got noise=None): add noise, such as '
            'Gaussian(), or use a number or "auto" for noise_sigma.'
        )
    if update == "whole":
        return
    if not isinstance(noise, Gaussian):
        got = None if noise is None else type(noise).__name__
        raise ValueError(
            f'update="reverse" needs white Gaussian noise (got noise={got}): use noise=Gaussian(), '
            "with a domain if the noise of the image grows with its intensity."
        )
    if not schedule.tabulated:
        raise ValueError(
            'update="reverse" needs a schedule whose noise scales are known before the run (got '
            f"{type(schedule).__name__}): use one such as Karras(end=0.01)."
        )


def check_scales(schedule: Schedule, start: NoiseScale, num_steps: int) -> None:
    """Raise if reverse steps cannot follow a schedule from the noise scale of the source."""
    if not any(_tuple(start)):
        raise ValueError(
            'update="reverse" begins with the noise of the source, and starting_noise_scale is 0: '
            "enter the standard deviation of its noise."
        )
    for each in _tuple(start):
        scales = schedule(each, num_steps)
        grows = np.flatnonzero(np.diff(scales) > 0)
        if grows.size:
            step = int(grows[0])
            raise ValueError(
                'update="reverse" needs noise scales that never grow (got '
                f"{scales[step]:g} in step {step} and {scales[step + 1]:g} in the next): use a "
                "falling schedule, such as Karras(end=0.01)."
            )


def _tuple(scale: NoiseScale) -> tuple[float, ...]:
    return scale if isinstance(scale, tuple) else (scale,)
