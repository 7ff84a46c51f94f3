"""What can be done with weights that were trained: denoise with them, save them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.filters.learned.weight_files import PREFIX, weights_folder
from napari_diffusion.filters.learned.weights import name_of
from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.save_dialog import asked_for

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.learning import TrainedWeights
    from napari_diffusion.widgets.forms.message import Message

_DENOISE = (
    "Denoise the image chosen above by the weights that training started from and by the new "
    "ones, a layer each. The weights are saved first, so that the record of the layer finds them."
)
_SAVE = "Save the weights, best into this folder: there recipes find them by their SHA-256."
_NOTHING = "Disabled until training has made weights that are better than those it started from."


class TrainedButtons(Box):
    """Acts on the weights that were trained last.

    Parameters
    ----------
    message : Message
        Where it is said what was saved.
    """

    denoise_clicked = Signal()

    def __init__(self, message: Message) -> None:
        self._message = message
        self.trained: TrainedWeights | None = None
        self._source = ""
        self.denoise = PushButton(text="Denoise with it")
        self.save = PushButton(text="Save weights…")
        super().__init__(self.denoise, self.save, layout="horizontal")
        for button in (self.denoise, self.save):
            may_be_narrow(button.native)
        self.denoise.changed.connect(lambda: self.denoise_clicked.emit())
        self.save.changed.connect(self._ask_and_save)
        self.set_possible(False, False)

    def take(self, trained: TrainedWeights | None, source: str) -> None:
        """Act on weights that were learned from an image of that name; None forgets them."""
        better = trained is not None and trained.is_better
        self.trained, self._source = trained if better else None, source

    def set_possible(self, save: bool, denoise: bool) -> None:
        """Say whether weights can be saved now, and whether there is an image to denoise."""
        there = self.trained is not None
        for button, about, on in ((self.denoise, _DENOISE, denoise), (self.save, _SAVE, save)):
            button.enabled = there and on
            button.tooltip = about if there else f"{about} {_NOTHING}"

    def kept(self) -> str:
        """Keep the weights in the folder where recipes find them; return their name."""
        assert self.trained is not None
        digest = self.trained.weights.name.removeprefix(PREFIX)
        path = _folder() / f"{self._stem()}-{digest[:8]}.npz"
        if not path.exists():
            self.trained.save(path)
        return name_of(path)

    def save_to(self, path: Path) -> None:
        """Write the weights, over a file that is there; what goes wrong is said."""
        assert self.trained is not None
        try:
            self.trained.save(path, overwrite=True)
        except (OSError, ValueError) as error:
            self._message.say(str(error), "error")
            return
        found = "by their SHA-256" if path.parent == weights_folder() else "beside themselves"
        self._message.say(f"Saved {path.name}. Recipes find it {found}.", "good")

    def _ask_and_save(self) -> None:
        name = str(_folder() / f"{self._stem()}.npz")
        path = asked_for(self.native, "Save the weights", name, {"npz": "Weights"})
        if path is not None:
            self.save_to(path)

    def _stem(self) -> str:
        """Return the name of the image as one of a file."""
        return re.sub(r"[^\w.-]+", "-", self._source).strip("-.") or "weights"


def _folder() -> Path:
    folder = weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
