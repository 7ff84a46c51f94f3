"""A layer of what was changed between two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.widgets.results.chosen_step import ChosenStep


def difference_of(step: ChosenStep, other: NDArray[Any]) -> NDArray[Any]:
    """Return a step minus another image of the same shape, of colours the mean difference."""
    values = np.asarray(step.data, np.float32) - np.asarray(other, np.float32)
    return values[..., :3].mean(axis=-1) if step.layer.rgb else values


def difference_layer(step: ChosenStep, values: NDArray[Any], name: str) -> Image:
    """Return a layer of a difference, in colours that are white where nothing changed.

    Parameters
    ----------
    step : ChosenStep
        What is looked at.
    values : ndarray
        What `difference_of` has found.
    name : str
        What was taken away.
    """
    from napari.layers import Image

    style = step.style.arguments()
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0)) or 1.0
    arguments = {
        **style,
        "rgb": False,
        "colormap": "PiYG",
        "contrast_limits": (-largest, largest),
        "metadata": {
            "napari_diffusion_difference": {
                "step": step.title,
                "minus": name,
                "record": dict(step.record),
            }
        },
    }
    return Image(values, name=f"{step.layer.name} minus {name}", **arguments)
