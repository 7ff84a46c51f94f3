"""The noise of the source of a report, measured in its middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.report.middle import middle_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.estimate import NoiseModel


def measured_noise(
    source: NDArray[Any], options: GridOptions
) -> tuple[tuple[NoiseModel, ...], str]:
    """Return the noise of each channel of a source; without one, why it was not measured.

    Parameters
    ----------
    source : array
        Of numpy or dask; its middle alone is read.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    """
    try:
        image, _ = middle_image(source, options)
    except (ValueError, TypeError) as error:
        return (), f"Not measured: {error}"
    found = SourceNoise(image).models
    return found, "" if found else "Not measured: the image is too small for it."
