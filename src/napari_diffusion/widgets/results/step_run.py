"""All steps of one run, as they stand in layers, and what their records hold of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import (
    DOUBTS,
    MEASURES,
    RECOMMENDED,
    layer_letters,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.results.chosen_step import ChosenStep


@dataclass(frozen=True, eq=False)
class StepRun:
    """The steps of one run that are among the layers.

    Attributes
    ----------
    steps : tuple of ChosenStep
        In the order they were made, the final filter's last.
    shown : int
        Which of them is the active layer, or is shown of the active stack.
    source : Image or None
        The layer that the run started from, where it is still there.
    noise_free_run : tuple of (ChosenStep or None)
        The same step of the run without noise, for each step that has one.
    """

    steps: tuple[ChosenStep, ...]
    shown: int
    source: Image | None
    noise_free_run: tuple[ChosenStep | None, ...]

    def at(self, shown: int) -> StepRun:
        """Return the same run where another step is shown."""
        return self if shown == self.shown else replace(self, shown=shown)

    def is_same(self, other: StepRun) -> bool:
        """Say whether another run has the same steps, source and noise-free run."""
        return (
            self.source is other.source
            and _places(self.steps) == _places(other.steps)
            and _places(self.noise_free_run) == _places(other.noise_free_run)
        )

    @property
    def step(self) -> ChosenStep:
        """The step that is shown."""
        return self.steps[self.shown]

    @property
    def record(self) -> StepRecord:
        """The record of the step that is shown."""
        return self.step.record

    @property
    def numbers(self) -> list[int]:
        """The indices of the steps; the final filter's is one more than the last."""
        return [int(step.record["step"]) for step in self.steps]

    def layers(self) -> list[Image]:
        """Return the layers that the steps lie in, each once."""
        return list({id(step.layer): step.layer for step in self.steps}.values())

    def place_of(self, chosen: ChosenStep) -> int | None:
        """Return the place of a step, None where it is of another run."""
        for place, step in enumerate(self.steps):
            if step.layer is chosen.layer and step.place == chosen.place:
                return place
        return None

    def source_data(self) -> NDArray[Any] | None:
        """Return the source's values where the steps are: all, or their region; else None."""
        return None if self.source is None else self.cut(values(self.source))

    def cut(self, data: NDArray[Any]) -> NDArray[Any] | None:
        """Return values as large as the source, or as the steps, where the steps are; else None."""
        steps = np.shape(self.steps[0].data)
        if "region" in self.record and np.shape(data) != steps:
            parts = tuple(slice(*ends) for ends in self.record["region"])
            parts = parts[1:] if "channel" in self.record else parts
            shape = tuple(self.record["source_shape"])[-len(parts) :]
            if np.shape(data) != shape:
                return None
            data = data[parts]
        return data if np.shape(data) == steps else None

    @property
    def letters(self) -> str:
        """One letter per axis of a step's layer."""
        return layer_letters(self.record)

    def folded(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return a layer's values with the axes that the loop took."""
        values = np.asarray(data)
        return np.asarray(Fold(self.letters, values.shape).folded(values))

    # --- what the records hold ---

    def values(self, name: str) -> list[float]:
        """Return what was measured of each step, NaN where nothing was."""
        found = [step.record.get(MEASURES, {}).get(name) for step in self.steps]
        return [np.nan if value is None else float(value) for value in found]

    def is_measured(self, name: str) -> bool:
        """Say whether a measure was tried on every step, with or without a value."""
        return all(name in step.record.get(MEASURES, {}) for step in self.steps)

    def measures(self) -> list[str]:
        """Return the names of all that was measured of any step, in the order it was."""
        return list(dict.fromkeys(n for s in self.steps for n in s.record.get(MEASURES, {})))

    def doubt(self, name: str) -> str:
        """Return why a measure is excluded from the recommendation; else empty."""
        found = (step.record.get(DOUBTS, {}).get(name) for step in self.steps)
        return next((str(why) for why in found if why), "")

    def keep(self, name: str, values: Sequence[float], doubt: str = "") -> None:
        """Put what was measured into the records, so that it is saved with the layers."""
        for step, value in zip(self.steps, values, strict=True):
            keep_value(step, name, value, doubt)

    def recommended(self) -> tuple[int, str] | None:
        """Return the index of the recommended step and the reason, None before it was asked for."""
        kept = self.record.get(RECOMMENDED)
        return None if kept is None else (int(kept["index"]), str(kept["reason"]))


def _places(steps: Sequence[ChosenStep | None]) -> list[tuple[int, int] | None]:
    """Return which layers steps lie in, and where; the steps keep the layers from being deleted."""
    return [None if step is None else (id(step.layer), step.place) for step in steps]


def keep_value(step: ChosenStep, name: str, value: float, doubt: str = "") -> None:
    """Put what was measured of one step into its record; JSON has no word for NaN and infinity."""
    step.record.setdefault(MEASURES, {})[name] = float(value) if np.isfinite(value) else None
    if doubt:
        step.record.setdefault(DOUBTS, {})[name] = doubt
    else:
        step.record.get(DOUBTS, {}).pop(name, None)
