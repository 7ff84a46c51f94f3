"""The source of a run: which layer, how its axes are read, and how much of it."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.layers.source_layers import (
    channel_group,
    count_holes,
    default_layer,
    is_hidden_ground_truth,
    is_image,
    is_step,
    shown_images,
)
from napari_diffusion.widgets.source.axes_form import AxesForm
from napari_diffusion.widgets.source.first_axis import FirstAxis
from napari_diffusion.widgets.source.layer_readings import READINGS
from napari_diffusion.widgets.source.mask_choice import MaskChoice
from napari_diffusion.widgets.source.run_source import RunSource
from napari_diffusion.widgets.source.source_hint import count_words, kind_of
from napari_diffusion.widgets.source.source_notes import SourceNotes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import napari
    from napari.layers import Image, Layer
    from napari.utils.events import EventEmitter

_NONE = "No image layer: open an image, for example with File ▸ Open Sample ▸ napari-diffusion."


class SourceForm(Box):
    """A view of the source: the layer that was last chosen here or in the list of layers.

    `advanced` holds what a dock shows on demand: axes, pixel size, region and mask.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    passes_over : callable
        Says of a layer that it does not become the source when it is made active, such as a
        result of the dock itself: it can be chosen all the same.
    takes_masks : bool
        Whether what is done with the source supports masks and missing values.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        passes_over: Callable[[Image], bool] = is_step,
        takes_masks: bool = True,
    ) -> None:
        from napari.layers import Image

        self._viewer = viewer
        self._passes_over = passes_over
        self._takes_masks = takes_masks
        self._holding = False
        self._layers: list[weakref.ref[Image]] = []
        self._holes: int | None = 0
        about = "The image layer to start from."
        self.image = LayerChoice("image", about, Image, is_image, viewer=viewer)
        self.join = PushButton(
            text="",
            tooltip=(
                "Diffuse the selected layers as channels of one image: an edge in one of "
                "them stops diffusion in all."
            ),
        )
        self.first_axis = FirstAxis()
        self.axes = AxesForm()
        self.mask = MaskChoice(viewer)
        self.advanced = Box(self.axes, *(self.mask,) * takes_masks)
        self.notes = SourceNotes(viewer, self.axes.holes.parameter.tooltip)
        self.hint, self.holes = self.notes.hint, self.notes.holes
        super().__init__(self.image, self.join, self.first_axis, self.notes)
        self._connect()
        self._relist()
        self._follow()

    def _heard(self) -> list[tuple[EventEmitter, Callable[[], None]]]:
        """Return what is heard of the viewer, and what answers it."""
        layers, chosen = self._viewer.layers.events, self._viewer.layers.selection.events
        lists = (layers.inserted, layers.removed, layers.reordered, layers.renamed)
        relisted = [(event, self._relist) for event in lists]
        return [*relisted, (chosen.active, self._follow), (chosen.changed, self._offer_channels)]

    def _connect(self) -> None:
        for event, heard in self._heard():
            event.connect(heard)
        READINGS.changed.connect(self._read_elsewhere)
        self.image.changed.connect(self._chosen)
        self.join.changed.connect(lambda: self.set_layers(channel_group(self._viewer)))
        self.first_axis.changed.connect(self._answered)
        self.axes.changed.connect(self._edited)
        # The layer is larger or smaller in the window now.
        self.axes.pixel_size.applied.connect(self._viewer.reset_view)
        self.mask.changed.connect(self._show)
        self.mask.changed.connect(lambda: self.changed.emit(self))
        self.holes.changed.connect(lambda: setattr(self.axes.holes, "value", True))

    # --- what it shows ---

    def layers(self) -> tuple[Image, ...]:
        """Return the source: a layer, several that are its channels, or nothing."""
        layers = [each() for each in self._layers]
        there = [layer for layer in layers if layer is not None and layer in self._viewer.layers]
        return tuple(there) if len(there) == len(layers) else ()

    def layer(self) -> Image | None:
        """Return the source layer, the first of several, None where there is none."""
        return next(iter(self.layers()), None)

    def set_layer(self, layer: Image | None) -> None:
        """Choose a layer, and show how it is read."""
        self.set_layers(() if layer is None else (layer,))

    def set_layers(self, layers: Sequence[Image]) -> None:
        """Choose layers as the channels of one image, or a single one."""
        before = self.layer()
        if before is not None:
            for event in _events(before):
                event.disconnect(self._reread)
            before.events.data.disconnect(self._data_changed)
        self._layers = [weakref.ref(layer) for layer in layers]
        if layers:
            for event in _events(layers[0]):
                event.connect(self._reread)
            layers[0].events.data.connect(self._data_changed)
            with self.image.changed.blocked():
                self.image.value = layers[0]
        self._reread()

    @property
    def value(self) -> RunSource:
        """The source; ValueError says in one sentence why there is none.

        The region that is on the canvas is read now, and so is the mask.
        """
        if not self.layers():
            raise ValueError(self._why_none())
        reading, mask = self.axes.value, self.mask.mask()
        if not self._takes_masks:
            self._check_complete()
            reading, mask = reading._replace(keep_holes=False), None
        return RunSource.of(self.layers(), reading, self._viewer, mask)

    @property
    def problem(self) -> str | None:
        """What stands in the way of a run on this source, None where nothing does."""
        return problem_of(self)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Keep the source while layers are added, which makes them active."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    def reset_choices(self, *_: object) -> None:
        """Do nothing: it follows its viewer by itself, docked or not."""

    @property
    def is_held(self) -> bool:
        """Whether layers are being added for which the source stays."""
        return self._holding

    def close(self) -> None:
        """Let the viewer's layers go: the dock is closed."""
        READINGS.changed.disconnect(self._read_elsewhere)
        self.set_layers(())
        for event, heard in self._heard():
            event.disconnect(heard)

    # --- the list of layers ---

    def _relist(self) -> None:
        with self.image.changed.blocked():
            self.image.reset_choices()
        self.mask.reset_choices()
        if not self.layers():
            self.set_layer(default_layer(shown_images(self._viewer)))
        self.image.enabled = bool(shown_images(self._viewer))

    def _follow(self) -> None:
        """Take the layer that was made active, unless it is a ground truth that is hidden."""
        active = self._viewer.layers.selection.active
        wanted = is_image(active) and not is_hidden_ground_truth(active)
        if wanted and not self._holding and not self._passes_over(active):
            if (active,) != self.layers():
                self.set_layer(active)
        elif not self.layers():
            self.set_layer(default_layer(shown_images(self._viewer)))
        self._offer_channels()

    def _offer_channels(self) -> None:
        """Offer the selected images as channels of one image."""
        group = channel_group(self._viewer)
        self.join.text = f"Use the {len(group)} selected layers as channels"
        self.join.visible = bool(group) and group != self.layers()
        self._show()

    def _chosen(self) -> None:
        if (self.image.value,) != self.layers():
            self.set_layer(self.image.value)

    def _check_complete(self) -> None:
        if self._holes:
            raise ValueError(
                f"{self.layers()[0].name!r} has {count_words(self._holes)}, which cannot be "
                "processed here: fill them first."
            )

    def _why_none(self) -> str:
        active = self._viewer.layers.selection.active
        if active is not None and not is_image(active):
            return (
                f"{active.name!r} is a {kind_of(active)} layer, and only images can be "
                "chosen: open an image, or convert the layer to one."
            )
        return _NONE

    # --- the layer and its reading ---

    def _reread(self, event: object = None) -> None:
        del event
        layer = self.layer()
        if layer is not None:
            self.axes.read(self.layers(), READINGS.typed(layer))
        self._ask(layer)
        self._count_holes()
        self._offer_channels()
        self._show_mask()
        self.changed.emit(self)

    def _read_elsewhere(self, layer: Image) -> None:
        if layer is self.layer() and READINGS.typed(layer) != self.axes.typed():
            self._reread()

    def _data_changed(self, event: object = None) -> None:
        """Read the axes again where there are more or fewer of them now."""
        layer = self.layer()
        if layer is not None and self.axes.axes.problem:
            READINGS.keep(layer, {})
            self._reread(event)
        else:
            self._count_holes()
            self._show_mask()
            self._show()

    def _count_holes(self) -> None:
        self._holes = count_holes(self.layers())
        self.axes.show_holes(self._holes != 0 and self._takes_masks)

    def _ask(self, layer: Image | None) -> None:
        """Ask what the first axis is, or show the answer."""
        axes = str(self.axes.axes.editor.value) if self.axes.is_answered else ""
        self.first_axis.ask(layer, axes)

    def _answered(self) -> None:
        if self.first_axis.value:
            self.axes.axes.value = self.first_axis.value

    def _edited(self) -> None:
        layer = self.layer()
        if layer is not None and self.axes.typed():
            READINGS.keep(layer, self.axes.typed())
            self._ask(layer)
        self._show_mask()
        self._show()
        self.changed.emit(self)

    def _show_mask(self) -> None:
        letters = "" if self.axes.axes.problem else self.axes.axes.value
        self.mask.set_source(self.layer() if letters else None, letters)

    def _show(self) -> None:
        """Show what is worth knowing of the source, and the cure of missing values."""
        kept = bool(self.axes.holes.value)
        holes = self._holes if self._takes_masks else 0
        self.notes.show_source(self.layers(), self.mask.value, holes, kept, self._can_be_mask)

    def _can_be_mask(self, layer: Layer) -> bool:
        return self._takes_masks and self.mask.offers(layer)


def _events(layer: Image) -> list[EventEmitter]:
    names = ("scale", "affine", "units", "axis_labels", "locked")
    return [getattr(layer.events, name) for name in names]
