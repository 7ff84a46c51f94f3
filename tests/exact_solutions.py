"""Exact solutions of diffusion equations: cosine modes, slopes, and the same scene resampled."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest

from napari_diffusion import Grid
from napari_diffusion.filters import PeronaMalik

# Shape, options: planes and volumes, square and stretched pixels, time as an axis.
LAYOUTS = [
    pytest.param((24, 31), {}, id="plane"),
    pytest.param((24, 31), {"spacing": (0.5, 2.0)}, id="stretched"),
    pytest.param((9, 11, 13), {"spacing": (2.0, 1.0, 0.5)}, id="volume"),
    pytest.param(
        (8, 9, 10), {"axes": "tyx", "along": "tyx", "spacing": (3.0, 1.0, 1.0)}, id="video"
    ),
    pytest.param((12, 9), {"axes": "ty", "along": "yt", "spacing": (0.7, 1.3)}, id="kymograph"),
    pytest.param(
        (5, 6, 7, 8), {"axes": "tzyx", "along": "tzyx", "spacing": (2.0, 2.0, 1.0, 1.0)}, id="tzyx"
    ),
    pytest.param((1, 40), {}, id="row"),
]


def lengths_of(shape, options):
    """Return the world length of a pixel for each axis of the array."""
    grid = Grid.of(shape, **options)
    return [grid.length("tczyx".index(axis)) for axis in grid.axes]


def mode(shape, orders):
    """Return a product of cosines that fit between zero-flux borders."""
    waves = [
        np.cos(np.pi * k * (np.arange(n) + 0.5) / n) for k, n in zip(orders, shape, strict=True)
    ]
    return functools.reduce(np.multiply, np.ix_(*waves))


def laplacian_of_mode(shape, orders, lengths):
    """Return minus the eigenvalue of the discrete Laplacian: 4 Σ sin²(ωh/2) / h²."""
    halves = [np.pi * k / (2 * n) for k, n in zip(orders, shape, strict=True)]
    return sum(4 * math.sin(w) ** 2 / h**2 for w, h in zip(halves, lengths, strict=True))


def some_orders(shape):
    """Return slow, fast and mixed modes, the checkerboard among them."""
    slow = tuple(min(1, n - 1) for n in shape)
    mixed = tuple((2 + 3 * i) % n for i, n in enumerate(shape))
    return slow, mixed, tuple(n - 1 for n in shape), (0,) * len(shape)


def flux(conductance, contrast, sharpness, gradients, length):
    """Return what flows between two pixels, by how much the lower one gains in a short time."""
    chosen = PeronaMalik(
        time=1e-3 * length**2, contrast=contrast, conductance=conductance, sharpness=sharpness
    )
    gained = [chosen([[0.0, s * length]], spacing=length)[0, 0] for s in gradients]
    return np.array(gained) / (1e-3 * length)


def slopes(errors):
    """Return by what power of 2 each error is smaller than the one before."""
    return [math.log2(a / b) for a, b in itertools.pairwise(errors)]


def twice_the_samples(chosen, *counts):
    """Return how far results are apart from 1 to 2, and from 2 to 4 times the pixels.

    The scene is the same, at first in so many pixels along each axis of a square or a cube with
    sides of 1; compared are means over the coarse pixels, at worst, for more pixels along one
    axis and along all of them. With them comes the most that the filter changes.
    """
    axes = "tzy"[-len(counts) :]

    def filtered(*more):
        at = np.meshgrid(*((np.arange(n) + 0.5) / n for n in more), indexing="ij")
        u = sum(a * np.cos(np.pi * x) for a, x in zip((1, 0.8, 0.6), at, strict=False))
        out = chosen(u, axes=axes, along=axes, spacing=tuple(1 / n for n in more))
        parts = [k for n, many in zip(counts, more, strict=True) for k in (n, many // n)]
        rest = tuple(range(1, 2 * len(counts), 2))
        return out.reshape(parts).mean(rest), (out - u).reshape(parts).mean(rest)

    def grown(factor, one):
        return [n * (factor if one in (None, i) else 1) for i, n in enumerate(counts)]

    coarse, change = filtered(*counts)
    firsts, seconds = [], []
    for one in (None, *range(len(counts))):
        (fine, _), (finer, _) = filtered(*grown(2, one)), filtered(*grown(4, one))
        firsts.append(np.abs(fine - coarse).max())
        seconds.append(np.abs(finer - fine).max())
    return max(firsts), max(seconds), np.abs(change).max()
