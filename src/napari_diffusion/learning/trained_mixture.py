"""A small prior: a mixture of Gaussians that was learned from a stack of small images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_diffusion.filters.learned import weight_files
from napari_diffusion.filters.mixture.mixture_file import (
    MOST_GAUSSIANS,
    MOST_SIDE,
    bytes_of,
)
from napari_diffusion.learning.half_prediction import halves, predicted
from napari_diffusion.learning.mixture_fit import fitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.filters.mixture.mixture import Mixture

    Array = NDArray[np.float64]

# One image in so many is held out, again and again until there are enough of them; fewer than so
# many images teach nothing.
_ONE_IN, _ENOUGH, _FEWEST = 8, 64, 16

# Images for each Gaussian, where their number is "auto".
_IMAGES_EACH = 60

# Larger intensities overflow when they are squared and summed.
_MOST = 1e40

# Standard errors by which an error must be smaller to count as smaller.
_SURE = 2.0


@dataclass(frozen=True, eq=False)
class TrainedMixture:
    """A mixture that was learned, and how well it holds on images held out.

    Attributes
    ----------
    weights : str
        How `GaussianMixture` and recipes name it: "sha256:" and the hash of its file.
    data : bytes
        Its file.
    is_better : bool
        Whether the error is smaller by more than chance allows. Where it is not, there were too few
        images, or they have too little in common.
    about : dict
        Plain values that say what it was learned from, and how.
    """

    weights: str
    data: bytes
    is_better: bool
    about: dict[str, Any]

    @property
    def explained(self) -> float:
        """How much smaller the squared error is than that of the mean image.

        It is that of one half of each image held out, predicted from the other half: 1 is exact, 0
        no better, below 0 worse.
        """
        return float(self.about["explained"])

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the file, for ``nd.filters.GaussianMixture(weights=…)``; return its path."""
        return weight_files.write(path, self.data, overwrite)

    def summary(self) -> str:
        """Return in a sentence how well it holds."""
        height, width = self.about["shape"]
        told = (
            f"Learned from {self.about['images']} images of {height} × {width} pixels. Held out, "
            f"one half of an image predicts the other with {abs(100 * self.explained):.0f} % "
            f"{'less' if self.explained >= 0 else 'more'} squared error than the mean image."
        )
        if self.is_better:
            return told
        chance = " That may be chance:" * (self.explained >= 0) or " It does not help:"
        return f"{told}{chance} there are too few images, or they differ too much."


def train_mixture(
    images: ArrayLike,
    *,
    gaussians: int | Literal["auto"] = "auto",
    shrinkage: float = 20.0,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
) -> TrainedMixture:
    """Learn a mixture of Gaussians from a stack of small images of the same kind and size.

    With the reverse updates of a recipe a `GaussianMixture` then restores images of that kind, or
    makes new ones. How well it holds is measured on images held out, one in eight at a time; then
    it is learned from all of them. The same libraries on as many threads give the same file.

    Parameters
    ----------
    images : array_like, shape (n, H, W)
        At least 16, of at most 32 × 32 pixels; finite, and aligned with each other. What is later
        restored must have the same size and intensities.
    gaussians : int or "auto"
        How many, 1 to 64. More follow finer differences between the images, and need more of them.
        "auto" takes one for each 60 images.
    shrinkage : float
        0 or more. The covariance of each Gaussian is mixed with so many images' worth of all
        images' own. More is safer with few images; less is sharper.
    seed : int
        Which images are held out, and where the Gaussians begin.
    about : dict, optional
        Plain values to keep in the file, such as sources and licences.

    Returns
    -------
    TrainedMixture

    Raises
    ------
    ValueError
        If images are too few, too large, not finite or all the same, or a parameter is out of
        range.

    References
    ----------
    Zoran and Weiss (2011), From learning models of natural image patches to whole image
    restoration.
    """
    stack = _checked(np.asarray(images))
    count = _gaussians(gaussians, len(stack) - len(stack) // _ONE_IN)
    if not 0 <= shrinkage < np.inf:
        raise ValueError(f"shrinkage must be a finite number of at least 0 (got {shrinkage!r}).")
    own, mean = _held_out(stack, count, shrinkage, seed)
    gains = mean - own
    found: dict[str, Any] = {
        "images": len(stack),
        "held_out": len(gains),
        "shape": list(stack.shape[1:]),
        "gaussians": count,
        "shrinkage": float(shrinkage),
        "seed": int(seed),
        "explained": float(gains.sum() / mean.sum()) if mean.any() else 0.0,
        **(about or {}),
    }
    data = bytes_of(fitted(stack, count, shrinkage, seed), found)
    is_better = gains.mean() > _SURE * gains.std(ddof=1) / np.sqrt(len(gains))
    return TrainedMixture(weight_files.keep(data), data, bool(is_better), found)


def _held_out(stack: Array, gaussians: int, shrinkage: float, seed: int) -> tuple[Array, Array]:
    """Return errors of images held out, in as many turns as it takes for enough of them."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(stack))
    turns = np.array_split(order, _ONE_IN)
    errors = []
    for turn in turns[: -(-_ENOUGH // len(turns[-1]))]:
        rest = np.delete(stack, turn, axis=0)
        errors.append(_errors(fitted(rest, gaussians, shrinkage, seed), stack[turn]))
    own, mean = np.concatenate(errors, axis=1)
    return own, mean


def _checked(images: NDArray[Any]) -> Array:
    """Return the images in double precision; raise if no mixture can be learned from them."""
    if images.ndim != 3 or images.dtype.kind not in "biuf":
        raise ValueError(
            f"images must be a stack of real numbers, of shape (n, H, W) (got {images.dtype} of "
            f"shape {images.shape})."
        )
    count, height, width = images.shape
    if not 1 <= min(height, width) <= max(height, width) <= MOST_SIDE or height * width < 2:
        raise ValueError(
            f"images must have 2 pixels or more, and at most {MOST_SIDE} along each axis (got "
            f"{height} × {width}): cut or bin them."
        )
    if count < _FEWEST:
        raise ValueError(f"A mixture needs {_FEWEST} images or more (got {count}): give more.")
    stack = images.astype(np.float64)
    if not np.isfinite(stack).all():
        raise ValueError("images must be finite: fill NaN and infinite pixels, or leave them out.")
    if not _MOST > np.ptp(stack, axis=0).max() > 0 or np.abs(stack).max() > _MOST:
        raise ValueError(
            f"images must differ, with intensities of at most {_MOST:g}: a mixture learns how they "
            "differ."
        )
    return stack


def _gaussians(given: int | str, images: int) -> int:
    """Return how many Gaussians there are; raise for a number out of range."""
    most = min(MOST_GAUSSIANS, images)
    if given == "auto":
        return int(np.clip(images // _IMAGES_EACH, 1, most))
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 1 <= given <= most:
        raise ValueError(
            f'gaussians must be "auto" or a whole number from 1 to {most}, of {images} images (got '
            f"{given!r})."
        )
    return int(given)


def _errors(mixture: Mixture, images: Array) -> tuple[Array, Array]:
    """Return of each image the squared error of its predicted halves, and of the mean image."""
    own, mean = np.zeros((2, len(images)))
    for seen in halves(mixture.shape):
        hidden = images[:, ~seen]
        own += ((predicted(mixture, images, seen) - hidden) ** 2).mean(axis=1)
        mean += ((mixture.mean[~seen] - hidden) ** 2).mean(axis=1)
    return own, mean
