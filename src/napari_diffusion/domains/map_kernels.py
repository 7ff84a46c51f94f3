"""Compiled maps of single pixels, in float64 whatever the image's type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.domains.expected_values import NODES_PER_UNIT, TOP
from napari_diffusion.engine.jit import exact_inline_kernel, exact_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads


def mapped(
    kernel: Any, block: NDArray[Any], threads: Threads, more: tuple[Any, ...]
) -> NDArray[Any]:
    """Return a new array that a kernel has filled, band by band."""
    out = np.empty_like(block)
    flat, filled = block.reshape(-1), out.reshape(-1)
    bands = threads.bands(flat.size, 1)
    threads.each(lambda start, stop: kernel(flat[start:stop], filled[start:stop], *more), bands)
    return out


@exact_kernel
def stabilise(values, out, gain, offset, squared, most):
    """Fill `out` with f of the values, of no more than so many photons."""
    for i in range(values.size):
        photons = (np.float64(values[i]) - offset) / gain + 0.375 + squared
        out[i] = 2.0 * np.sqrt(max(min(photons, most), 0.0))


@exact_inline_kernel
def series(photons, squared):
    """Return the mean of f where photons or read noise are many, from six moments of the noise."""
    u = photons + 0.375 + squared
    r = 1.0 / u
    a, b = (photons + squared) * r, photons * r
    # The moments from the second to the sixth, each over that power of u.
    second = a * r
    third = b * r * r
    fourth = b * r * r * r + 3.0 * a * a * r * r
    fifth = b * r**4 + 10.0 * a * b * r**3
    sixth = b * r**5 + (15.0 * a * b + 10.0 * b * b) * r**4 + 15.0 * a * a * a * r**3
    terms = -second / 8.0 + third / 16.0 - 5.0 * fourth / 128.0
    terms += 7.0 * fifth / 256.0 - 21.0 * sixth / 1024.0
    return 2.0 * np.sqrt(u) * (1.0 + terms)


@exact_inline_kernel
def at(table, first, place):
    """Return the cubic through the four nodes around a place."""
    x = (place - first) * NODES_PER_UNIT
    i = min(max(np.int64(x) - 1, 0), table.size - 4)
    t = x - i
    a, b, c, d = t, t - 1.0, t - 2.0, t - 3.0
    ends = (a * b * c * table[i + 3] - b * c * d * table[i]) / 6.0
    return ends + (a * c * d * table[i + 1] - a * b * d * table[i + 2]) / 2.0


@exact_kernel
def intensity(values, out, gain, offset, squared, table, first, lowest, slope):
    """Fill `out` with the mean intensities whose mean of f is a value."""
    for i in range(values.size):
        value = np.float64(values[i])
        if value <= lowest:
            photons = (value - lowest) / slope
        else:
            photons = 0.25 * value * value - 0.375 - squared
            if value < TOP:
                photons += at(table, first, value)
            else:
                photons += 0.25
                for _ in range(3):
                    root = np.sqrt(photons + 0.375 + squared)
                    photons -= (series(photons, squared) - value) * root
        out[i] = offset + gain * photons


@exact_kernel
def restabilise(values, out, gain, offset, squared, table, first, lowest, slope):
    """Fill `out` with the mean of f at mean intensities."""
    for i in range(values.size):
        photons = (np.float64(values[i]) - offset) / gain
        if photons <= 0.0:
            out[i] = lowest + slope * photons
        else:
            root = 2.0 * np.sqrt(photons + 0.375 + squared)
            if root < TOP:
                out[i] = root + at(table, first, root)
            else:
                out[i] = series(photons, squared)


@exact_kernel
def logarithm(values, out, floor, factor):
    """Fill `out` with the logarithms of the values over a factor."""
    for i in range(values.size):
        out[i] = np.log(max(np.float64(values[i]), floor) / factor)


@exact_kernel
def exponential(values, out, factor, highest):
    """Fill `out` with the exponentials of the values, times a factor."""
    for i in range(values.size):
        out[i] = np.exp(min(np.float64(values[i]), highest)) * factor
