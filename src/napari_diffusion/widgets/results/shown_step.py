"""Which step is shown: one answer for the slider, the list of layers and every dock."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_diffusion.widgets.layers.layer_locks import show_alone
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import is_stack, records_of
from napari_diffusion.widgets.results.chosen_step import ChosenStep, shown_of
from napari_diffusion.widgets.results.run_finder import RunFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Image, Layer
    from napari.utils.events import Event

    from napari_diffusion.widgets.results.step_run import StepRun

# When a step has been shown so long, in milliseconds, its layer is selected: that takes napari
# longer than to show it.
_SETTLE_MS = 300

_MODELS: weakref.WeakValueDictionary[int, ShownStep] = weakref.WeakValueDictionary()


class ShownStep:
    """The step of a run that is seen: of several visible steps the topmost.

    To select a step in the list is to show it. Where no step is visible, the run that was looked
    at last stays, with `is_visible` False.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers; use `ShownStep.of` to have one for all docks of a viewer.
    """

    #: Another step is shown, or the runs among the layers are others; soon after it happened.
    changed = Signal()

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._finder = RunFinder(viewer)
        self._run: StepRun | None = None
        self._is_visible = False
        self._is_known = False
        self._asked_for: weakref.ref[Layer] | None = None
        self._clicked: weakref.ref[Layer] | None = None
        self._new: list[weakref.ref[Layer]] = []
        self._has_removed = False
        self._soon = _timer(0, self._tell)
        self._settle = _timer(_SETTLE_MS, self.settle)
        self._connect()

    @classmethod
    def of(cls, viewer: napari.Viewer) -> ShownStep:
        """Return the one of a viewer, which lives as long as anyone holds it."""
        model = _MODELS.get(id(viewer))
        if model is None:
            model = _MODELS[id(viewer)] = cls(viewer)
        return model

    def _connect(self) -> None:
        layers = self._viewer.layers
        for layer in layers:
            self._watch(layer)
        layers.events.inserted.connect(self._inserted)
        layers.events.removed.connect(self._removed)
        layers.events.reordered.connect(self._others)
        layers.selection.events.active.connect(self._selected)
        self._viewer.dims.events.point.connect(self._slid)

    # --- what is shown ---

    @property
    def run(self) -> StepRun | None:
        """The run that is looked at, and which of its steps; None where there is none."""
        if not self._is_known:
            self._look()
        return self._run

    @property
    def is_visible(self) -> bool:
        """Whether the step is seen, not only remembered."""
        return self.run is not None and self._is_visible

    def runs(self) -> list[list[ChosenStep]]:
        """Return the steps of every run among the layers, but of noise-free runs."""
        found = self._finder.runs().values()
        return [steps for steps in found if not steps[0].record.get("noise_free_run")]

    # --- to show another ---

    def show(self, place: int) -> None:
        """Show one step of the run alone: its layers, or its place in the stack."""
        run = self.run
        if run is not None and 0 <= place < len(run.steps):
            self.show_step(run.steps[place])

    def show_step(self, step: ChosenStep) -> None:
        """Show a step alone; steps of other runs are hidden where they would cover it."""
        wanted = self._finder.together(step)
        common = self._finder.key_of(step).common
        others: list[Image] = []
        for key, steps in self._finder.runs().items():
            for other in {id(each.layer): each.layer for each in steps}.values():
                if other.visible and not any(other is each for each in wanted):
                    own = key.common == common
                    if own or self._covers(other, step.layer):
                        others.append(other)
        for layer in wanted:
            show_alone(layer, others)
        if is_stack(step.layer):
            axis = self._viewer.dims.ndim - step.layer.ndim
            scale, start = step.layer.scale[0], step.layer.translate[0]
            self._viewer.dims.set_point(axis, start + scale * step.place)
        # What was clicked before is over.
        self._asked_for, self._clicked = weakref.ref(step.layer), None
        self._settle.start()
        self._changed()

    def settle(self) -> None:
        """Select the layer of the step that is shown, where a step is selected now."""
        self._settle.stop()
        run, selection = self.run, self._viewer.layers.selection
        active = selection.active
        if run is None or not self._is_visible or (active is not None and not records_of(active)):
            return
        if run.step.layer is not active:
            selection.active = run.step.layer

    # --- what happens in the viewer ---

    def _watch(self, layer: Layer) -> None:
        if is_image(layer):
            layer.events.visible.connect(self._seen)
            layer.events.name.connect(self._others)

    def _inserted(self, event: Event) -> None:
        self._watch(event.value)
        self._new.append(weakref.ref(event.value))
        if event.value.visible and records_of(event.value):
            self._asked_for = None
        self._others()

    def _removed(self, event: Event) -> None:
        if is_image(event.value):
            event.value.events.visible.disconnect(self._seen)
            event.value.events.name.disconnect(self._others)
        self._has_removed = True
        self._others()

    def _others(self) -> None:
        """Look again: some layers came, went, moved or were named anew."""
        self._finder.forget()
        self._changed()

    def _seen(self, event: Event) -> None:
        """Follow a layer that was made visible or hidden: what lies on top is shown."""
        if records_of(event.source):
            self._asked_for = None
            self._changed()

    def _selected(self) -> None:
        """Show a step that was clicked in the list, once napari has done the same."""
        active = self._viewer.layers.selection.active
        self._settle.stop()
        if active is None or not records_of(active):
            return
        self._clicked = weakref.ref(active)
        self._changed()

    def _slid(self) -> None:
        if self._run is not None and is_stack(self._run.step.layer):
            self._changed()

    def _changed(self) -> None:
        self._is_known = False
        self._soon.start()

    def _tell(self) -> None:
        self._take_click()
        self._look()
        self.changed.emit()

    def _take_click(self) -> None:
        """Show the layer that was clicked.

        Neither a layer that napari has selected because it is new, nor one beside a layer that was
        removed, unless that was the step that was shown.
        """
        layer, self._clicked = self._clicked and self._clicked(), None
        new, self._new = [ref() for ref in self._new], []
        removed, self._has_removed = self._has_removed, False
        if layer is None or layer is not self._viewer.layers.selection.active:
            return
        visible = self._visible()
        if not layer.visible and (any(layer is each for each in new) or (removed and visible)):
            return
        steps = [each for each in visible if each is not layer]
        if not layer.visible or any(self._covers(each, layer) for each in steps):
            self.show_step(shown_of(layer, self._viewer))
        else:
            self._asked_for = weakref.ref(layer)

    # --- to look ---

    def _look(self) -> None:
        self._is_known = True
        layer = self._seen_layer()
        self._is_visible = layer is not None
        chosen = self._last() if layer is None else shown_of(layer, self._viewer)
        self._run = None if chosen is None else self._finder.run_of(chosen)

    def _seen_layer(self) -> Image | None:
        visible = self._visible()
        wanted = None if self._asked_for is None else self._asked_for()
        if any(wanted is each for each in visible):
            return wanted
        return next(iter(reversed(visible)), None)

    def _visible(self) -> list[Image]:
        return [each for each in self._viewer.layers if each.visible and records_of(each)]

    def _last(self) -> ChosenStep | None:
        """Return the step that was shown last, or the nearest one that is left."""
        before, runs = self._run, self._finder.runs()
        if before is None:
            return next(reversed([s[-1] for s in runs.values()]), None)
        left = [step for step in before.steps if step.layer in self._viewer.layers]
        here = before.step
        if here.layer in self._viewer.layers:
            return shown_of(here.layer, self._viewer) if is_stack(here.layer) else here
        near = sorted(left, key=lambda step: abs(before.steps.index(step) - before.shown))
        return next(iter(near), None) or next(reversed([s[-1] for s in runs.values()]), None)

    def _covers(self, layer: Image, other: Image) -> bool:
        """Say whether a layer hides another one that lies beneath it."""
        layers = self._viewer.layers
        if self._viewer.canvas.grid.enabled or layers.index(layer) < layers.index(other):
            return False
        return not LayerStyle.of(layer).mixes and _overlap(layer, other)


def _overlap(one: Image, other: Image) -> bool:
    """Say whether two layers share a part of the last two axes."""
    a, b = (each.extent.world[:, -2:] for each in (one, other))
    return bool(np.all(np.minimum(a[1], b[1]) > np.maximum(a[0], b[0])))


def _timer(milliseconds: int, take: Callable[[], None]) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(take)
    return timer
