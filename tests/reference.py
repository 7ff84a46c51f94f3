"""Perona-Malik diffusion in plain numpy, written to be read and not to be fast."""

from __future__ import annotations

import math

import numpy as np


def perona_malik(
    u, chosen, axes, *, along=None, spacing=1.0, joint_channels=True, rgb=False, mask=None
):
    """Return (u diffused as `chosen` says, number of sub-steps), in float64."""
    del rgb
    along = along or "".join(a for a in axes if a in "zyx")
    lengths = np.broadcast_to(spacing, len(along))
    order = [a for a in "tczyx" if a in axes]
    v = u.astype(np.float64).transpose([axes.index(a) for a in order])
    inside = np.ones(v.shape, bool)
    if mask is not None:
        plain = [a for a in axes if a != "c"]
        m = mask.transpose([plain.index(a) for a in order if a != "c"])
        inside = np.broadcast_to(
            np.expand_dims(m, order.index("c")) if "c" in order else m, v.shape
        )
    if "c" not in order:
        v, inside, order = v[None], inside[None], ["c", *order]
    v, inside = np.moveaxis(v, order.index("c"), 0), np.moveaxis(inside, order.index("c"), 0)
    order = ["c", *(a for a in order if a != "c")]
    diffusing = {order.index(a): h for a, h in zip(along, lengths, strict=True)}

    count = math.ceil(chosen.time * sum(2 / h**2 for h in lengths) / 0.8 - 1e-9)
    contrasts = np.broadcast_to(chosen.contrast, len(v)).reshape(-1, *[1] * (v.ndim - 1))
    for _ in range(count):
        v = _sub_step(v, inside, chosen, contrasts, diffusing, joint_channels, chosen.time / count)
    if "c" not in axes:
        return v[0].transpose([order[1:].index(a) for a in axes]), count
    return v.transpose([order.index(a) for a in axes]), count


def _sub_step(v, inside, chosen, contrasts, diffusing, joint, tau):
    guide = _smoothed(v, inside, chosen.smoothing, diffusing) if chosen.smoothing else v
    at_samples = None
    if chosen.gradient == "magnitude":
        squares = sum(
            (_central(guide, inside, axis) / h / contrasts) ** 2 for axis, h in diffusing.items()
        )
        at_samples = _conductance(_joined(squares, joint), chosen)
    change = np.zeros_like(v)
    for axis, h in diffusing.items():
        if at_samples is None:
            squares = (np.diff(guide, axis=axis) / h / contrasts) ** 2
            g = _conductance(_joined(squares, joint), chosen)
        else:
            g = (_low(at_samples, axis) + _high(at_samples, axis)) / 2
        flux = g * np.diff(v, axis=axis) / h * (_low(inside, axis) & _high(inside, axis))
        none = np.zeros_like(np.take(v, [0], axis=axis))
        change += np.diff(np.concatenate([none, flux, none], axis=axis), axis=axis) / h
    return v + tau * change


def _conductance(squares, chosen):
    """Return g of r² = (s / contrast)²."""
    with np.errstate(divide="ignore", over="ignore"):
        match chosen.conductance:
            case "rational":
                return 1 / (1 + squares)
            case "exponential":
                return np.exp(-squares / 2)
            case "simple exponential":
                return np.exp(-np.sqrt(squares))
            case "charbonnier":
                return 1 / np.sqrt(1 + squares)
            case "huber":
                return np.minimum(1, 1 / np.sqrt(squares))
            case "tukey":
                return np.where(squares < 5, (1 - squares / 5) ** 2, 0)
            case "weickert":
                m = chosen.sharpness
                return 1 - np.exp(-weickert_constant(m) / squares**m)


def weickert_constant(m):
    """Return the C > 0 of exp(C) = 1 + 2·m·C."""
    from scipy.optimize import brentq

    return brentq(lambda c: np.exp(c) - 1 - 2 * m * c, 0.5, 10, xtol=1e-14)


def _joined(squares, joint):
    return np.broadcast_to(squares.sum(axis=0), squares.shape) if joint else squares


def _low(array, axis):
    return np.take(array, range(array.shape[axis] - 1), axis=axis)


def _high(array, axis):
    return np.take(array, range(1, array.shape[axis]), axis=axis)


def _central(v, inside, axis):
    """Return half the difference of the neighbours; a missing one is the pixel itself."""
    last = v.shape[axis] - 1
    index = np.arange(last + 1)
    before, after = np.maximum(index - 1, 0), np.minimum(index + 1, last)
    low = np.where(np.take(inside, before, axis), np.take(v, before, axis), v)
    high = np.where(np.take(inside, after, axis), np.take(v, after, axis), v)
    return (high - low) / 2


def _smoothed(v, inside, sigma, diffusing):
    """Return the exact linear diffusion, normalised to what is inside, by the cosine transform."""
    weight = _diffused(inside.astype(float), sigma, diffusing)
    # A pixel that is not inside has no say, so nothing of it may reach the others.
    return np.where(inside, _diffused(v * inside, sigma, diffusing) / weight, v)


def _diffused(v, sigma, diffusing):
    from scipy import fft

    for axis, h in diffusing.items():
        n = v.shape[axis]
        decay = np.exp(-2 * (sigma / h) ** 2 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2)
        shape = [n if i == axis else 1 for i in range(v.ndim)]
        v = fft.idct(fft.dct(v, axis=axis) * decay.reshape(shape), axis=axis)
    return v
