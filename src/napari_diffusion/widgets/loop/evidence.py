"""The measurements behind the parameters of a recipe, by method."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.plots.gradient_plot import GradientPlot
from napari_diffusion.widgets.plots.noise_plot import NoisePlot

if TYPE_CHECKING:
    from napari_diffusion.estimate import Evidence
    from napari_diffusion.widgets.forms.units import Units

# What a click on a number fills in: the heading, the unit, and the part of the evidence.
PARTS = {
    "noise_scale": ("Noise σ", "intensity", "sigmas"),
    "contrast": ("Contrast", "intensity/world", "contrasts"),
    "time": ("Diffusion time of all steps", "world²", "times"),
}

_KINDS = {
    "none": "No noise",
    "gaussian": "Gaussian noise",
    "poisson": "Poisson noise",
    "poisson-gaussian": "Poisson–Gaussian noise",
    "correlated": "Correlated noise",
    "processed": "Already processed",
}

_DIGITS = 3

# Letters that a button has room for.
_LONGEST = 6


class EvidenceBox(Fold):
    """Numbers by method, to be clicked, with the curve and the histogram they were read from.

    The plots are made when it is opened.
    """

    #: A field of the recipe, and the number that was clicked.
    taken = Signal(str, float)

    def __init__(self) -> None:
        self.about = text_label("help")
        self.noise, self.gradients = NoisePlot(), GradientPlot()
        self.buttons: dict[tuple[str, str], PushButton] = {}
        self._headings = {name: text_label("") for name in PARTS}
        self._tables = {name: Box() for name in PARTS}
        self._evidence: Evidence | None = None
        self._drawn = True
        plots = {"noise_scale": Box(), "contrast": Box(), "time": Box()}
        plots["noise_scale"].add_native(self.noise)
        plots["contrast"].add_native(self.gradients)
        parts = [(self._headings[n], self._tables[n], plots[n]) for n in PARTS]
        tooltip = "The measurements behind the estimates. Click a value to use it."
        super().__init__("Evidence", self.about, *itertools.chain(*parts), tooltip=tooltip)
        self.toggle.toggled.connect(self._draw)

    @property
    def value(self) -> Evidence | None:
        """What was found, None before and for another image."""
        return self._evidence

    def show_evidence(self, evidence: Evidence | None, units: Units) -> None:
        """Show what was found on an image; None takes no room."""
        self._evidence, self._drawn = evidence, False
        self.visible = evidence is not None
        if evidence is None:
            self.open = False
            return
        self.buttons.clear()
        for name, (heading, unit, attribute) in PARTS.items():
            self._headings[name].value = f"{heading}, {units.named(unit)}"
            self._fill(name, getattr(evidence, attribute))
        self.about.value = about(evidence)
        self._draw()

    def _fill(self, name: str, numbers: dict[str, float]) -> None:
        """Show a number and its method per cell, two in a row."""
        cells = [self._cell(name, way, number) for way, number in numbers.items()]
        if len(cells) % 2:
            cells.append(Box())
        table = self._tables[name]
        table.clear()
        for place in range(0, len(cells), 2):
            row = Box(*cells[place : place + 2], layout="horizontal")
            for column in (0, 1):
                row.native.layout().setStretch(column, 1)
            table.append(row)

    def _cell(self, name: str, way: str, number: float) -> Box:
        short = float(f"{number:.{_DIGITS}g}")
        text = f"{short:g}"
        # More do not fit; the tooltip has them all.
        text = f"{number:.2g}" if len(text) > _LONGEST else text
        button = PushButton(text=text, tooltip=f"Use {short} in the form.")
        may_be_narrow(button.native)
        button.changed.connect(lambda: self.taken.emit(name, short))
        # Nothing to take: no diffusion at all is best, or the time would be endless.
        button.enabled = bool(np.isfinite(number) and number > 0)
        self.buttons[name, way] = button
        label = text_label("help")
        label.value = way
        cell = Box(label, button, layout="horizontal")
        for place, stretch in enumerate((3, 2)):
            cell.native.layout().setStretch(place, stretch)
        return cell

    def _draw(self) -> None:
        if self.open and not self._drawn and self._evidence is not None:
            self._drawn = True
            self.noise.show_model(self._evidence.model)
            self.gradients.show_evidence(self._evidence)


def about(evidence: Evidence) -> str:
    """Return what noise was found, in a sentence."""
    part = "" if evidence.whole else "From the middle of the image. "
    model = evidence.model
    return part + ("" if model is None else f"{_KINDS[model.kind]}: {model.in_words()}")
