"""The standard deviation of the noise of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack, get_args

from napari_diffusion.core.image import Image

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.core.grid import Grid, GridOptions

#: Methods to measure noise.
Method = Literal["windows", "differences", "wavelet", "mean", "components"]

# As many pixels along both axes as windows have.
_WINDOW = 8


def noise_sigma(
    image: ArrayLike, method: Method = "windows", **options: Unpack[GridOptions]
) -> float:
    """Estimate the standard deviation of white Gaussian noise, in intensity units.

    Fine texture all over the image is mistaken for noise: the estimate is then an upper bound.
    Noise that is correlated between neighbours is underestimated, as in compressed or smoothed
    images.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    method : {"windows", "differences", "wavelet", "mean", "components"}
        "windows": 8 × 8 windows at every fourth pixel along both axes, and their orthonormal
        cosine transforms c[k, q]. The half with the least activity ``Σ c², 0 < k+q < 8`` is cut
        into 8 groups by it. Noise adds as much to ``middle = mean c², 4 ≤ k+q < 8`` as to
        ``fine = mean c², k+q ≥ 10``, texture more, so σ² is where the line through the groups'
        (middle, fine) meets fine = middle. Where the noise varies, this is that of the calmer
        parts. Windows without any variation, such as clipped ones, are excluded.
        "differences": ``median |r| / 0.6745``, r being the second difference along x of that
        along y, ``[1 −2 1] ∗ [1 −2 1]ᵀ / 6``: it needs 3 pixels only and is what the others fall
        back on in images too small for them, but texture adds to it.
        "wavelet": the same median of the diagonal details d of Daubechies' wavelet with 4 taps.
        "mean": ``√(π/2) · mean |r|``, which edges and texture add to even more.
        "components": the weakest principal components of all windows, as many as have a mean power
        of no more than their median.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    float
        0 for an image that is too small.

    References
    ----------
    Ponomarenko, Lukin and others (2007), on windows of least activity; Immerkær (1996), Fast noise
    variance estimation, for r and "mean"; Donoho and Johnstone (1994), Ideal spatial adaptation by
    wavelet shrinkage, for the median; Chen, Zhu and Heng (2015), An efficient statistical method
    for image noise level estimation, for "components".
    """
    return noise_sigma_of(Image.of(image, **options), method)


def noise_sigma_of(image: Image, method: Method = "windows") -> float:
    """Estimate the noise of an image that has been read in."""
    if ("noise_sigma", method) not in image.known:
        image.known["noise_sigma", method] = measured_sigma(image, method) or 0.0
    return float(image.known["noise_sigma", method])


def is_measured(image: Image, method: Method = "windows") -> bool:
    """Say whether the noise of an image is known already, and costs nothing more."""
    return ("noise_sigma", method) in image.known


def measured_sigma(image: Image, method: Method) -> float | None:
    """Return the noise, None where nothing can be measured."""
    from napari_diffusion.estimate import sigma_differences as lines
    from napari_diffusion.noise.sampling.extremes import check_range

    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))} (got {method!r}).")
    axes = _plane(image.grid)
    if not axes:
        return None
    check_range(image)
    if method == "mean":
        return lines.sigma_of_mean(image, axes)
    found = None
    room = axes[1:] and all(image.grid.shape[axis] >= _WINDOW for axis in axes)
    if method == "windows" and room:
        from napari_diffusion.estimate.sigma_windows import sigma_of_windows

        found = sigma_of_windows(image, axes)
    elif method == "components" and room:
        from napari_diffusion.estimate.sigma_components import sigma_of_components

        found = sigma_of_components(image, axes)
    elif method == "wavelet":
        found = lines.sigma_of_wavelet(image, axes)
    return lines.sigma_of_differences(image, axes) if found is None else found


def _plane(grid: Grid) -> tuple[int, ...]:
    """Return the axes of the differences: the last two that diffuse and have 3 pixels or more."""
    long_enough = [axis for axis in grid.along_axes if grid.shape[axis] >= 3]
    return tuple(long_enough[-2:])
