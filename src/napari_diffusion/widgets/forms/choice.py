"""Which noise, schedule or filter, and its parameters beneath."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from napari_diffusion.core.component import Component
from napari_diffusion.loop import registry
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.records.provenance import component_words
from napari_diffusion.widgets.forms.component_form import ParameterForm
from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel, RowLabel
from napari_diffusion.widgets.forms.nested import NestedChoice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.parameter import Parameter

_INDENT = 10

# A class, a series (a tuple), None or "auto".
Option = type[Component] | tuple[Component, ...] | str | None

#: What is chosen: a component, a series of them (a tuple), None or "auto".
Chosen = Any

# Stands among the options where the list has a line; it cannot be chosen.
_SEPARATOR = "separator"


class ComponentChoice(NestedChoice):
    """A component of a slot and its form; forms of components chosen before keep what was typed.

    Parameters
    ----------
    slot : {"noise", "schedule", "filter"}
        Whose components can be chosen.
    label : str
        What the row is called; the slot's name where empty.
    may_be_none : bool
        Whether "none" can be chosen.
    classes : tuple of type of Component, optional
        The components offered, instead of the catalog's.
    indent : int
        How far the form is set in, which shows to which choice it belongs.
    may_be_auto : bool
        Whether "auto" can be chosen.
    """

    def __init__(
        self,
        slot: str,
        label: str = "",
        may_be_none: bool = False,
        classes: tuple[type[Component], ...] | None = None,
        indent: int = 0,
        parent: QWidget | None = None,
        may_be_auto: bool = False,
    ) -> None:
        super().__init__(parent)
        # A class, a series (a tuple), None or "auto", one per entry.
        self._options: list[Option] = []
        self._forms: dict[type[Component], ParameterForm] = {}
        self._units: dict[str, str] = {}
        self._indent = indent
        self._pixel_size = 1.0
        self._untouched: set[type[Component]] = set()
        self.combo = Combo()
        self._series = MessageLabel(GREY)
        self._label = RowLabel(f"<b>{label or slot}</b>")
        self._lay_out()
        for cls in (
            *(None,) * may_be_none,
            *("auto",) * may_be_auto,
            *sorted(classes or registry.COMPONENTS[slot], key=lambda cls: cls.building_block),
        ):
            if getattr(cls, "building_block", False) and _SEPARATOR not in self._options:
                self.combo.insertSeparator(len(self._options))
                self._options.append(_SEPARATOR)
            self._offer(cls)
        self._edited()
        self.combo.currentIndexChanged.connect(self._edited)

    def _lay_out(self) -> None:
        row = self._row = QGridLayout()
        row.setHorizontalSpacing(6)
        row.addWidget(self._label, 0, 0)
        row.addWidget(self.combo, 0, 1)
        row.setColumnStretch(1, 1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)
        self._layout.addLayout(row)
        self._layout.addWidget(self._series)

    def _option(self) -> Option:
        return self._options[self.combo.currentIndex()]

    @property
    def form(self) -> ParameterForm | None:
        """The form in view; None for "none" and for a series."""
        option = self._option()
        return self._forms.get(option) if isinstance(option, type) else None

    def value(self) -> Chosen:
        """Return the component, the series or None; a ValueError says what is wrong."""
        option = self._option()
        return self._form_of(option).value() if isinstance(option, type) else option

    def set_value(self, chosen: Chosen) -> None:
        """Show a component, a series or None; `value` returns an equal one."""
        option = type(chosen) if isinstance(chosen, Component) else chosen
        with self.changed.blocked(), QSignalBlocker(self.combo):
            if isinstance(option, tuple):
                self._forget_series()
            if option not in self._options:
                self._offer(option)
            self.combo.setCurrentIndex(self._options.index(option))
            if isinstance(chosen, Component):
                self._form_of(type(chosen)).set_value(chosen)
                self._untouched.discard(type(chosen))
        self._edited()

    def problem(self) -> str | None:
        """Return the sentence of the first bad field in view, None where there is none."""
        return self.form.problem() if self.form else None

    def set_resolved(self, chosen: Chosen) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        for cls, form in self._forms.items():
            form.set_resolved(chosen if type(chosen) is cls else None)
        if self._option() == "auto":
            self._series.say("" if chosen is None else f"auto: {component_words(chosen)}")

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit; see `Field.set_unit`."""
        self._units[name] = unit
        for form in self._forms.values():
            form.set_unit(name, unit)

    def forms(self) -> Iterator[ParameterForm]:
        """Yield the form in view and those within it."""
        if self.form is not None:
            yield from self.form.forms()

    def add_beside(self, widget: QWidget) -> None:
        """Put a widget to the right of the choice."""
        self._row.addWidget(widget, 0, 2)

    def set_label(self, text: str) -> None:
        """Call the row by another name."""
        self._label.set_name(f"<b>{text}</b>")

    def set_pixel_size(self, length: float) -> None:
        """Scale the parameters that were not typed to a pixel size of `length` world units."""
        untouched = set(self._untouched)
        with self.changed.blocked():
            for form in self._forms.values():
                form.set_pixel_size(length)
            for cls in untouched:
                self._forms[cls].set_value(cls().scaled(length, DIGITS))
        self._untouched = untouched
        self._pixel_size = length

    def _offer(self, option: Option) -> None:
        self._options.append(option)
        self.combo.addItem(_name(option))
        self.combo.setItemData(self.combo.count() - 1, _about(option), Qt.ItemDataRole.ToolTipRole)

    def _forget_series(self) -> None:
        for index, option in enumerate(self._options):
            if isinstance(option, tuple):
                self.combo.removeItem(index)
                del self._options[index]
                return

    def _form_of(self, cls: type[Component]) -> ParameterForm:
        if cls not in self._forms:
            form = self._forms[cls] = form_for(cls, self)
            form.setContentsMargins(self._indent, 0, 0, 0)
            form.set_pixel_size(self._pixel_size)
            for name, unit in self._units.items():
                form.set_unit(name, unit)
            if form.problem() is None:
                form.set_value(form.value().scaled(self._pixel_size, DIGITS))
                self._untouched.add(cls)
            form.changed.connect(partial(self._touched, cls))
            self._layout.addWidget(form)
            for before, after in itertools.pairwise([self.combo, *form.focusable()]):
                self.setTabOrder(before, after)
        return self._forms[cls]

    def _touched(self, cls: type[Component]) -> None:
        self._untouched.discard(cls)
        self.changed.emit()

    def _edited(self) -> None:
        option = self._option()
        shown = self._form_of(option) if isinstance(option, type) else None
        for form in self._forms.values():
            form.setVisible(form is shown)
        self._series.say(_about(option) if isinstance(option, tuple) else "")
        self._label.setToolTip(_about(option))
        self.combo.setToolTip(_about(option))
        self.changed.emit()


def form_for(cls: type[Component], parent: QWidget | None = None) -> ParameterForm:
    """Return the form of a component class, with choices for components within it."""
    return ParameterForm(cls, _choice_within, parent)


def _choice_within(parameter: Parameter, label: str, may_be_none: bool) -> ComponentChoice:
    simple = [cls for cls in registry.COMPONENTS[parameter.slot] if not _holds_components(cls)]
    nesting = [cls for cls in registry.COMPONENTS[parameter.slot] if _holds_components(cls)]
    # The first one is shown at once; it must not hold a choice of its own, and so on for ever.
    return ComponentChoice(parameter.slot, label, may_be_none, (*simple, *nesting), _INDENT)


def _holds_components(cls: type[Component]) -> bool:
    return any(parameter.kind == "component" for parameter in cls.parameters())


def _name(option: Option) -> str:
    if isinstance(option, tuple):
        return f"series of {len(option)}"
    if isinstance(option, str):
        return option
    return "none" if option is None else str(option.display_name)


def _about(option: Option) -> str:
    if isinstance(option, tuple):
        names = [each.display_name for each in option]
        return "series: " + ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    if isinstance(option, str):
        return "Chosen from the image; shown here once it has been measured."
    return "" if option is None else str(option.summary())
