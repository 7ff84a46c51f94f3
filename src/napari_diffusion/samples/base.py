"""Sample images, and how they become napari layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Keyword arguments of napari's ``Layer.create``.
LayerOptions = dict[str, Any]

#: What napari adds to its list: data, keyword arguments, layer type.
LayerData = tuple[NDArray[Any], LayerOptions, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """An example image with its axes, pixel size and ground truth.

    ``nd.steps(sample.image, recipe, axes=sample.axes, spacing=sample.spacing, rgb=sample.rgb)``
    runs the loop on it; ``nd.Recipe.from_dict(sample.recipe)`` is the recipe of the documentation.

    Attributes
    ----------
    name : str
        Name of the layer it becomes.
    image : ndarray
        The degraded image, a new array at every call.
    axes : str
        One letter of "tczyx" per axis of `image`.
    spacing : tuple of float
        Pixel size along each spatial axis, in `unit`.
    unit : str
        Unit of `spacing`: "pixel" where the size of a pixel is not known, else "micrometer".
    truth : ndarray or None
        The ground truth, same shape and intensity scale as `image`; None where it is not known.
    rgb : bool
        True if the last axis holds red, green and blue.
    about : str
        How the image was made.
    recipe : dict
        The recipe that the documentation shows it with, as a recipe file has it: with the unit of
        its lengths beside it.
    """

    name: str
    image: NDArray[Any]
    axes: str
    spacing: tuple[float, ...]
    unit: str
    truth: NDArray[Any] | None = None
    rgb: bool = False
    about: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)


def layers(sample: Sample) -> list[LayerData]:
    """Return the sample as napari layers: the image, then its ground truth if known.

    The ground truth is hidden and has the image's contrast limits, so that
    both are shown alike. ``metadata["napari_diffusion_sample"]`` of each layer says that it is
    synthetic, and how it was made; that of the image has the sample's ``"recipe"``.

    Parameters
    ----------
    sample : Sample
        The sample to show.

    Returns
    -------
    list of (data, keyword arguments, "image")
        What ``napari.layers.Layer.create`` takes.
    """
    image = (sample.image, _shown(sample, "image", sample.name), "image")
    if sample.truth is None:
        return [image]
    hidden = _shown(sample, "truth", f"{sample.name} · ground truth") | {"visible": False}
    return [image, (sample.truth, hidden, "image")]


def exploring(
    start: float | str = "5 % of range", unit: str = "pixel", pixel_size: float = 1.0
) -> dict[str, Any]:
    """Return the preset *explore* for a pixel size, as a recipe file has it.

    Parameters
    ----------
    start : float or str
        The starting noise scale.
    unit : str
        The unit of its lengths.
    pixel_size : float
        The smallest pixel size, in this unit.
    """

    def scaled(number: float, power: int) -> float:
        return float(f"{number * pixel_size**power:.3g}")

    return {
        "schema": 1,
        "unit": unit,
        "pixel_size": pixel_size,
        "num_steps": 10,
        "starting_noise_scale": start,
        "noise": {"type": "Gaussian"},
        "schedule": {"type": "Geometric", "end": 0.1},
        "diffusion_filter": {
            "type": "PeronaMalik",
            "contrast": "auto",
            "smoothing": scaled(0.7, 1),
            "time": scaled(0.3, 2),
        },
        "final_filter": {"type": "Heat", "time": scaled(0.25, 2)},
        "seed": 0,
    }


def shipped(name: str) -> NDArray[np.uint8]:
    """Return the image of that name that comes with scikit-image.

    Raises
    ------
    ModuleNotFoundError
        If scikit-image is not installed.
    """
    try:
        from skimage import data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"The image {name!r} comes with scikit-image, which is not installed: "
            "pip install scikit-image",
            name=error.name,
        ) from error
    image: NDArray[np.uint8] = getattr(data, name)()
    return image


def _shown(sample: Sample, role: str, name: str) -> LayerOptions:
    axes = sample.axes[:-1] if sample.rgb else sample.axes
    space = dict(zip((axis for axis in axes if axis in "zyx"), sample.spacing, strict=True))
    shown: LayerOptions = {
        "name": name,
        "scale": tuple(space.get(axis, 1.0) for axis in axes),
        "units": tuple(sample.unit if axis in space else "pixel" for axis in axes),
        "axis_labels": tuple(axes),
        "rgb": sample.rgb,
        "metadata": {
            "napari_diffusion_sample": {
                "name": sample.name,
                "role": role,
                "synthetic": True,
                "about": sample.about,
                **({"recipe": sample.recipe} if role == "image" else {}),
            }
        },
    }
    if not sample.rgb:
        shown["contrast_limits"] = _contrast_limits(sample.image)
    return shown


def _contrast_limits(image: NDArray[Any]) -> tuple[float, float]:
    low, high = np.nanpercentile(image, (0.1, 99.9))
    return float(low), float(high)
