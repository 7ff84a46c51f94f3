"""Denoising without a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.loop import run
from napari_diffusion.presets import PRESETS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.grid import GridOptions


def denoise(image: ArrayLike, *, fast: bool = False, **options: Unpack[GridOptions]) -> Any:
    """Take white noise out of an image; nothing is to be chosen.

    The noise is measured, and filters that err in different ways (windows of several sizes and
    non-local means, behind a multiscale pilot) are blended as Stein's unbiased estimate of the
    error says. It is what ``run(image, PRESETS["denoise"])`` does, whose recipe `resolved` shows
    every number of.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    fast : bool
        Take ``PRESETS["denoise fast"]``: coarser windows and one non-local mean, about three
        times as fast and a tenth of a decibel worse.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    ndarray
        A new array of the image's shape; float64 for float64 images, else float32.

    Notes
    -----
    Use it for noise that is alike everywhere and not correlated between neighbours. Not for
    pictures that were compressed or smoothed before: their noise is underestimated and stays.
    """
    return run(image, PRESETS["denoise fast" if fast else "denoise"], **options).image
