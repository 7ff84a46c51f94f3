"""What training starts from: weights that ship, random numbers, or a file of weights."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import PushButton
from qtpy.QtWidgets import QFileDialog

from napari_diffusion.filters.learned.weight_files import weights_folder
from napari_diffusion.filters.learned.weights import name_of, shipped, spoken
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.message import text_label

_SCRATCH = "scratch"
_ABOUT = "The weights that training starts from. Those that ship need the least time."
_SHIPPED = "The weights that ship with napari-diffusion."
_RANDOM = "Random numbers: for images that are unlike photographs; takes longer."
_FILE = "Go on from a file of weights (.npz), such as one saved here."


class StartChoice(Box):
    """A row that chooses weights by name or by their file."""

    def __init__(self) -> None:
        names = {name: name for name in shipped()}
        tips = {**dict.fromkeys(names, _SHIPPED), _SCRATCH: _RANDOM}
        self._choice = Choice({**names, _SCRATCH: None}, tips)
        self.choose_file = PushButton(text="File…", tooltip=_FILE)
        self._problem = text_label("error")
        row = labelled("start from", self._choice, self.choose_file, tooltip=_ABOUT)
        super().__init__(row, self._problem)
        row.native.layout().setStretch(1, 1)
        self._problem.visible = False
        self._choice.changed.connect(self._chosen)
        self.choose_file.changed.connect(self._ask)

    @property
    def value(self) -> str | None:
        """The name of the weights; None for random numbers."""
        value = self._choice.value
        return None if value is None else str(value)

    @value.setter
    def value(self, value: str | Path | None) -> None:
        if value is None or value in shipped():
            self._choice.value = value
            return
        name = name_of(value)
        known = Path(value).name if name != value else spoken(name)
        self._choice.offer(known, name)
        self._choice.value = name

    @property
    def problem(self) -> str:
        """What was wrong with the file that was chosen last; empty where nothing was."""
        return str(self._problem.value)

    def give(self, file: Path) -> None:
        """Choose a file; what is wrong with it is said."""
        try:
            self.value = file
        except (OSError, ValueError) as error:
            self._say(str(error))

    def _ask(self) -> None:
        title, folder = "Weights to start from", str(weights_folder())
        file, _ = QFileDialog.getOpenFileName(self.native, title, folder, "Weights (*.npz)")
        if file:
            self.give(Path(file))

    def _chosen(self) -> None:
        self._say("")
        self.changed.emit(self)

    def _say(self, sentence: str) -> None:
        self._problem.value = sentence
        self._problem.visible = bool(sentence)
