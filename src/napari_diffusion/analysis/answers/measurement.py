"""A user's own measurement of an image: a metric or a function, read as numbers with names."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.function_parameter import spoken
from napari_diffusion.metrics import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.study import Study
    from napari_diffusion.metrics import View

#: A metric, or a function of an image in its own axes; see `stability` for what it returns.
Measure = Metric | Callable[..., Any]


@dataclass
class Measurement:
    """What is measured on steps; the names of the numbers are known after the first.

    Attributes
    ----------
    study : Study
        What the images are steps of.
    measure : Metric or callable
        The user's.
    names : tuple of str
        The numbers that it gives, in order; empty before the first image.
    """

    study: Study
    measure: Measure
    names: tuple[str, ...] = ()
    _known: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        """What the measurement is called."""
        return (
            self.measure.display_name if isinstance(self.measure, Metric) else _name(self.measure)
        )

    def numbers(self, values: NDArray[Any], step: int) -> tuple[float, ...]:
        """Return the numbers of one image; canonical, of the studied part.

        NaN where the measurement has no answer.
        """
        if isinstance(self.measure, Metric):
            found = {self.title: self.measure.value(self._view(self.measure, values))}
        else:
            found = self._called(self.measure, values, step)
        if not self.names:
            self.names = tuple(found)
        unknown = [name for name in found if name not in self.names]
        if unknown:
            raise ValueError(
                f"{self.title} returned {', '.join(unknown)} at step {step}, but not before "
                f"(it returned {', '.join(self.names)}): return the same numbers for every image."
            )
        return tuple(found.get(name, math.nan) for name in self.names)

    def _view(self, metric: Metric, values: NDArray[Any]) -> View:
        view = self.study.run.view(values)
        if not metric.needs_noise:
            return view
        return dataclasses.replace(view, noise_sigma=self.study.noise.sigma)

    def _called(
        self, function: Callable[..., Any], values: NDArray[Any], step: int
    ) -> dict[str, float]:
        image = np.ascontiguousarray(self.study.in_axes(values))
        try:
            return _read(function(image), image, self.study.grid.rgb, self.title)
        except Exception as error:
            where = "the source" if step < 0 else f"step {step}"
            error.add_note(f"This was raised when {self.title} measured {where}.")
            raise


def check_measure(measure: Measure) -> None:
    """Refuse what is no measurement of an image alone."""
    if not isinstance(measure, Metric):
        if isinstance(measure, type) or not callable(measure):
            raise TypeError(
                f"measure must be a metric or a function of an image (got {measure!r})."
            )
        return
    wants = {
        "a second run": bool(measure.probe),
        "a reference": measure.needs_reference,
        "an independent acquisition": measure.needs_halves,
    }
    for what, wanted in wants.items():
        if wanted:
            raise ValueError(
                f"measure must be taken on an image alone, but {measure.display_name} needs "
                f"{what}: use a metric such as Objects or RegionStatistic, or a function."
            )


def _name(function: Callable[..., Any]) -> str:
    return spoken(function).rsplit(".", 1)[-1].replace("<lambda>", "the function")


def _read(answer: Any, image: NDArray[Any], rgb: bool, title: str) -> dict[str, float]:
    """Return what a function returned as numbers with names."""
    if isinstance(answer, Mapping):
        return {str(name): _number(value, str(name)) for name, value in answer.items()}
    array = np.asarray(answer)
    shapes = {image.shape, image.shape[:-1] if rgb else image.shape}
    if array.ndim and array.shape in shapes and array.dtype.kind in "biu":
        return _of_labels(array)
    if array.ndim == 0:
        return {title: _number(array.item(), title)}
    if array.ndim == 1 and array.size and isinstance(answer, Sequence | np.ndarray):
        return {f"value {k}": _number(each, f"value {k}") for k, each in enumerate(array.tolist())}
    raise ValueError(
        "The measurement must return a number, several numbers with or without names, or integer "
        f"labels of the image's shape {image.shape} (got {array.dtype} of shape {array.shape})."
    )


def _number(value: Any, name: str) -> float:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, numbers.Real | np.bool_):
        raise ValueError(f"The measurement must return numbers (got {value!r} for {name}).")
    return float(value)


def _of_labels(labels: NDArray[Any]) -> dict[str, float]:
    """Return the number and the mean size of labels; of a mask, those of connected pixels."""
    if labels.dtype.kind == "b":
        from scipy import ndimage

        labels, _ = ndimage.label(labels, np.ones((3,) * labels.ndim, bool))
    _, sizes = np.unique(labels[labels != 0], return_counts=True)
    mean = float(sizes.mean()) if sizes.size else math.nan
    return {"count": float(sizes.size), "mean size (pixels)": mean}
