"""A layer of what was changed between two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.widgets.results.chosen_step import ChosenStep


def difference_layer(step: ChosenStep, other: NDArray[Any], name: str) -> Image:
    """Return a step minus another image, in colours that are white where nothing changed.

    Parameters
    ----------
    step : ChosenStep
        What is looked at.
    other : array_like
        What is taken away, of the same shape. Of colours the mean difference is shown.
    name : str
        What that is called.
    """
    from napari.layers import Image

    style = step.style.arguments()
    values = np.asarray(step.data, np.float32) - np.asarray(other, np.float32)
    if style.get("rgb"):
        values = values[..., :3].mean(axis=-1)
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0)) or 1.0
    arguments = {
        **style,
        "rgb": False,
        "colormap": "PiYG",
        "contrast_limits": (-largest, largest),
        "metadata": {"napari_diffusion_difference": {"step": step.title, "minus": name}},
    }
    return Image(values, name=f"{step.layer.name} minus {name}", **arguments)
