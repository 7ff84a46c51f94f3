"""Forms made from parameters: numbers to the bit, errors next to the field, choices remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest
from form_recipes import EXACT, sentences
from hypothesis import given, settings
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QLabel

from napari_diffusion import filters, schedules
from napari_diffusion.core.component import Component
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.loop import registry
from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.choice import ComponentChoice, form_for
from napari_diffusion.widgets.forms.fields import (
    Automatic,
    ComboField,
    FlagField,
    LineField,
)


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


def number(check=float, kind="float", many=False, automatic=None) -> LineField:
    return LineField(Parameter("number", kind, None, many=many), check, automatic)


@pytest.fixture
def form(qtbot):
    form = form_for(Everything)
    qtbot.addWidget(form)
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
    shown, typed = number(), number()
    qtbot.addWidget(shown)
    qtbot.addWidget(typed)
    shown.set_value(value)
    qtbot.keyClicks(typed.edit, repr(value))
    assert shown.value().hex() == typed.value().hex() == value.hex()


def test_a_field_holds_whole_numbers_of_64_bits(qtbot):
    field = number(int, "int")
    qtbot.addWidget(field)
    field.set_value(2**64 - 1)
    assert field.value() == 2**64 - 1


def test_ticking_auto_is_one_click_and_unticking_it_brings_the_number_back(qtbot):
    field = number(lambda value: value, automatic=Automatic())
    qtbot.addWidget(field)
    field.set_value(0.125)
    field.tick.click()
    assert field.value() == "auto"
    assert field.edit.text() == ""
    assert field.edit.placeholderText() == "auto"
    field.tick.click()
    assert field.value() == 0.125
    assert field.edit.placeholderText() == ""


def test_typing_a_number_unticks_auto_and_typing_auto_ticks_it(qtbot):
    field = number(lambda value: value, automatic=Automatic())
    qtbot.addWidget(field)
    field.set_value("auto")
    qtbot.keyClicks(field.edit, "0.5")
    assert not field.tick.isChecked()
    assert field.value() == 0.5
    field.edit.clear()
    qtbot.keyClicks(field.edit, "auto")
    assert field.tick.isChecked()
    assert field.value() == "auto"


def test_a_resolved_number_is_a_hint_until_auto_is_unticked(qtbot):
    field = number(lambda value: value, automatic=Automatic())
    qtbot.addWidget(field)
    field.set_value("auto")
    field.set_resolved(1 / 3)
    assert field.edit.placeholderText() == "auto: 0.3333"
    assert field.value() == "auto"
    field.tick.click()
    assert field.value() == 1 / 3
    field.tick.click()
    field.set_resolved(None)
    assert field.edit.placeholderText() == "auto"


def test_up_and_down_count_whole_numbers_within_the_allowed(qtbot):
    count = Parameter("count", "int", 1, minimum=1)
    field = LineField(count, lambda value: count.checked(value, "Test"))
    qtbot.addWidget(field)
    field.set_value(1)
    qtbot.keyClick(field.edit, Qt.Key.Key_Up)
    assert field.value() == 2
    qtbot.keyClick(field.edit, Qt.Key.Key_Down)
    qtbot.keyClick(field.edit, Qt.Key.Key_Down)
    assert field.value() == 1


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-1", "1e999", "0x1", "1 2", "2,5", "½"])
def test_bad_text_puts_one_sentence_under_the_field_and_never_a_traceback(qtbot, text):
    form = form_for(filters.Heat)
    qtbot.addWidget(form)
    field = form.fields["time"]
    field.edit.setText(text)
    assert form.problem().startswith("Heat: time must be a")
    assert sentences(field) == [form.problem()]
    assert "border" in field.edit.styleSheet()
    with pytest.raises(ValueError, match="Heat: time must be"):
        form.value()
    field.edit.setText("2.5")
    assert form.problem() is None
    assert sentences(form) == []
    assert "border" not in field.edit.styleSheet()
    assert form.value() == filters.Heat(time=2.5)


def test_the_sentence_is_the_parameter_s_own(qtbot):
    form = form_for(filters.PeronaMalik)
    qtbot.addWidget(form)
    form.fields["contrast"].edit.setText("-1")
    with pytest.raises(ValueError, match="contrast") as error:
        filters.PeronaMalik(contrast=-1.0)
    assert sentences(form.fields["contrast"]) == [str(error.value)]
    assert sentences(form) == [str(error.value)]


def test_the_unit_of_length_takes_the_place_of_world(qtbot):
    form = form_for(filters.PeronaMalik)
    qtbot.addWidget(form)

    def labels():
        return " ".join(label.text() for label in form.findChildren(QLabel))

    assert "world²" in labels()
    form.set_world_unit("µm")
    assert "world" not in labels()
    assert "µm²" in labels()
    assert "intensity/µm" in labels()


# --- forms ---


def test_a_form_has_a_field_for_every_parameter_and_shows_the_defaults(form):
    assert list(form.fields) == [parameter.name for parameter in Everything.parameters()]
    assert form.value() == Everything()
    assert isinstance(form.fields["mode"], ComboField)
    assert isinstance(form.fields["fine"], FlagField)
    assert form.fields["weight"].toolTip() == "How heavy."


@pytest.mark.parametrize("cls", [c for slot in registry.COMPONENTS.values() for c in slot])
def test_every_component_of_the_catalog_has_a_form_that_begins_with_its_defaults(qtbot, cls):
    form = form_for(cls)
    qtbot.addWidget(form)
    assert form.value() == cls()
    assert form.problem() is None


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
    form.set_value(other)
    assert repr(form.value()) == repr(other)
    form.set_value(Everything(levels=(1 / 3,), counts=(7,), size="auto", sure=True))
    assert repr(form.value()) == repr(
        Everything(levels=(1 / 3,), counts=(7,), size="auto", sure=True)
    )


def test_lists_are_typed_with_commas(form):
    form.fields["levels"].edit.setText("0.1, 0.2, 0.3")
    form.fields["counts"].edit.setText("4, 5,6")
    assert form.value().levels == (0.1, 0.2, 0.3)
    assert form.value().counts == (4, 5, 6)
    form.fields["counts"].edit.setText("4, 5.5")
    assert form.problem() == (
        "Everything: counts must be a whole number or \"auto\" (got '4, 5.5')."
    )


def test_setting_a_form_signals_once_and_every_edit_signals(form):
    seen = []
    form.changed.connect(lambda: seen.append(form.value().count))
    form.set_value(Everything(count=5))
    assert seen == [5]
    form.fields["count"].edit.setText("6")
    form.fields["mode"].combo.setCurrentIndex(0)
    form.fields["fine"].box.click()
    assert seen == [5, 6, 6, 6]


def test_fields_that_do_not_go_together_are_said_beneath_the_form(qtbot):
    form = form_for(Pair)
    qtbot.addWidget(form)
    form.fields["low"].edit.setText("2")
    assert sentences(form) == ["Pair: low must be at most high (got 2.0 and 1.0)."]
    assert sentences(form.fields["low"]) == []
    form.fields["high"].edit.setText("two")
    assert sentences(form) == ["Pair: high must be a number (got 'two')."]


@pytest.mark.parametrize("refusal", [ValueError, TypeError, OverflowError])
def test_whatever_a_component_refuses_with_is_a_sentence(qtbot, refusal):
    @dataclass(frozen=True)
    class Fussy(Component):
        """Takes nothing but 1."""

        only: Annotated[float, {}] = 1.0

        def __post_init__(self) -> None:
            if self.only != 1.0:
                raise refusal("Fussy: only 1 will do.")

    form = form_for(Fussy)
    qtbot.addWidget(form)
    form.fields["only"].edit.setText("2")
    assert form.problem() == "Fussy: only 1 will do."
    assert sentences(form) == ["Fussy: only 1 will do."]


def test_a_hint_is_forgotten_when_another_field_is_edited(qtbot):
    form = form_for(filters.PeronaMalik)
    qtbot.addWidget(form)
    form.set_resolved(filters.PeronaMalik(contrast=0.25))
    contrast = form.fields["contrast"]
    assert contrast.edit.placeholderText() == "auto: 0.25"
    form.fields["smoothing"].edit.setText("1")
    assert contrast.edit.placeholderText() == "auto"
    assert form.value() == filters.PeronaMalik(smoothing=1.0)


def test_the_mouse_wheel_scrolls_past_a_choice(form):
    combo = form.fields["mode"].combo
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
    combo.wheelEvent(wheel)
    assert form.value().mode == "two"
    assert not wheel.isAccepted()


# --- choices ---


@pytest.fixture
def choice(qtbot):
    choice = ComponentChoice("filter", "final filter", may_be_none=True)
    qtbot.addWidget(choice)
    return choice


def choose(choice: ComponentChoice, name: str) -> None:
    choice.combo.setCurrentText(name)


def test_a_choice_offers_the_catalog_and_none(choice):
    names = [choice.combo.itemText(index) for index in range(choice.combo.count())]
    first = [cls.display_name for cls in filters.FILTERS if not cls.building_block]
    last = [cls.display_name for cls in filters.FILTERS if cls.building_block]
    assert names == ["none", *first, "", *last]
    assert choice.value() is None
    assert choice.form is None


def test_a_test_s_own_component_is_offered_with_its_form(qtbot):
    choice = ComponentChoice("filter", classes=(filters.Heat, Everything))
    qtbot.addWidget(choice)
    choose(choice, "Everything")
    assert list(choice.form.fields) == [p.name for p in Everything.parameters()]
    assert choice.value() == Everything()


def test_a_component_that_was_not_offered_is_shown_all_the_same(choice):
    choice.set_value(Everything(count=9))
    assert choice.combo.currentText() == "Everything"
    assert choice.value() == Everything(count=9)


def test_a_parameter_without_a_default_begins_empty_and_is_asked_for(choice):
    @dataclass(frozen=True)
    class Asking(Component):
        """Needs a number."""

        width: Annotated[float, {"above": 0.0, "unit": "world"}]

    choice.set_pixel_size(2.0)
    choice.set_value(Asking(width=3.0))
    assert choice.value() == Asking(width=3.0)

    fresh = ComponentChoice("filter", classes=(Asking,))
    fresh.set_pixel_size(2.0)
    assert fresh.problem() == sentences(fresh)[0]
    assert fresh.problem().startswith("Asking: width must be")
    fresh.form.fields["width"].edit.setText("1")
    assert fresh.value() == Asking(width=1.0)
    fresh.deleteLater()


def test_values_of_a_member_chosen_before_are_remembered(choice):
    choice.set_value(filters.Heat(time=1 / 3))
    choose(choice, "Median")
    choice.form.fields["radius"].edit.setText("2.5")
    choose(choice, "none")
    assert choice.value() is None
    choose(choice, "Linear diffusion")
    assert choice.value() == filters.Heat(time=1 / 3)
    choose(choice, "Median")
    assert choice.value() == filters.Median(radius=2.5)


def test_only_the_chosen_component_s_form_is_seen_and_only_its_problems_count(choice):
    choice.set_value(filters.Heat())
    choice.form.fields["time"].edit.setText("soon")
    assert choice.problem().startswith("Heat: time must be")
    heat = choice.form
    choose(choice, "Median")
    assert choice.problem() is None
    assert not heat.isVisibleTo(choice)
    assert choice.form.isVisibleTo(choice)
    choose(choice, "Linear diffusion")
    assert choice.problem().startswith("Heat: time must be")


def test_a_series_is_shown_by_names_and_comes_back_as_it_was(choice):
    series = (filters.Heat(time=1 / 3), filters.PeronaMalik(contrast=(0.1, 0.2)), filters.Median())
    choice.set_value(series)
    assert choice.value() == series
    assert "series: Linear diffusion, Perona–Malik, Median" in [
        label.text() for label in choice.findChildren(QLabel) if label.isVisibleTo(choice)
    ]
    choose(choice, "Linear diffusion")
    assert choice.value() == filters.Heat()
    choose(choice, "series of 3")
    assert choice.value() == series
    choice.set_value((filters.Heat(),))
    assert choice.value() == (filters.Heat(),)
    assert choice.combo.findText("series of 3") < 0


def test_a_choice_signals_once_for_each_change(choice):
    seen = []
    choice.changed.connect(lambda: seen.append(choice.value()))
    choice.set_value(filters.Heat(time=2.0))
    choose(choice, "none")
    choose(choice, "Linear diffusion")
    choice.form.fields["time"].edit.setText("3")
    assert seen == [filters.Heat(time=2.0), None, filters.Heat(time=2.0), filters.Heat(time=3.0)]


def test_hints_reach_the_form_of_the_same_component_alone(choice):
    choice.set_value(filters.PeronaMalik())
    choice.set_resolved(filters.PeronaMalik(contrast=0.5))
    assert choice.form.fields["contrast"].edit.placeholderText() == "auto: 0.5"
    choice.set_resolved(filters.Heat())
    assert choice.form.fields["contrast"].edit.placeholderText() == "auto"


@settings(max_examples=50, deadline=None)
@given(value=st.floats(0.0, 1e6))
def test_any_end_of_a_schedule_comes_back(qapp, value):
    choice = ComponentChoice("schedule")
    choice.set_value(schedules.Linear(end=value))
    assert choice.value().end.hex() == value.hex()
    choice.deleteLater()
