"""Forms made from parameters: numbers to the bit, errors next to the field, choices remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest
from form_recipes import EXACT, components, marked
from hypothesis import given, settings
from hypothesis import strategies as st
from magicgui.widgets import LineEdit
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QCheckBox, QLabel

from napari_diffusion import filters, schedules
from napari_diffusion.core.component import Component
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.loop import registry
from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.component_choice import ComponentChoice, row_within
from napari_diffusion.widgets.forms.component_form import ComponentForm
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.units import Units


@dataclass(frozen=True)
class Everything(Component):
    """One parameter of every kind."""

    slot: ClassVar[str] = "filter"

    weight: Annotated[float, {"min": 0.0, "tooltip": "How heavy."}] = 1 / 3
    reach: Annotated[float | Literal["auto"], {"above": 0.0, "unit": "world"}] = "auto"
    levels: Annotated[float | tuple[float, ...], {"unit": "intensity/world"}] = (0.1, 0.2, 1 / 3)
    count: Annotated[int, {"min": 1}] = 3
    counts: Annotated[int | Literal["auto"] | tuple[int, ...], {"min": 0}] = (1, 2)
    mode: Annotated[Literal["one", "two"], {}] = "two"
    size: Annotated[Literal[4, 8] | Literal["auto"], {}] = 8
    fine: bool = True
    sure: Annotated[bool | Literal["auto"], {}] = "auto"
    note: str = "as it is"


@dataclass(frozen=True)
class Pair(Component):
    """Two numbers that must be in order."""

    slot: ClassVar[str] = "filter"

    low: Annotated[float, {}] = 0.0
    high: Annotated[float, {}] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise ValueError(f"Pair: low must be at most high (got {self.low} and {self.high}).")


def number(kind="float", many=False, auto=False, check=lambda value: value) -> Field:
    return Field(Parameter("number", kind, None, many=many, auto=auto), check)


def form_of(cls):
    return ComponentForm(cls, row_within)


def typed(row, text):
    row.editor.native.setText(text)


@pytest.fixture
def form(qtbot):
    form = form_of(Everything)
    qtbot.addWidget(form.native)
    return form


# --- numbers as text ---


@pytest.mark.parametrize("value", [*EXACT, -0.0, math.pi, 2.0**53 + 2, 1.7976931348623157e308])
def test_a_float_comes_back_from_its_text_to_the_bit(value):
    back = number_text.read(number_text.written(value), "float")
    assert type(back) is float
    assert back.hex() == value.hex()


@given(st.floats(allow_nan=False) | st.lists(st.floats(allow_nan=False), min_size=1).map(tuple))
def test_any_number_and_any_list_comes_back_from_its_text(value):
    assert repr(number_text.read(number_text.written(value), "float", many=True)) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(65535.0, "65535"), (1e30, "1e30"), (1e-4, "0.0001"), ((0.1, 2.0), "0.1, 2"), ((1.0,), "1,")],
)
def test_numbers_are_written_as_people_write_them(value, text):
    assert number_text.written(value) == text


def test_a_fraction_may_be_typed():
    assert number_text.read(" 1/3 ", "float") == 1 / 3
    assert number_text.read("1/0", "float") == "1/0"
    assert number_text.read("1/2/3", "float") == "1/2/3"


def test_a_decimal_comma_is_not_taken_for_two_channels():
    with pytest.raises(ValueError, match=r"write 0\.5 for one number, or 0, 5 with a space"):
        number_text.read("0,5", "float", many=True)
    assert number_text.read("0, 5", "float", many=True) == (0.0, 5.0)
    assert number_text.read("0.1,0.2,0.3", "float", many=True) == (0.1, 0.2, 0.3)


# --- one field ---


@pytest.mark.parametrize("value", EXACT)
def test_a_field_gives_a_shown_and_a_typed_number_back_to_the_bit(qtbot, value):
    shown, written = number(), number()
    qtbot.addWidget(shown.native)
    qtbot.addWidget(written.native)
    shown.value = value
    qtbot.keyClicks(written.editor.native, repr(value))
    assert shown.value.hex() == written.value.hex() == value.hex()


def test_a_field_holds_whole_numbers_of_64_bits(qtbot):
    field = number("int")
    qtbot.addWidget(field.native)
    field.value = 2**64 - 1
    assert field.value == 2**64 - 1


def test_auto_is_a_word_or_an_empty_line(qtbot):
    field = number(auto=True)
    qtbot.addWidget(field.native)
    field.value = 0.125
    field.editor.native.clear()
    assert field.value == "auto"
    assert field.editor.native.placeholderText() == "auto"
    qtbot.keyClicks(field.editor.native, "0.5")
    assert field.value == 0.5
    field.editor.native.clear()
    qtbot.keyClicks(field.editor.native, "Auto")
    assert field.value == "auto"


def test_what_a_word_stands_for_is_shown_beside_it(qtbot):
    field = number(auto=True)
    qtbot.addWidget(field.native)
    for word in ("auto", "5 % of range"):
        field.value = word
        field.set_resolved(1 / 3)
        assert field.note.value == "= 0.3333"
        assert field.value == word
    field.set_resolved(None)
    assert field.note.value == ""
    field.value = 2.0
    field.set_resolved(2.0)
    assert field.note.value == ""


def test_every_part_of_a_field_says_what_it_is(form):
    for row in form.rows.values():
        label, editor = row[0].native, row.editor.native
        assert label.toolTip() == editor.toolTip() == row.parameter.tooltip
    assert form.rows["weight"].editor.native.toolTip() == "How heavy."


def test_enter_in_a_field_does_nothing_but_take_the_number(qtbot):
    field = number()
    qtbot.addWidget(field.native)
    field.value = 0.5
    seen = []
    field.changed.connect(seen.append)
    qtbot.keyClick(field.editor.native, Qt.Key.Key_Return)
    assert field.value == 0.5
    assert not seen


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-1", "1e999", "0x1", "1 2", "2,5", "½"])
def test_bad_text_marks_the_field_with_one_sentence_and_never_a_traceback(qtbot, text):
    form = form_of(filters.Heat)
    qtbot.addWidget(form.native)
    field = form.rows["time"]
    typed(field, text)
    assert form.problem.startswith("Heat: time must be a")
    assert marked(form) == [form.problem]
    with pytest.raises(ValueError, match="Heat: time must be"):
        form.value  # noqa: B018
    typed(field, "2.5")
    assert form.problem is None
    assert marked(form) == []
    assert form.value == filters.Heat(time=2.5)


def test_the_sentence_is_the_parameter_s_own(qtbot):
    form = form_of(filters.PeronaMalik)
    qtbot.addWidget(form.native)
    typed(form.rows["contrast"], "-1")
    with pytest.raises(ValueError, match="contrast") as error:
        filters.PeronaMalik(contrast=-1.0)
    assert marked(form) == [str(error.value)]


def test_the_unit_of_length_takes_the_place_of_world(qtbot):
    form = form_of(filters.PeronaMalik)
    qtbot.addWidget(form.native)

    def labels():
        return " ".join(label.text() for label in form.native.findChildren(QLabel))

    assert "pixel²" in labels()
    form.set_units(Units("µm", 1.0))
    assert "world" not in labels()
    assert "µm²" in labels()
    assert "intensity/µm" in labels()


# --- forms ---


def test_a_form_has_a_field_for_every_parameter_and_shows_the_defaults(form):
    assert list(form.rows) == [parameter.name for parameter in Everything.parameters()]
    assert form.value == Everything()
    assert isinstance(form.rows["mode"].editor, Choice)
    assert isinstance(form.rows["fine"].editor.native, QCheckBox)


@pytest.mark.parametrize("cls", [c for slot in registry.COMPONENTS.values() for c in slot])
def test_every_component_of_the_catalog_has_a_form_that_begins_with_its_defaults(qtbot, cls):
    form = form_of(cls)
    qtbot.addWidget(form.native)
    assert form.value == cls()
    assert form.problem is None


def test_every_kind_of_value_comes_back_from_a_form(form):
    other = Everything(
        weight=1e-4,
        reach=0.125,
        levels=65535.0,
        count=10**15 + 1,
        counts="auto",
        mode="one",
        size=4,
        fine=False,
        sure=False,
        note="1e3, as text",
    )
    form.value = other
    assert repr(form.value) == repr(other)
    form.value = Everything(levels=(1 / 3,), counts=(7,), size="auto", sure=True)
    assert repr(form.value) == repr(
        Everything(levels=(1 / 3,), counts=(7,), size="auto", sure=True)
    )


def test_lists_are_typed_with_commas(form):
    typed(form.rows["levels"], "0.1, 0.2, 0.3")
    typed(form.rows["counts"], "4, 5,6")
    assert form.value.levels == (0.1, 0.2, 0.3)
    assert form.value.counts == (4, 5, 6)
    typed(form.rows["counts"], "4, 5.5")
    assert form.problem == ("Everything: counts must be a whole number or \"auto\" (got '4, 5.5').")


def test_setting_a_form_signals_once_and_every_edit_signals(form):
    seen = []
    form.changed.connect(lambda: seen.append(form.value.count))
    form.value = Everything(count=5)
    assert seen == [5]
    typed(form.rows["count"], "6")
    form.rows["mode"].editor.native.setCurrentIndex(0)
    form.rows["fine"].editor.native.click()
    assert seen == [5, 6, 6, 6]


def test_fields_that_do_not_go_together_are_the_form_s_problem(qtbot):
    form = form_of(Pair)
    qtbot.addWidget(form.native)
    typed(form.rows["low"], "2")
    assert form.problem == "Pair: low must be at most high (got 2.0 and 1.0)."
    assert marked(form) == []
    typed(form.rows["high"], "two")
    assert marked(form) == ["Pair: high must be a number (got 'two')."]


@pytest.mark.parametrize("refusal", [ValueError, TypeError, OverflowError])
def test_whatever_a_component_refuses_with_is_a_sentence(qtbot, refusal):
    @dataclass(frozen=True)
    class Fussy(Component):
        """Takes nothing but 1."""

        only: Annotated[float, {}] = 1.0

        def __post_init__(self) -> None:
            if self.only != 1.0:
                raise refusal("Fussy: only 1 will do.")

    form = form_of(Fussy)
    qtbot.addWidget(form.native)
    typed(form.rows["only"], "2")
    assert form.problem == "Fussy: only 1 will do."


def test_a_hint_is_forgotten_when_another_field_is_edited(qtbot):
    form = form_of(filters.PeronaMalik)
    qtbot.addWidget(form.native)
    form.set_resolved(filters.PeronaMalik(contrast=0.25))
    contrast = form.rows["contrast"]
    assert contrast.note.value.startswith("= 0.25")
    typed(form.rows["smoothing"], "1")
    assert not contrast.note.value.startswith("=")
    assert form.value == filters.PeronaMalik(smoothing=1.0)


def test_the_mouse_wheel_scrolls_past_a_choice(form):
    combo = form.rows["mode"].editor.native
    wheel = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(combo, wheel)
    assert form.value.mode == "two"
    assert not wheel.isAccepted()


@pytest.mark.parametrize("slot", registry.COMPONENTS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_component_with_any_parameters_comes_back_to_the_bit(qapp, slot, data):
    component = data.draw(components(slot))
    form = _FORMS.setdefault(type(component), form_of(type(component)))
    form.value = component
    assert repr(form.value) == repr(component)
    assert form.value == component


# Forms are made once: that takes longer than all that is shown in them.
_FORMS = {}


# --- choices ---


@pytest.fixture
def choice(qtbot):
    choice = ComponentChoice("filter", "final filter", none=True)
    qtbot.addWidget(choice.native)
    return choice


def choose(choice: ComponentChoice, name: str) -> None:
    choice.choice.native.setCurrentText(name)


def test_a_choice_offers_the_catalog_and_none(choice):
    names = [choice.choice.native.itemText(index) for index in range(choice.choice.native.count())]
    first = [cls.display_name for cls in filters.FILTERS if not cls.building_block]
    last = [cls.display_name for cls in filters.FILTERS if cls.building_block]
    assert [name for name in names if name] == ["none", *first, *last]
    assert choice.value is None
    assert choice.form is None


def test_a_test_s_own_component_is_offered_with_its_form(qtbot):
    choice = ComponentChoice("filter", classes=(filters.Heat, Everything))
    qtbot.addWidget(choice.native)
    choose(choice, "Everything")
    assert list(choice.form.rows) == [p.name for p in Everything.parameters()]
    assert choice.value == Everything()


def test_a_component_that_was_not_offered_is_shown_all_the_same(choice):
    choice.value = Everything(count=9)
    assert choice.choice.native.currentText() == "Everything"
    assert choice.value == Everything(count=9)


def test_a_parameter_without_a_default_begins_empty_and_is_asked_for(choice):
    @dataclass(frozen=True)
    class Asking(Component):
        """Needs a number."""

        width: Annotated[float, {"above": 0.0, "unit": "world"}]

    choice.set_units(Units("pixel", 2.0))
    choice.value = Asking(width=3.0)
    assert choice.value == Asking(width=3.0)

    fresh = ComponentChoice("filter", classes=(Asking,))
    fresh.set_units(Units("pixel", 2.0))
    assert marked(fresh) == [fresh.problem]
    assert fresh.problem.startswith("Asking: width must be")
    typed(fresh.form.rows["width"], "1")
    assert fresh.value == Asking(width=1.0)
    fresh.native.deleteLater()


def test_values_of_a_member_chosen_before_are_remembered(choice):
    choice.value = filters.Heat(time=1 / 3)
    choose(choice, "Median")
    typed(choice.form.rows["radius"], "2.5")
    choose(choice, "none")
    assert choice.value is None
    choose(choice, "Linear diffusion")
    assert choice.value == filters.Heat(time=1 / 3)
    choose(choice, "Median")
    assert choice.value == filters.Median(radius=2.5)


def test_only_the_chosen_component_s_form_is_seen_and_only_its_problems_count(choice):
    choice.value = filters.Heat()
    typed(choice.form.rows["time"], "soon")
    assert choice.problem.startswith("Heat: time must be")
    heat = choice.form
    choose(choice, "Median")
    assert choice.problem is None
    assert not heat.native.isVisibleTo(choice.native)
    assert choice.form.native.isVisibleTo(choice.details.native)
    choose(choice, "Linear diffusion")
    assert choice.problem.startswith("Heat: time must be")


def test_a_series_is_shown_by_names_and_comes_back_as_it_was(choice):
    series = (filters.Heat(time=1 / 3), filters.PeronaMalik(contrast=(0.1, 0.2)), filters.Median())
    choice.value = series
    assert choice.value == series
    assert choice.about.value == "Series: Linear diffusion, Perona–Malik, Median"
    choose(choice, "Linear diffusion")
    assert choice.value == filters.Heat()
    choose(choice, "series of 3")
    assert choice.value == series
    choice.value = (filters.Heat(),)
    assert choice.value == (filters.Heat(),)
    assert choice.choice.native.findText("series of 3") < 0


def test_parameters_fold_beside_the_choice_and_without_any_there_is_nothing_to_unfold(qtbot):
    @dataclass(frozen=True)
    class Bare(Component):
        """Has no parameters."""

    choice = ComponentChoice("filter", classes=(filters.Heat, Bare), unfolded=True)
    qtbot.addWidget(choice.native)
    assert choice.details.native.isVisibleTo(choice.native)
    choose(choice, "Bare")
    assert not choice.toggle.enabled
    choose(choice, "Linear diffusion")
    assert choice.toggle.enabled
    assert choice.details.native.isVisibleTo(choice.native)
    choice.toggle.native.click()
    assert not choice.details.native.isVisibleTo(choice.native)


def test_what_was_typed_in_another_unit_is_not_brought_back(choice):
    choice.value = filters.Heat(time=3.0)
    choose(choice, "Median")
    choice.set_units(Units("µm", 0.5))
    choose(choice, "Linear diffusion")
    assert choice.value == filters.Heat().scaled(0.5)


def test_tab_goes_from_top_to_bottom_also_through_a_form_that_came_later(qtbot, choice):
    after = LineEdit()
    box = Box(choice, after)
    qtbot.addWidget(box.native)
    choice.toggle.open = True
    box.native.show()
    qtbot.waitExposed(box.native)
    choose(choice, "Median")
    rows = [row.editor.native for row in choice.form.rows.values()]
    expected = [choice.choice.native, choice.toggle.native, *rows, after.native]
    found, at = [], expected[0]
    for _ in expected:
        found.append(at)
        at = at.nextInFocusChain()
        while at not in expected:
            at = at.nextInFocusChain()
    assert found == expected


def test_a_choice_signals_once_for_each_change(choice):
    seen = []
    choice.changed.connect(lambda: seen.append(choice.value))
    choice.value = filters.Heat(time=2.0)
    choose(choice, "none")
    choose(choice, "Linear diffusion")
    typed(choice.form.rows["time"], "3")
    assert seen == [filters.Heat(time=2.0), None, filters.Heat(time=2.0), filters.Heat(time=3.0)]


def test_hints_reach_the_form_of_the_same_component_alone(choice):
    choice.value = filters.PeronaMalik()
    choice.set_resolved(filters.PeronaMalik(contrast=0.5))
    assert choice.form.rows["contrast"].note.value.startswith("= 0.5")
    choice.set_resolved(filters.Heat())
    assert not choice.form.rows["contrast"].note.value.startswith("=")


@settings(max_examples=50, deadline=None)
@given(value=st.floats(0.0, 1e6))
def test_any_end_of_a_schedule_comes_back(qapp, value):
    choice = ComponentChoice("schedule")
    choice.value = schedules.Linear(end=value)
    assert choice.value.end.hex() == value.hex()
    choice.native.deleteLater()
