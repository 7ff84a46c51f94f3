"""One measure: a tick, and its parameters on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox

from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.component_choice import row_within
from napari_diffusion.widgets.forms.component_form import ComponentForm
from napari_diffusion.widgets.forms.fold import FoldToggle
from napari_diffusion.widgets.forms.form_row import problem_of

if TYPE_CHECKING:
    from napari_diffusion.metrics import Metric

_ARROWS = {"lower": " ↓", "higher": " ↑"}
_WAYS = {"lower": " Lower is better.", "higher": " Higher is better."}


class MeasureRow(Box):
    """A tick for a measure; its form is made when it is ticked or unfolded first.

    Parameters
    ----------
    cls : type of Metric
        The measure.
    """

    def __init__(self, cls: type[Metric]) -> None:
        self.cls = cls
        self.form: ComponentForm | None = None
        unit = f" · {cls.unit}" if cls.unit else ""
        self.box = CheckBox(
            text=f"{cls.display_name}{unit}{_ARROWS.get(cls.better, '')}",
            tooltip=f"{cls.summary()}{_WAYS.get(cls.better, '')}",
        )
        may_be_narrow(self.box.native)
        self._details = Box()
        self._details.margins = (20, 0, 0, 2)
        self.toggle = FoldToggle("", self._details, "Show or hide the parameters.")
        line = Box(self.box, self.toggle, layout="horizontal")
        line.native.layout().setStretch(0, 1)
        super().__init__(line, self._details)
        shown = [each for each in cls.parameters() if not _is_region(each.name, each.mapped)]
        self.toggle.visible = bool(shown)
        self.box.changed.connect(self._ticked)
        self.toggle.toggled.connect(lambda on: self._make_form())

    @property
    def name_shown(self) -> str:
        """What the measure is called."""
        return self.cls.display_name

    @property
    def has_region(self) -> bool:
        """Whether it is measured within labels, which a row of their own chooses."""
        return any(_is_region(each.name, each.mapped) for each in self.cls.parameters())

    @property
    def ticked(self) -> bool:
        """Whether it is drawn."""
        return bool(self.box.value)

    @ticked.setter
    def ticked(self, on: bool) -> None:
        self.box.value = on

    @property
    def value(self) -> Metric:
        """The measure with its parameters; ValueError says what is wrong with them."""
        self._make_form()
        value = self.cls() if self.form is None else self.form.value
        assert isinstance(value, self.cls)
        return value

    @property
    def problem(self) -> str | None:
        """What is wrong with the parameters, None where nothing is."""
        return None if self.form is None else problem_of(self.form)

    def _ticked(self) -> None:
        self._make_form()
        self.changed.emit(self)

    def _make_form(self) -> None:
        if self.form is not None or not self.cls.parameters():
            return
        self.form = ComponentForm(self.cls, row_within)
        for parameter in self.cls.parameters():
            if _is_region(parameter.name, parameter.mapped):
                self.form.rows[parameter.name].visible = False  # type: ignore[attr-defined]
        self._details.append(self.form)
        self.form.changed.connect(lambda: self.changed.emit(self))


def _is_region(name: str, mapped: bool) -> bool:
    return name == "labels" and mapped
