"""What is worth knowing of a source, in one sentence, and the cure of missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.source.source_hint import hint

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Image, Layer


class SourceNotes(Box):
    """A sentence, and a button where values are missing; nothing where there is nothing to know.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose selected layers may not be what the user expects.
    about_holes : str
        What it means to treat values as missing.
    """

    def __init__(self, viewer: napari.Viewer, about_holes: str) -> None:
        self._viewer = viewer
        self.hint = text_label("help")
        self.holes = PushButton(text="Treat them as missing", tooltip=about_holes)
        super().__init__(self.hint, self.holes)

    def show_source(
        self,
        layers: tuple[Image, ...],
        mask: Layer | None,
        holes: int | None,
        kept: bool,
        can_be_mask: Callable[[Layer], bool],
    ) -> None:
        """Show what is worth knowing; see `source_hint.hint`."""
        words = hint(self._viewer, layers, mask, holes, kept, can_be_mask)
        self.hint.value = words
        self.hint.visible = bool(words)
        missing = bool(holes) and bool(layers) and not kept
        self.holes.visible = missing
        # An empty box would still take the space between two rows.
        self.visible = bool(words) or missing
