"""What the first axis of a layer without names is: asked in sight until it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.layers.layer_axes import axes_of, is_unnamed

if TYPE_CHECKING:
    from napari.layers import Image

_NAMES = {"z": "depth", "t": "time", "c": "channel"}
_TOOLTIP = (
    "The layer does not name its axes. depth: the volume is diffused; time: each frame by "
    "itself; channel: each plane, with edges in common."
)


class FirstAxis(Box):
    """A question that is there only for layers of three or more axes without names."""

    def __init__(self) -> None:
        self._layer: Image | None = None
        self.choice = Choice({"-": ""})
        super().__init__(labelled("first axis", self.choice, tooltip=_TOOLTIP))
        self.choice.tooltip = _TOOLTIP
        self.choice.changed.connect(lambda: self.changed.emit(self))

    @property
    def value(self) -> str:
        """The axes of the layer with the answer as the first; empty before it was given."""
        letter = str(self.choice.value)
        return axes_from(self._layer, letter) if letter and self._layer is not None else ""

    @property
    def is_guessed(self) -> bool:
        """Whether the question is asked and has no answer yet."""
        return self._layer is not None and not self.choice.value

    def ask(self, layer: Image | None, axes: str) -> None:
        """Ask of a layer, where its first axis has no name; show how it is read by now.

        Parameters
        ----------
        layer : Image or None
            The layer.
        axes : str
            How its axes are read where the question was answered, else empty.
        """
        asked = layer is not None and is_question(layer)
        self._layer = layer if asked else None
        self.visible = asked
        if layer is None or not asked:
            return
        guess = axes_of(layer)[0]
        with self.choice.changed.blocked():
            for name in list(self.choice.options_named):
                self.choice.withdraw(name)
            if not axes:
                self.choice.offer(f"{_NAMES.get(guess, guess)} (guessed)", "", _TOOLTIP)
            for letter in possible(layer):
                self.choice.offer(_NAMES[letter], letter, _TOOLTIP)
            self.choice.value = axes[0] if axes and axes[0] in possible(layer) else ""


def is_question(layer: Image) -> bool:
    """Say whether the first axis of a layer could be one of several, and nothing names it."""
    return layer.ndim >= 3 and layer.ndim <= 5 and is_unnamed(layer.axis_labels[0])


def possible(layer: Image) -> str:
    """Return the letters that the first axis can have."""
    letters = "ztc" if layer.ndim == 3 else "tc"
    return letters.replace("c", "") if layer.rgb else letters


def axes_from(layer: Image, first: str) -> str:
    """Return the letters of a layer's axes where the first is known."""
    rest = axes_of(layer)[1:]
    if first not in rest:
        return first + rest
    # The letter that was guessed for the first axis goes to the one that has it no more.
    return first + rest.replace(first, axes_of(layer)[0], 1)
