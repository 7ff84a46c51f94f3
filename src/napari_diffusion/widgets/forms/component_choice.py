"""Which noise, schedule or filter, and its parameters folded beside the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.core.component import Component
from napari_diffusion.loop import registry
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.records.provenance import component_words
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.component_form import ComponentForm
from napari_diffusion.widgets.forms.component_series import ComponentSeries
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.fold import FoldToggle
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.message import text_label
from napari_diffusion.widgets.forms.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magicgui.widgets.bases import Widget

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.form_row import FormRow, Rows

#: What is chosen: a component, a series of them (a tuple), None or "auto".
Chosen = Any


class ComponentChoice(Box):
    """A component of a slot; its parameters are shown on demand.

    Parameters
    ----------
    slot : {"noise", "schedule", "filter", "domain"}
        Whose components can be chosen.
    label : str
        What the row is called; the slot's name where empty.
    none, auto : bool
        Whether "none" and "auto" can be chosen.
    classes : tuple of type of Component, optional
        The components offered, instead of all that are known.
    unfolded : bool
        Whether the parameters are shown at once.
    """

    def __init__(
        self,
        slot: str,
        label: str = "",
        none: bool = False,
        auto: bool = False,
        classes: tuple[type[Component], ...] = (),
        unfolded: bool = False,
    ) -> None:
        self._units = Units()
        self._form: ComponentForm | None = None
        # What was typed for a class stays while another one is chosen.
        self._forms: dict[type[Component], ComponentForm] = {}
        self._series: tuple[Component, ...] = ()
        offered = classes or registry.COMPONENTS[slot]
        self.choice = _choice(offered, none, auto)
        self.about = text_label("help")
        self.details = Box(self.about)
        self.details.margins = (8, 0, 0, 4)
        self.toggle = FoldToggle("", self.details, "Show or hide the parameters.")
        self.row = labelled(label or slot, self.choice, self.toggle)
        super().__init__(self.row, self.details)
        self.row.native.layout().setStretch(1, 1)
        self._extras = 0
        self._show_form()
        self.toggle.open = unfolded
        self.choice.changed.connect(self._chosen)

    def add_details(self, *widgets: Widget) -> None:
        """Show more on demand, above the parameters."""
        for widget in widgets:
            self.details.insert(self._extras, widget)
            self._extras += 1
        self._show_form()

    @property
    def form(self) -> ComponentForm | None:
        """The form of what is chosen; None for "none", "auto" and a series."""
        return self._form

    @property
    def value(self) -> Chosen:
        """The component, the series, None or "auto"; a ValueError says what is wrong."""
        option = self.choice.value
        if isinstance(option, tuple):
            return self._series
        return option if self._form is None else self._form.value

    @value.setter
    def value(self, chosen: Chosen) -> None:
        with self.choice.changed.blocked():
            if isinstance(chosen, tuple):
                self._offer_series(chosen)
            cls = type(chosen) if isinstance(chosen, Component) else chosen
            if isinstance(chosen, Component) and cls not in self.choice.options_named.values():
                self.choice.offer(chosen.display_name, cls, chosen.summary())
            self.choice.value = cls
        self._show_form()
        if self._form is not None:
            with self._form.changed.blocked():
                self._form.value = chosen
        self.changed.emit(self)

    @property
    def problem(self) -> str | None:
        """The sentence of the first bad row in view, None where there is none."""
        return problem_of(self)

    def mark(self, sentence: str) -> None:
        """Mark the choice as what a sentence is about; an empty one unmarks it."""
        self.choice.tooltip = sentence or _about(self.choice.value)

    def set_resolved(self, chosen: Chosen) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        if self._form is not None:
            same = type(chosen).__name__ == self._form.component
            self._form.set_resolved(chosen if same else None)
        if self.choice.value == "auto":
            self.about.value = "" if chosen is None else f"auto: {component_words(chosen)}"
            self._show_about()

    def set_units(self, units: Units) -> None:
        """Show what the numbers are in; those typed for other components were in another unit."""
        if units.of_length != self._units.of_length:
            self._forms = {cls: form for cls, form in self._forms.items() if form is self._form}
        self._units = units
        if self._form is not None:
            self._form.set_units(units)

    def forms(self) -> Iterator[Rows]:
        """Yield the form of what is chosen and those within it."""
        if self._form is not None:
            yield from self._form.forms()

    def _chosen(self) -> None:
        self._show_form()
        self.changed.emit(self)

    def _offer_series(self, series: tuple[Component, ...]) -> None:
        for name, each in list(self.choice.options_named.items()):
            if isinstance(each, tuple):
                self.choice.withdraw(name)
        self._series = series
        self.choice.offer(f"series of {len(series)}", series, _series_words(series))

    def _show_form(self) -> None:
        """Show the parameters of what is chosen, from its defaults for the image's pixel size."""
        option = self.choice.value
        cls = option if isinstance(option, type) else None
        if self._form is not None and (cls is None or self._form is not self._forms.get(cls)):
            self.details.remove(self._form)
            self._form = None
        if cls is not None and self._form is None:
            self._form = self._form_of(cls)
            self.details.append(self._form)
        self.choice.tooltip = _about(option)
        self.about.value = _about(option) if isinstance(option, tuple) else ""
        self._show_about()
        more = self._extras or self.about.value or (self._form is not None and self._form.rows)
        self.toggle.enabled = bool(more)

    def _form_of(self, cls: type[Component]) -> ComponentForm:
        if cls not in self._forms:
            form = self._forms[cls] = _form(cls, self._units)
            form.changed.connect(lambda: self.changed.emit(self))
        self._forms[cls].set_units(self._units)
        return self._forms[cls]

    def _show_about(self) -> None:
        self.about.visible = bool(self.about.value)


def _choice(classes: tuple[type[Component], ...], none: bool, auto: bool) -> Choice:
    """Return the choice: building blocks, which mainly serve other components, stand last."""
    options: dict[str, Chosen] = {}
    if none:
        options["none"] = None
    if auto:
        options["auto"] = "auto"
    for building_block in (False, True):
        found = [cls for cls in classes if cls.building_block is building_block]
        if found and building_block:
            options[""] = None
        options |= {cls.display_name: cls for cls in found}
    first = next(iter(classes))
    tooltips = {name: _about(option) for name, option in options.items() if name}
    choice = Choice(options, tooltips)
    if not (none or auto):
        choice.value = first
    return choice


def _form(cls: type[Component], units: Units) -> ComponentForm:
    form = ComponentForm(cls, row_within)
    form.set_units(units)
    if form.problem is None:
        form.value = form.value.scaled(units.pixel_size, DIGITS)
    return form


def row_within(parameter: Parameter) -> FormRow:
    """Return the row of a parameter that is a component, or several."""
    if parameter.many:
        return ComponentSeries(parameter, _nested)
    return _nested(parameter, parameter.label, parameter.optional)


def _nested(parameter: Parameter, label: str, none: bool) -> ComponentChoice:
    known = registry.COMPONENTS[parameter.slot]
    # The first one is shown at once; it must not hold a choice of its own, and so on for ever.
    ordered = sorted(known, key=_holds_components)
    return ComponentChoice(parameter.slot, label, none, classes=tuple(ordered))


def _holds_components(cls: type[Component]) -> bool:
    return any(parameter.kind == "component" for parameter in cls.parameters())


def _series_words(series: tuple[Component, ...]) -> str:
    names = [each.display_name for each in series]
    return "Series: " + ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _about(option: Chosen) -> str:
    if isinstance(option, tuple):
        return _series_words(option)
    if isinstance(option, str):
        return "Chosen from the image; shown here once it has been measured."
    return "" if option is None else str(option.summary())
