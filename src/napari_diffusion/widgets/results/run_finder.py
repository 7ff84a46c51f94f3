"""Finds the runs among the layers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import is_stack, records_of, source_of
from napari_diffusion.widgets.results.chosen_step import ChosenStep
from napari_diffusion.widgets.results.step_run import StepRun

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.io.step_record import StepRecord


class RunKey(NamedTuple):
    """What all steps of one run have in common.

    Attributes
    ----------
    common : str
        The recipe, the grid and the source, as text.
    channel : int or None
        Which channel, where several layers were diffused together.
    """

    common: str
    channel: int | None


class RunFinder:
    """Finds the runs among the layers, and remembers them while the layers stay the same.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        # By the identity of a record, which is kept here so that no other one gets it.
        self._keys: dict[int, tuple[StepRecord, RunKey]] = {}
        self._found: dict[RunKey, list[ChosenStep]] = {}
        self._run: StepRun | None = None
        self._is_old = False
        self._count = -1

    def forget(self) -> None:
        """Look through all layers at the next call: some came, went or were named anew."""
        self._count = -1

    def runs(self) -> dict[RunKey, list[ChosenStep]]:
        """Return the steps of each run, in the order of the layers."""
        # A stack grows while it is made.
        count = sum(len(records_of(layer)) for layer in self._viewer.layers)
        if count != self._count:
            self._search()
            self._count, self._is_old = count, True
        return self._found

    def key_of(self, step: ChosenStep) -> RunKey:
        """Return what a step has in common with the others of its run."""
        known = self._keys.get(id(step.record))
        return known[1] if known is not None else _key(step.record)

    def run_of(self, chosen: ChosenStep) -> StepRun:
        """Return the run of a step, which is the one that is shown."""
        runs = self.runs()
        before, place = self._run, None
        if before is not None and not self._is_old:
            place = before.place_of(chosen)
        if before is None or place is None:
            steps = _once(runs[self.key_of(chosen)], chosen)
            steps.sort(key=lambda step: (step.record["step"], step.record["is_final"]))
            every = [step for each in runs.values() for step in each]
            source = _source(self._viewer, chosen)
            found = StepRun(tuple(steps), 0, source, _noise_free_runs(steps, every))
            # Layers that came and went may have nothing to do with the run.
            before = before if before is not None and before.is_same(found) else found
            place, self._is_old = before.place_of(chosen), False
        assert place is not None
        self._run = before.at(place)
        return self._run

    def together(self, chosen: ChosenStep) -> list[Image]:
        """Return the layers that show a step: one for each channel of its run."""
        key, record = self.key_of(chosen), chosen.record
        if key.channel is None:
            return [chosen.layer]
        return [chosen.layer] + [
            step.layer
            for other, steps in self.runs().items()
            for step in steps
            if other.common == key.common
            and other.channel != key.channel
            and (step.record["step"], step.record["is_final"])
            == (record["step"], record["is_final"])
        ]

    def _search(self) -> None:
        keys: dict[int, tuple[StepRecord, RunKey]] = {}
        self._found = {}
        for layer in self._viewer.layers:
            for place, record in enumerate(records_of(layer)):
                known = self._keys.get(id(record)) or (record, _key(record))
                keys[id(record)] = known
                self._found.setdefault(known[1], []).append(ChosenStep(layer, place))
        self._keys = keys


def _once(steps: list[ChosenStep], chosen: ChosenStep) -> list[ChosenStep]:
    """Return each step once: a run may be there twice, as it was made and as it was saved."""
    known: dict[tuple[int, bool], ChosenStep] = {}
    for step in steps:
        here = step.layer is chosen.layer and (step.place == chosen.place or is_stack(step.layer))
        number = step.record["step"], step.record["is_final"]
        if here or number not in known:
            known[number] = step
    # Others may have written a stack in which a step is there twice.
    known[chosen.record["step"], chosen.record["is_final"]] = chosen
    return list(known.values())


def _key(record: StepRecord) -> RunKey:
    kept = ("recipe", "grid", "source", "region", "layers", "noise_free_run")
    parts = {name: record.get(name) for name in kept}
    # A continued run has another end, and is the same run.
    parts["recipe"] = {**record["recipe"], "stop_at": None}
    return RunKey(json.dumps(parts, sort_keys=True), record.get("channel"))


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
    if not known:
        return (None,) * len(steps)
    return tuple(known.get(_noise_free_run_key(step.record)) for step in steps)


def _noise_free_run_key(record: StepRecord) -> str:
    """Return what a step and its noise-free run have in common: all but the noise."""
    kept = ("step", "is_final", "grid", "source", "region", "channel", "layers")
    parts = {name: record.get(name) for name in kept}
    for name in ("diffusion_filter", "final_filter", "domain"):
        parts[name] = record["recipe"].get(name)
    return json.dumps(parts, sort_keys=True)
