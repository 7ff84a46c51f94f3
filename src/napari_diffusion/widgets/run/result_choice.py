"""What becomes of the steps: layers or a stack, and which of them are kept."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.run.memory import RESULTS, Need, ordinal, written_bytes
from napari_diffusion.widgets.run.preferences import DEFAULTS

if TYPE_CHECKING:
    from napari_diffusion.widgets.run.memory import Result

_RESULT = Parameter(
    "result",
    "choice",
    "auto",
    tooltip=(
        "layers: one layer per step. stack: one layer with a slider over the steps, "
        f"optionally on disk. auto: layers for up to {DEFAULTS.most_layers} steps (or as many as "
        "napari's preferences say), a stack beyond."
    ),
    choices=RESULTS,
)
_EVERY = Parameter(
    "keep every", "int", 1, tooltip="Keep all steps, or every n-th and the last.", minimum=1
)


class KeepEvery(Field):
    """Every which step is kept."""

    def _meaning(self, unit: str) -> str:
        del unit
        number = int(self.value)
        return "all steps" if number == 1 else f"every {ordinal(number)} step"


class ResultChoice(Box):
    """A view of what becomes of the steps."""

    def __init__(self) -> None:
        self.result = Field(_RESULT, partial(_RESULT.checked, owner="Result"))
        self.keep_every = KeepEvery(_EVERY, partial(_EVERY.checked, owner="Result"))
        self.need = text_label("help")
        super().__init__(self.result, self.keep_every, self.need)
        self.keep_every.value = 1
        self.show_need("")
        for field in (self.result, self.keep_every):
            field.changed.connect(lambda: self.changed.emit(self))

    @property
    def value(self) -> tuple[Result, int]:
        """What becomes of the steps, and which are kept; ValueError says what is wrong."""
        return self.result.value, self.keep_every.value

    @value.setter
    def value(self, value: tuple[Result, int]) -> None:
        self.result.value, self.keep_every.value = value

    def show_need(self, words: str) -> None:
        """Say what a run will make and take."""
        self.need.value = words
        self.need.visible = bool(words)


def need_words(need: Need, result: Result, channels: int = 1) -> str:
    """Return what a run will make, for one layer or for several, and what that takes."""
    count = need.num_kept
    made = f"{count * channels} layers"
    if result != "layers":
        made = f"{channels} stack{'s' * (channels > 1)} of {count}"
    taken = f"{written_bytes(need.memory)} of memory"
    return f"{made}, {taken}{f', {written_bytes(need.disk)} on disk' * need.on_disk}"
