"""An image that is learned from: its noise, and why it may not do."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_diffusion.denoising.noise_report import noise_of
from napari_diffusion.domains.automatic import automatic
from napari_diffusion.estimate import noise_model, warning_text
from napari_diffusion.filters.denoisers.guided_filter import noise_sigmas, with_noise
from napari_diffusion.filters.learned_diffusion import LearnedDiffusion
from napari_diffusion.loop.registry import to_dict

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.domains.base import Domain
    from napari_diffusion.estimate import Finding

#: What images are: noisy ones alone, repeated frames of the same scene, or free of noise.
Kind = Literal["noisy", "frames", "clean"]

# Row and column noise of less than this, by the noise, does no harm.
_FAINT = 0.1

# Of the pixels of a clean image, so many may be beyond its range; about so many are looked at.
_BEYOND, _MOST_PIXELS = 0.001, 1 << 22

_INSTEAD = "learn from repeated frames (kind='frames') or clean images instead."


@dataclass(frozen=True, eq=False)
class MeasuredImage:
    """An image that is learned from.

    Attributes
    ----------
    image : Image
        Of stabilised intensities where there is a domain.
    units : tuple of float
        What the intensities of each channel are divided by: the noise, or the range of clean ones.
    sigmas : tuple of float
        The noise of each channel, in the units of the image; that to add to a clean one, none for
        all levels.
    source : Image
        As it was given.
    digest : str
        The hash of the array that was given.
    clipped : tuple of float
        Intensities of the source that were cut off: such pixels are left out.
    domain : Domain or None
        In which photon noise is equally strong everywhere.
    """

    image: Image
    units: tuple[float, ...]
    sigmas: tuple[float, ...]
    source: Image
    digest: str
    clipped: tuple[float, ...] = ()
    domain: Domain | None = None

    def about(self) -> dict[str, Any]:
        """Return what it is, as plain values."""
        grid = self.source.grid
        sizes = dict(zip("tczyx", grid.shape, strict=True))
        return {
            "sha256": self.digest,
            "axes": grid.axes,
            "shape": [sizes[axis] for axis in grid.axes],
            "noise_sigma": list(self.sigmas),
            "domain": to_dict(self.domain),
        }


def measured(image: Image, digest: str, kind: Kind, noise_sigma: Any) -> MeasuredImage:
    """Measure what an image is divided by.

    Raises
    ------
    ValueError
        If it cannot be learned from.
    """
    given = noise_sigma != "auto" if isinstance(noise_sigma, str) else True
    if kind == "clean":
        units = (_range(image),) * image.grid.shape[1]
        sigmas = _numbers(noise_sigma, image) if given else ()
        return MeasuredImage(image, units, sigmas, image, digest)
    report = noise_of(image)
    why = _why_not(report, given) if kind == "noisy" else ""
    if why:
        raise ValueError(why)
    domain = None if given else automatic(image)
    stable = image if domain is None else domain.image(image)
    if kind == "frames" and not given:
        sigmas = _of_frames(stable)
    else:
        known = None if domain is None else domain.noise_of(image)
        sigmas = _numbers(noise_sigma if known is None else known, stable)
    if not all(sigmas):
        raise ValueError("No noise was found in this image: there is nothing to learn.")
    clipped = [each for each in report.warnings if each.name == "clipped"]
    values = clipped[0].values if clipped else ()
    return MeasuredImage(stable, sigmas, sigmas, image, digest, values, domain)


def _why_not(report: NoiseReport, given: bool) -> str:
    """Return why noisy images alone do not do; empty where they do."""
    against = [each for each in report.warnings if _matters(each, report.sigma)]
    if against:
        return f"{warning_text(against[0])} Stein's estimate needs white noise: {_INSTEAD}"
    model = report.model
    uneven = None if model is None else model.finding("uneven")
    if uneven is not None and (given or not report.stabilised):
        cure = 'use noise_sigma="auto", which stabilises it.' if report.stabilised else _INSTEAD
        return (
            f"The noise variance differs by a factor of {uneven.amount:.2g} between dark and "
            f"bright regions: {cure}"
        )
    if given:
        return ""
    doubts = [] if model is None else [model.finding(name) for name in ("texture", "few windows")]
    doubt = next((warning_text(each) for each in doubts if each is not None), "")
    if model is None:
        doubt = "The image is too small to measure its noise."
    cure = "enter the noise sigma, or give images of like noise as one stack."
    return f"{doubt} The noise must be known to learn from noisy images alone: {cure}" * bool(doubt)


def _matters(finding: Finding, sigma: float) -> bool:
    faint = finding.name in ("rows", "columns") and finding.amount < _FAINT * sigma
    return not faint and finding.name != "clipped"


def _numbers(noise_sigma: Any, image: Image) -> tuple[float, ...]:
    """Return the noise of each channel, as the filter reads it."""
    chosen = LearnedDiffusion(noise_sigma=noise_sigma)
    # Masked pixels are left out here, and not filtered.
    chosen.check(replace(image.grid, masked=False))
    found = with_noise(chosen, noise_sigmas(chosen.noise_sigma, image)).noise_sigma
    if not isinstance(found, float | int | tuple):
        raise ValueError(
            f"noise_sigma must be 'auto', a number, or one for each channel to learn from an image "
            f"(got {noise_sigma!r})."
        )
    return tuple(float(each) for each in np.broadcast_to(found, image.grid.shape[1]))


def _of_frames(image: Image) -> tuple[float, ...]:
    """Return the noise of each channel by the differences of frames."""
    found = []
    for channel in image.channels():
        model = noise_model(channel, repeats="t")
        moving = model.finding("moving")
        if moving is not None:
            raise ValueError(
                f"{warning_text(moving)} Frames must show the same scene: choose some that do, or "
                "learn from them as noisy images (kind='noisy')."
            )
        found.append(model.sigma)
    return tuple(found)


def _range(image: Image) -> float:
    """Return the range of the intensities of a clean image, but for a few pixels."""
    step = math.ceil(math.sqrt(math.prod(image.grid.shape) / _MOST_PIXELS))
    part = (..., slice(None, None, step), slice(None, None, step))
    values = np.asarray(image.data[part])
    inside = values if image.mask is None else values[np.asarray(image.mask[part])]
    low, high = np.quantile(inside, (_BEYOND, 1 - _BEYOND)) if inside.size else (0.0, 0.0)
    if not high > low:
        raise ValueError("The image is constant: there is nothing to learn.")
    return float(high - low)
