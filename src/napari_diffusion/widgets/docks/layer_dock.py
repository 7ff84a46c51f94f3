"""What docks have in common that make layers of one source: the loop, the noise, the filters."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar

from napari_diffusion.core.units import PIXEL
from napari_diffusion.loop.presets import pixel_size
from napari_diffusion.widgets.docks.dock import Dock
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.forms.units import Units
from napari_diffusion.widgets.layers.source_layers import is_step
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.run.kernel_warming import KernelWarming
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.source.source_form import SourceForm

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.run_controls import RunControls
    from napari_diffusion.widgets.source.run_source import RunSource


class LayerDock(Dock):
    """A dock with a source; what is rarely needed of it is folded under *Advanced*.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    controls : RunControls
        The buttons.
    single : bool
        Whether each run makes one layer, and steps of other runs are sources like any other.
    """

    #: Whether what the dock does supports masks and missing values.
    takes_masks: ClassVar[bool] = True

    def __init__(self, viewer: napari.Viewer, controls: RunControls, single: bool) -> None:
        passes_over = self.passes_over if single else is_step
        self.source = SourceForm(unwrapped(viewer), passes_over, self.takes_masks)
        self.advanced = Fold("Advanced", self.source.advanced)
        makes = "layer" if single else "step"
        super().__init__(viewer, controls, makes, self.source.holding)
        self.warming = KernelWarming(self.native)
        self.source.changed.connect(self._source_changed)

    def run_source(self) -> RunSource:
        """Return the source; `RunError` says what is wrong, or that a run is in progress."""
        self.check_idle()
        self.controls.say("")
        try:
            return self.source.value
        except ValueError as error:
            raise RunError("source", str(error)) from None

    def passes_over(self, layer: Image) -> bool:
        """Say whether a layer does not become the source when it is made active."""
        del layer
        return False

    def units(self) -> Units:
        """Return the units of the source."""
        length = 1.0
        with contextlib.suppress(ValueError):
            length = pixel_size(self.source.value.options["spacing"])
        return Units(self.source.axes.length_unit() or PIXEL, length)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form besides its source, None where nothing is."""
        return None

    def shown_recipe(self) -> Recipe | None:
        """Return the recipe that the form shows; its kernels are compiled before it is run."""
        return None

    def source_changed(self) -> None:
        """Follow another source, or another reading of it; docks extend this."""

    def show_possible(self) -> None:
        """Enable the main button where there is something to run, else say why there is not."""
        problem = self.source.problem or self.form_problem()
        self.controls.set_possible(problem is None)
        if problem is None:
            self._compile_ahead()
        if self.runner.is_running:
            return
        if problem:
            self.controls.say(problem, bad=bool(self.source.layers()))
        elif self.controls.message.role == "error":
            self.controls.say("")

    def show_error(self, error: RunError) -> None:
        """Say what is wrong, and unfold where it is to be mended."""
        super().show_error(error)
        if error.part == "holes":
            self.source.holes.visible = True
        elif error.part == "source" and self.source.layers():
            self.advanced.open = True

    def let_go(self, closed: bool) -> None:
        """Stop computing: the dock is closed, or else the whole window."""
        super().let_go(closed)
        if closed:
            self.source.close()
            self.warming.stop()

    def _compile_ahead(self) -> None:
        with contextlib.suppress(ValueError):
            recipe, source = self.shown_recipe(), self.source.value
            if recipe is not None:
                axes, dtype = source.fold.axes, source.data.dtype
                options = {**source.options}
                del options["axes"]
                self.warming.follow(recipe, axes, dtype, **options)

    def _source_changed(self) -> None:
        if not self.runner.is_running:
            self.controls.say("")
        self.source_changed()
        self.show_possible()
