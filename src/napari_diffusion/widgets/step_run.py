"""All steps of one run, found again among the layers by their records."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.channels import source_of
from napari_diffusion.widgets.images import is_image
from napari_diffusion.widgets.layer_axes import Fold
from napari_diffusion.widgets.layers import is_stack, records_of
from napari_diffusion.widgets.steps_actions import ChosenStep, chosen_step, shown_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

# Where a record keeps what was measured of its step, why that has no vote, and which step was
# recommended.
MEASURES, DOUBTS, RECOMMENDED = "measures", "doubts", "recommended"


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
    twin : tuple of (ChosenStep or None)
        The same step of the run without noise, for each step that has one.
    """

    steps: tuple[ChosenStep, ...]
    shown: int
    source: Image | None
    twin: tuple[ChosenStep | None, ...]

    def at(self, shown: int) -> StepRun:
        """Return the same run where another step is shown."""
        return self if shown == self.shown else replace(self, shown=shown)

    @property
    def step(self) -> ChosenStep:
        """The step that is shown."""
        return self.steps[self.shown]

    @property
    def record(self) -> dict[str, Any]:
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

    def source_data(self) -> Any:
        """Return the source's values where the steps are: all, or their region; else None."""
        if self.source is None:
            return None
        data = self.source.data
        if "region" in self.record:
            letters = self.letters
            fold = Fold(letters, tuple(data.shape))
            parts = tuple(slice(*ends) for ends in self.record["region"])
            if "channel" in self.record:
                parts = parts[1:]
            if fold.axes != letters or len(parts) != len(data.shape):
                return None
            data = data[parts]
        return data if np.shape(data) == np.shape(self.steps[0].data) else None

    @property
    def letters(self) -> str:
        """One letter per axis of a step's layer."""
        letters = str(self.record.get("layer_axes", self.record["grid"]["axes"]))
        return letters.replace("c", "") if "channel" in self.record else letters

    def folded(self, data: Any) -> NDArray[Any]:
        """Return a layer's values with the axes that the loop took."""
        values = np.asarray(data)
        return np.asarray(Fold(self.letters, values.shape).folded(values))

    # --- what the records hold ---

    def values(self, name: str) -> list[float]:
        """Return what was measured of each step, NaN where nothing was."""
        found = [step.record.get(MEASURES, {}).get(name) for step in self.steps]
        return [np.nan if value is None else float(value) for value in found]

    def is_measured(self, name: str) -> bool:
        """Say whether a measure was tried on every step; what cannot be said is known, too."""
        return all(name in step.record.get(MEASURES, {}) for step in self.steps)

    def measures(self) -> list[str]:
        """Return the names of all that was measured of any step, in the order it was."""
        return list(dict.fromkeys(n for s in self.steps for n in s.record.get(MEASURES, {})))

    def doubt(self, name: str) -> str:
        """Return why a measure has no vote; empty where it has one."""
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


def keep_value(step: ChosenStep, name: str, value: float, doubt: str = "") -> None:
    """Put what was measured of one step into its record; JSON has no word for NaN and infinity."""
    step.record.setdefault(MEASURES, {})[name] = float(value) if np.isfinite(value) else None
    if doubt:
        step.record.setdefault(DOUBTS, {})[name] = doubt
    else:
        step.record.get(DOUBTS, {}).pop(name, None)


class RunFinder:
    """Finds the run that is looked at, and remembers it while the layers stay the same.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        # By the identity of a record, which is kept here so that no other one gets it.
        self._keys: dict[int, tuple[dict[str, Any], str]] = {}
        self._run: StepRun | None = None
        self._known = False
        self._ahead = False
        self._count = 0

    def show(self, place: int) -> StepRun:
        """Take a step for the one that is shown until `arrive`: selecting its layer takes long."""
        assert self._run is not None
        self._run, self._ahead = self._run.at(place), True
        return self._run

    def arrive(self) -> None:
        """Follow the selection again."""
        self._ahead = False

    def forget(self, event: object = None) -> None:
        """Look through all layers at the next call: some came, went or were named anew."""
        del event
        self._known = self._ahead = False

    def find(self) -> StepRun | None:
        """Return the run of the active layer, or else the last one, while it is there."""
        if self._ahead and self._known:
            return self._run
        chosen = chosen_step(self._viewer) or self._last()
        if chosen is None:
            self._run = None
            return None
        if self._known and self._run is not None and self._count == self._counted():
            place = self._run.place_of(chosen)
            if place is not None:
                self._run = self._run.at(place)
                return self._run
        self._run = self._searched(chosen)
        self._known, self._count = True, self._counted()
        return self._run

    def _counted(self) -> int:
        """Return how many records the run's layers have: a stack grows while it is made."""
        assert self._run is not None
        return sum(len(records_of(layer)) for layer in self._run.layers())

    def _last(self) -> ChosenStep | None:
        if self._run is None:
            return None
        left = [step for step in self._run.steps if step.layer in self._viewer.layers]
        here = self._run.step
        if is_stack(here.layer) and here in left:
            return shown_of(here.layer, self._viewer)
        return here if here in left else next(iter(left), None)

    def _searched(self, chosen: ChosenStep) -> StepRun:
        every = [
            ChosenStep(layer, place)
            for layer in self._viewer.layers
            for place in range(len(records_of(layer)))
        ]
        keys = {id(step.record): (step.record, self._key(step.record)) for step in every}
        self._keys = keys
        key = keys[id(chosen.record)][1]
        found = [step for step in every if keys[id(step.record)][1] == key]
        found.sort(key=lambda step: (step.record["step"], step.record["is_final"]))
        run = StepRun(tuple(found), 0, _source(self._viewer, chosen), _twins(found, every))
        place = run.place_of(chosen)
        assert place is not None
        return run.at(place)

    def _key(self, record: dict[str, Any]) -> str:
        known = self._keys.get(id(record))
        return known[1] if known is not None else _key(record)


def _key(record: dict[str, Any]) -> str:
    """Return what all steps of one run have in common, as text."""
    kept = ("recipe", "grid", "source", "region", "channel", "layers", "twin")
    parts = {name: record.get(name) for name in kept}
    # A run that was gone on with has another end, and is the same run.
    parts["recipe"] = {**record["recipe"], "stop_at": None}
    return json.dumps(parts, sort_keys=True)


def _source(viewer: napari.Viewer, step: ChosenStep) -> Image | None:
    for layer in viewer.layers:
        if layer.name == source_of(step.record) and is_image(layer) and not is_stack(layer):
            return layer
    return None


def _twins(steps: list[ChosenStep], every: list[ChosenStep]) -> tuple[ChosenStep | None, ...]:
    """Return the same step of the run without noise, for each step."""
    if steps[0].record.get("twin"):
        return (None,) * len(steps)
    known = {_twin_key(each.record): each for each in every if each.record.get("twin")}
    return tuple(known.get(_twin_key(step.record)) for step in steps)


def _twin_key(record: dict[str, Any]) -> str:
    """Return what a step and its twin have in common: all but the noise."""
    kept = ("step", "is_final", "grid", "source", "region", "channel", "layers")
    parts = {name: record.get(name) for name in kept}
    for name in ("diffusion_filter", "final_filter", "domain"):
        parts[name] = record["recipe"].get(name)
    return json.dumps(parts, sort_keys=True)
