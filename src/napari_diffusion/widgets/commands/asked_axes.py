"""How the axes of a command's layer are read: as answered before, or asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.layer_axes import axes_of
from napari_diffusion.widgets.layers.step_records import layer_letters, records_of
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.source.first_axis import axes_from, is_question, possible
from napari_diffusion.widgets.source.layer_readings import READINGS

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_diffusion.widgets.forms.number_text import Value

_NAMES = {"z": "Depth", "t": "Time", "c": "Channel"}
_MEANINGS = (
    "depth: the volume is denoised; time: each frame by itself; channel: each plane, with edges "
    "in common."
)


def typed_for(layer: Image) -> dict[str, Value]:
    """Return what was answered about a layer, now or before, by the names of a reading's fields.

    Raises
    ------
    RunError
        If the question which axis is the first one was not answered.
    """
    typed = READINGS.typed(layer)
    if "axes" in typed:
        return typed
    if records := records_of(layer):
        axes = layer_letters(records[0])
        return {**typed, "axes": axes} if len(axes) == len(axes_of(layer)) else typed
    if is_question(layer):
        letter = asked_first_axis(layer, possible(layer))
        if letter is None:
            raise RunError("source", f"The first axis of {layer.name!r} is not known.")
        typed = {**typed, "axes": axes_from(layer, letter)}
        READINGS.keep(layer, typed)
    return typed


def asked_first_axis(layer: Image, letters: str) -> str | None:
    """Ask what the first axis of a layer is; return its letter, None without an answer.

    Parameters
    ----------
    layer : Image
        The layer.
    letters : str
        What can be answered.
    """
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication, QMessageBox

    sizes = " × ".join(str(size) for size in layer.data.shape)
    box = QMessageBox(QApplication.activeWindow())
    box.setWindowTitle("First axis")
    box.setTextFormat(Qt.TextFormat.PlainText)  # others chose the name of the layer
    box.setText(f"What is the first axis of {layer.name!r} ({sizes})?")
    box.setInformativeText(_MEANINGS)
    buttons = {
        letter: box.addButton(_NAMES[letter], QMessageBox.ButtonRole.AcceptRole)
        for letter in letters
    }
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    clicked = box.clickedButton()
    return next((letter for letter, button in buttons.items() if button is clicked), None)
