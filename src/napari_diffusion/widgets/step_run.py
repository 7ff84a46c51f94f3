"""All steps of one run, found again by their records, and what can be measured of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.choose import BestStep, best_step
from napari_diffusion.grid import Grid
from napari_diffusion.metrics import METRICS, Metric, View
from napari_diffusion.provenance import grid_of, recipe_of
from napari_diffusion.widgets.images import is_image
from napari_diffusion.widgets.layer_axes import Fold
from napari_diffusion.widgets.layers import is_stack, records_of
from napari_diffusion.widgets.steps_actions import ChosenStep, chosen_step

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

# Where a record keeps what was measured of its step, and which step was recommended.
MEASURES, RECOMMENDED = "measures", "recommended"

#: Metrics that need neither a second run nor a reference: a step and its source are enough.
OF_STEPS = tuple(cls for cls in METRICS if not cls.probe and not cls.needs_reference)

#: Metrics that compare with a reference layer.
OF_REFERENCE = tuple(cls for cls in METRICS if cls.needs_reference)


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
    """

    steps: tuple[ChosenStep, ...]
    shown: int
    source: Image | None

    @classmethod
    def of(cls, viewer: napari.Viewer) -> StepRun | None:
        """Return the run that the active layer belongs to, None where it shows no step."""
        chosen = chosen_step(viewer)
        if chosen is None:
            return None
        key = _key(chosen.record)
        found = [
            ChosenStep(layer, place)
            for layer in viewer.layers
            for place, record in enumerate(records_of(layer))
            if _key(record) == key
        ]
        found.sort(key=lambda step: (step.record["step"], step.record["is_final"]))
        here = [(step.layer is chosen.layer and step.place == chosen.place) for step in found]
        return cls(tuple(found), here.index(True), _source(viewer, chosen))

    @property
    def record(self) -> dict[str, Any]:
        """The record of the step that is shown."""
        return self.steps[self.shown].record

    @property
    def numbers(self) -> list[int]:
        """The indices of the steps; the final filter's is one more than the last."""
        return [int(step.record["step"]) for step in self.steps]

    def values(self, name: str) -> list[float]:
        """Return what was measured of each step, NaN where nothing was."""
        found = [step.record.get(MEASURES, {}).get(name) for step in self.steps]
        return [np.nan if value is None else float(value) for value in found]

    def recommended(self) -> tuple[int, str] | None:
        """Return the index of the recommended step and the reason, None before it was asked for."""
        kept = self.record.get(RECOMMENDED)
        return None if kept is None else (int(kept["index"]), str(kept["reason"]))

    def measured(self, metric: Metric, reference: Image | None = None) -> list[float]:
        """Return a metric of every step; computes, and may be called by any thread."""
        source = self._folded(self.steps[0].data if self.source is None else self.source.data)
        truth = None if reference is None else self._folded(reference.data)
        grid = self._grid(source.shape)
        found = []
        sigma = _noise_of(source, grid)
        for step in self.steps:
            view = View(
                source=grid.canonical(source),
                image=grid.canonical(self._folded(step.data)),
                grid=grid,
                noise_sigma=sigma,
                reference=None if truth is None else grid.canonical(truth),
            )
            found.append(metric.score(view).value)
        return found

    def best(self) -> BestStep:
        """Run the recipe again beside small changes of the source; see `choose.best_step`."""
        if self.source is None:
            raise ValueError(
                f"The source {self.record['source']!r} is not among the layers any more: open it "
                "again, with that name."
            )
        if {"region", "mask", "channel"} & {*self.record, *self.record["grid"]}:
            raise ValueError(
                "A step can be recommended for runs on one whole layer without a mask: run the "
                "recipe on all of it."
            )
        data = self._folded(np.asarray(self.source.data))
        return best_step(data, recipe_of(self.record), **self._options())

    def keep(self, name: str, values: list[float]) -> None:
        """Put what was measured into the records, so that it is saved with the layers."""
        for step, value in zip(self.steps, values, strict=True):
            step.record.setdefault(MEASURES, {})[name] = None if np.isnan(value) else value

    def keep_best(self, best: BestStep) -> None:
        """Put the recommended step, and its curves, into the records."""
        for step in self.steps:
            step.record[RECOMMENDED] = {"index": best.index, "reason": best.reason}
            place = step.record["step"] + 1
            for curve in best.curves:
                if place < len(curve.values) and np.isfinite(curve.values[place]):
                    kept = step.record.setdefault(MEASURES, {})
                    kept[curve.name] = float(curve.values[place])

    def _options(self) -> dict[str, Any]:
        record = self.record
        options = grid_of({**record, "grid": {**record["grid"], "mask": None}})
        if "channel" in record:
            options["axes"] = options["axes"].replace("c", "")
        return options

    def _folded(self, data: Any) -> NDArray[Any]:
        values = np.asarray(data)
        letters = self.record.get("layer_axes", self.record["grid"]["axes"])
        if "channel" in self.record:
            letters = letters.replace("c", "")
        return np.asarray(Fold(letters, values.shape).folded(values))

    def _grid(self, shape: tuple[int, ...]) -> Grid:
        options = {name: each for name, each in self._options().items() if name != "missing"}
        return Grid.of(shape, **options)


def _key(record: dict[str, Any]) -> str:
    """Return what all steps of one run have in common, as text."""
    kept = ("recipe", "grid", "source", "region", "channel", "layers")
    parts = {name: record.get(name) for name in kept}
    # A run that was gone on with has another end, and is the same run.
    parts["recipe"] = {**record["recipe"], "stop_at": None}
    return json.dumps(parts, sort_keys=True)


def _source(viewer: napari.Viewer, step: ChosenStep) -> Image | None:
    for layer in viewer.layers:
        named = layer.name == step.record["source"] and is_image(layer)
        if named and not is_stack(layer) and np.shape(layer.data) == np.shape(step.data):
            return layer
    return None


def _noise_of(source: NDArray[Any], grid: Grid) -> float:
    from napari_diffusion.estimate.noise_sigma import noise_sigma_of
    from napari_diffusion.picture import Picture

    values = np.ascontiguousarray(grid.canonical(source), np.float32)
    return noise_sigma_of(Picture(values, grid)) if np.isfinite(values).all() else 0.0
