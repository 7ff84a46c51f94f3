"""What the image is compared with: nothing, another layer, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from qtpy.QtWidgets import QFileDialog

from napari_diffusion.io.reader import FORMATS
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.layers.source_layers import is_image

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_ABOUT = (
    "Another image: of the same source, such as another crop or frame, or one that may share "
    "parts with this one. A layer, or a file."
)
_KINDS = " ".join(f"*{ending}" for each in FORMATS for ending in each.endings)


class ReferenceChoice(Box):
    """A row that chooses a layer, or a file; nothing at first.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        from napari.layers import Image

        self.file: Path | None = None
        self.layer = LayerChoice("reference", _ABOUT, Image, is_image, "none", viewer)
        self.choose_file = PushButton(text="File…", tooltip="Choose a file to compare with.")
        self.layer.append(self.choose_file)
        self._found = text_label("help")
        self.forget = PushButton(text="Remove", tooltip="Compare with this file no more.")
        self._row = Box(self._found, self.forget, layout="horizontal", visible=False)
        super().__init__(self.layer, self._row)
        self._row.native.layout().setStretch(0, 1)
        self.forget.changed.connect(lambda: self.give(None))
        self.layer.changed.connect(self._layer_chosen)
        self.choose_file.changed.connect(self._ask)

    @property
    def value(self) -> Image | Path | None:
        """The layer or the file, None where there is none."""
        return self.file or self.layer.value

    def give(self, file: Path | None) -> None:
        """Take a file in place of a layer."""
        if file is not None:
            with self.layer.changed.blocked():
                self.layer.value = None
        self.file = file
        self._found.value = "" if file is None else f"The file {file.name!r} is the reference."
        self._row.visible = file is not None
        self.changed.emit(self)

    def _layer_chosen(self) -> None:
        self.give(None if self.layer.value is not None else self.file)

    def _ask(self) -> None:
        kinds = f"Images ({_KINDS});;All files (*)"
        file, _ = QFileDialog.getOpenFileName(self.native, "Reference", "", kinds)
        if file:
            self.give(Path(file))
