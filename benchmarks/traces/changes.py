"""Changes of a part of a picture: each returns the changed picture and the mask of the part.

A change gets a picture and a generator; the same name and picture give the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces.pictures import jpeg, picture, picture_without_blocks, rng_of
from benchmarks.traces.regions import blended, blob

if TYPE_CHECKING:
    from benchmarks.traces.vetted import Crop

Alone = Callable[[Any, np.random.Generator], Any]
Change = Callable[[Any, np.random.Generator], tuple[Any, Any]]

# Changes that would change less, or nothing, in a photograph that ships as JPEG.
_OF_NO_JPEG = {"JPEG-75 on the grid", "never JPEG in JPEG-75"}

OF_NO_JPEG = (
    "Crops of photographs that ship as JPEG are made smaller by 3/4 before they are changed, since "
    "no part of them was never a JPEG; two of them ship at quality 75, where the change to JPEG-75 "
    "changes no pixel."
)

# Steps of heat after which a hole of a few percent is filled.
_FILLING = 600


def in_part(alone: Alone) -> Change:
    """Return a change of one part from a change of the whole."""

    def change(picture: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        mask = blob(picture.shape, rng)
        return blended(picture, alone(picture, rng), mask), mask

    return change


def filtered(chosen: nd.filters.Filter) -> Alone:
    """Return a change by a filter of this package."""
    return lambda picture, _: np.asarray(chosen(picture.astype(np.float32)), np.float64)


def bilateral(picture: Any, _: np.random.Generator) -> Any:
    """Return what scikit-image's bilateral filter makes."""
    from skimage.restoration import denoise_bilateral

    made = denoise_bilateral(picture / 255, win_size=7, sigma_color=20 / 255, sigma_spatial=3)
    return 255 * made


def median(picture: Any, _: np.random.Generator) -> Any:
    """Return SciPy's median of 3 × 3."""
    from scipy import ndimage

    return ndimage.median_filter(picture, 3)


def total_variation(picture: Any, _: np.random.Generator) -> Any:
    """Return scikit-image's total variation."""
    from skimage.restoration import denoise_tv_chambolle

    return 255 * denoise_tv_chambolle(picture / 255, 0.05)


def noisy(sigma: float) -> Alone:
    """Return a change that adds white noise."""
    return lambda picture, rng: picture + rng.normal(0, sigma, picture.shape)


def turned_and_scaled(scale: float, degrees: float = 0.0) -> Alone:
    """Return a change that samples anew, linearly, about a point near the middle."""

    def alone(picture: Any, rng: np.random.Generator) -> Any:
        middle = np.array(picture.shape) / 2 + rng.uniform(-9, 9, 2)
        return sampled(picture, turn(degrees) / scale, middle, middle)

    return alone


def turn(degrees: float) -> Any:
    """Return the matrix of a turn, y and x."""
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def sampled(
    picture: Any,
    matrix: Any,
    source: Any,
    target: Any,
    *,
    shape: tuple[int, int] | None = None,
    order: int = 1,
    mode: str = "mirror",
) -> Any:
    """Return ``picture[source + matrix (p − target)]`` for all pixels p."""
    from scipy import ndimage

    offset = np.asarray(source) - matrix @ np.asarray(target)
    return ndimage.affine_transform(
        picture, matrix, offset, output_shape=shape, order=order, mode=mode
    )


def recompressed(quality: int, shift: tuple[int, int] = (0, 0)) -> Alone:
    """Return a change to a JPEG whose grid begins at a shift."""

    def alone(picture: Any, _: np.random.Generator) -> Any:
        moved = np.roll(picture, shift, (0, 1))
        return np.roll(jpeg(moved, quality), (-shift[0], -shift[1]), (0, 1))

    return alone


def never_compressed(quality: int) -> Change:
    """Return a change to a JPEG in which a part never was one."""

    def change(picture: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        mask = blob(picture.shape, rng)
        return blended(jpeg(picture, quality), picture, mask, 0.7), mask

    return change


def in_painted(with_noise: bool) -> Change:
    """Return a change that fills a part by heat from around, with the noise of the rest or not."""

    def change(picture: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        from scipy import ndimage

        mask = blob(picture.shape, rng, 0.03)
        wide = ndimage.gaussian_filter(np.where(mask, 0, picture), 20)
        made = np.where(mask, wide / ndimage.gaussian_filter((~mask).astype(float), 20), picture)
        for _ in range(_FILLING):
            made[mask] = _around(made)[mask]
        if with_noise:
            residual = picture - ndimage.gaussian_filter(picture, 1)
            sigma = 1.1 * 1.4826 * np.median(np.abs(residual))
            made = np.where(mask, made + rng.normal(0, sigma, picture.shape), made)
        return made, mask

    return change


def _around(values: Any) -> Any:
    padded = np.pad(values, 1, mode="edge")
    return (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4


def erased(picture: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Paint a part over with one grey."""
    mask = blob(picture.shape, rng, 0.02)
    return np.where(mask, np.median(picture[mask]), picture), mask


SMOOTHERS: dict[str, Alone] = {
    "heat .5": filtered(nd.filters.Heat(time=0.5)),
    "heat 1": filtered(nd.filters.Heat(time=1.0)),
    "Perona–Malik 1": filtered(nd.filters.PeronaMalik(time=1.0)),
    "bilateral": bilateral,
    "median 3 × 3": median,
}

CHANGES: dict[str, Change] = {
    **{f"smoothed: {name}": in_part(alone) for name, alone in SMOOTHERS.items()},
    "noise 2": in_part(noisy(2.0)),
    "resampled × 1.3": in_part(turned_and_scaled(1.3)),
    "resampled × 1.1": in_part(turned_and_scaled(1.1)),
    "turned 7°": in_part(turned_and_scaled(1.0, 7.0)),
    "in-painted": in_painted(False),
    "in-painted, with noise": in_painted(True),
    "erased": erased,
    "JPEG-75 on the grid": in_part(recompressed(75)),
    "JPEG-75 off the grid": in_part(recompressed(75, (3, 5))),
    "never JPEG in JPEG-75": never_compressed(75),
}


def changed(crop: Crop, name: str, seed: int = 0) -> tuple[Any, Any]:
    """Return a changed crop, not yet saved, and where it was changed."""
    found = picture_without_blocks(crop) if name in _OF_NO_JPEG else picture(crop)
    return CHANGES[name](found, rng_of(crop.name, name, seed))
