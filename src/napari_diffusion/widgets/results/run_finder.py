"""Finds the run that is looked at among the layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import is_stack, records_of, source_of
from napari_diffusion.widgets.results.chosen_step import ChosenStep, chosen_step, shown_of
from napari_diffusion.widgets.results.step_run import StepRun

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.io.step_record import StepRecord


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
        self._keys: dict[int, tuple[StepRecord, str]] = {}
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

    def forget(self) -> None:
        """Look through all layers at the next call: some came, went or were named anew."""
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

    def run_of(self, layer: Image) -> StepRun:
        """Return the run of a layer with a step, of a stack at the step that is shown."""
        return self._searched(shown_of(layer, self._viewer))

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
        same = [step for step in every if keys[id(step.record)][1] == key]
        found = _once(same, chosen)
        found.sort(key=lambda step: (step.record["step"], step.record["is_final"]))
        run = StepRun(
            tuple(found), 0, _source(self._viewer, chosen), _noise_free_runs(found, every)
        )
        place = run.place_of(chosen)
        assert place is not None
        return run.at(place)

    def _key(self, record: StepRecord) -> str:
        known = self._keys.get(id(record))
        return known[1] if known is not None else _key(record)


def _once(steps: list[ChosenStep], chosen: ChosenStep) -> list[ChosenStep]:
    """Return each step once: a run may be there twice, as it was made and as it was saved."""
    known: dict[tuple[int, bool], ChosenStep] = {}
    for step in steps:
        here = step.layer is chosen.layer and (step.place == chosen.place or is_stack(step.layer))
        number = step.record["step"], step.record["is_final"]
        if here or number not in known:
            known[number] = step
    return list(known.values())


def _key(record: StepRecord) -> str:
    """Return what all steps of one run have in common, as text."""
    kept = ("recipe", "grid", "source", "region", "channel", "layers", "noise_free_run")
    parts = {name: record.get(name) for name in kept}
    # A continued run has another end, and is the same run.
    parts["recipe"] = {**record["recipe"], "stop_at": None}
    return json.dumps(parts, sort_keys=True)


def _source(viewer: napari.Viewer, step: ChosenStep) -> Image | None:
    for layer in viewer.layers:
        if layer.name == source_of(step.record) and is_image(layer) and not is_stack(layer):
            return layer
    return None


def _noise_free_runs(
    steps: list[ChosenStep], every: list[ChosenStep]
) -> tuple[ChosenStep | None, ...]:
    """Return the same step of the run without noise, for each step."""
    if steps[0].record.get("noise_free_run"):
        return (None,) * len(steps)
    known = {
        _noise_free_run_key(each.record): each
        for each in every
        if each.record.get("noise_free_run")
    }
    return tuple(known.get(_noise_free_run_key(step.record)) for step in steps)


def _noise_free_run_key(record: StepRecord) -> str:
    """Return what a step and its noise-free run have in common: all but the noise."""
    kept = ("step", "is_final", "grid", "source", "region", "channel", "layers")
    parts = {name: record.get(name) for name in kept}
    for name in ("diffusion_filter", "final_filter", "domain"):
        parts[name] = record["recipe"].get(name)
    return json.dumps(parts, sort_keys=True)
