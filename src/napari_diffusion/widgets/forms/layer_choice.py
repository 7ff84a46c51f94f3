"""One of the viewer's layers: napari's own choice, which follows the viewer by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, create_widget

from napari_diffusion.widgets.forms.box import Box, leave_wheel, may_be_narrow, row_label

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Layer

#: What can be chosen: the names in the list, and the layer that each stands for.
Offered = list[tuple[str, Any]]


class LayerChoice(Box):
    """A row that chooses a layer.

    A layer that is renamed stays chosen; where the one chosen is removed, the first is.

    Parameters
    ----------
    label, tooltip : str
        What the row is called, and what the layer is for.
    kind : type
        The type of layer that is offered, for napari's own choice.
    fits : callable
        Says of a layer whether it is offered.
    none : str
        What can be chosen instead of a layer; nothing where empty.
    viewer : napari.Viewer, optional
        Whose layers are offered, docked or not; without, those of the viewer it is docked in.
    """

    def __init__(
        self,
        label: str,
        tooltip: str,
        kind: Any,
        fits: Callable[[Layer], bool],
        none: str = "",
        viewer: napari.Viewer | None = None,
    ) -> None:
        combo = create_widget(annotation=kind, options={"nullable": bool(none)})
        assert isinstance(combo, ComboBox)
        self.combo = combo
        self.combo.null_string = none
        self._of_viewer = self.combo.options["choices"]
        self._kind = kind
        self._whose = viewer
        self._fits = fits
        may_be_narrow(self.combo.native)
        leave_wheel(self.combo.native)
        super().__init__(
            row_label(label, tooltip), self.combo, layout="horizontal", tooltip=tooltip
        )
        self.native.layout().setStretch(1, 1)
        self.combo.tooltip = tooltip
        self.combo.choices = self._offered
        self.combo.changed.connect(lambda: self.changed.emit(self))

    @property
    def value(self) -> Any:
        """The layer, None where there is none or none is chosen."""
        return self.combo.value

    @value.setter
    def value(self, layer: Any) -> None:
        self.reset_choices()
        if layer is not None or layer in self.combo.choices:
            self.combo.value = layer

    def reset_choices(self, *_: Any) -> None:
        """List the layers anew."""
        before = self.value
        with self.combo.changed.blocked():
            self.combo.reset_choices()
            if any(before is each for each in self.combo.choices):
                self.combo.value = before
        if self.value is not before:
            self.changed.emit(self)

    def _offered(self, combo: Any) -> Offered:
        if self._whose is None:
            layers = self._of_viewer(combo)
        else:
            layers = [each for each in self._whose.layers if isinstance(each, self._kind)]
        return [(layer.name, layer) for layer in layers if self._fits(layer)]
