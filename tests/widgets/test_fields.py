"""Fields that hold more than a number: components, lists, arrays, functions, nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from form_recipes import sentences
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_diffusion import filters, noise, schedules
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.component import Component
from napari_diffusion.filters import Heat, Median, PeronaMalik
from napari_diffusion.widgets.forms.array_fields import ArrayField, FunctionField
from napari_diffusion.widgets.forms.choice import form_for
from napari_diffusion.widgets.forms.lists import ListField
from napari_diffusion.widgets.forms.nested import ComponentField, SeriesField


@dataclass(frozen=True)
class Nest(Component):
    """A component of every kind of parameter that is more than a number."""

    slot: ClassVar[str] = "filter"

    pilot: Annotated[filters.Filter | None, {}] = None
    series: Annotated[tuple[noise.Noise, ...], {}] = (noise.Gaussian(),)
    either: Annotated[filters.Filter | tuple[filters.Filter, ...], {}] = Heat()  # noqa: RUF009
    levels: Annotated[tuple[float, ...] | None, {"min": 0.0}] = (1.0,)
    gain: Annotated[float | ArrayParameter | Literal["auto"], {"above": 0.0}] = 1.0
    kernel: Annotated[ArrayParameter | None, {}] = None
    function: Annotated[Callable[..., Any] | str, {}] = "math:sqrt"
    width: Annotated[float | Literal["auto"] | None, {"unit": "world"}] = None
    mode: Annotated[Literal["one", "two"] | None, {}] = None


@pytest.fixture
def form(qtbot):
    form = form_for(Nest)
    qtbot.addWidget(form)
    return form


def test_each_kind_has_its_field_and_the_defaults_come_back(form):
    kinds = {name: type(field).__name__ for name, field in form.fields.items()}
    assert kinds == {
        "pilot": "ComponentField",
        "series": "SeriesField",
        "either": "SeriesField",
        "levels": "ListField",
        "gain": "ArrayField",
        "kernel": "ArrayField",
        "function": "FunctionField",
        "width": "LineField",
        "mode": "ComboField",
    }
    assert form.value() == Nest()
    assert form.problem() is None


ANONYMOUS = lambda values: values  # noqa: E731 - without a name that can be found


@pytest.mark.parametrize(
    "changes",
    [
        {"pilot": PeronaMalik(contrast=1 / 3)},
        {"pilot": Nest(pilot=Median(radius=2.5))},
        {"series": (noise.Gaussian(),) * 3},
        {"either": (Heat(time=1 / 3), Median())},
        {"either": (Heat(),)},
        {"either": Median()},
        {"levels": (1 / 3, 5e-324, 0.0)},
        {"levels": None},
        {"gain": "auto"},
        {"gain": 1e-4},
        {"gain": ArrayParameter(np.full((2, 3), 1 / 3))},
        {"kernel": ArrayParameter(np.arange(4.0))},
        {"function": ANONYMOUS},
        {"function": np.sqrt},
        {"function": "numpy:abs"},
        {"width": "auto"},
        {"width": 0.125},
        {"mode": "two"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_every_kind_of_value_comes_back(form, changes):
    form.set_value(Nest(**changes))
    assert form.value() == Nest(**changes)
    form.set_value(Nest())
    assert form.value() == Nest()


class TestLists:
    @pytest.fixture
    def levels(self, form):
        assert isinstance(form.fields["levels"], ListField)
        return form.fields["levels"]

    @pytest.mark.parametrize(
        "text",
        ["3, 2, 0.5", "3\n2\n0.5\n", "3 2\t0.5", "3; 2; 0.5", "3,\n2,\n1/2", " 3.0,2.0,0.5, "],
    )
    def test_are_pasted_as_they_come(self, levels, text):
        levels.edit.setPlainText(text)
        assert levels.value() == (3.0, 2.0, 0.5)

    def test_one_number_is_a_list(self, levels):
        levels.edit.setPlainText("0.25")
        assert levels.value() == (0.25,)

    def test_nothing_is_none_or_asked_for(self, levels, qtbot):
        levels.edit.setPlainText(" ")
        assert levels.value() is None
        listed = form_for(schedules.Levels)
        qtbot.addWidget(listed)
        listed.fields["levels"].edit.setPlainText("")
        assert sentences(listed) == ["Levels: levels must be at least one number (got ())."]

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("0,5\n0,2", "'0,5' can be read in two ways"),
            ("0.2, much", "Levels: levels must be a list, each .*much"),
            ("0.1, 0.2", "Levels: levels must be in descending order"),
            ("0.2, -0.1", r"Levels: levels must be .*at least 0 \(got -0\.1\)"),
        ],
    )
    def test_what_is_no_list_is_said_in_one_sentence(self, qtbot, text, sentence):
        form = form_for(schedules.Levels)
        qtbot.addWidget(form)
        form.fields["levels"].edit.setPlainText(text)
        assert len(sentences(form)) == 1
        with pytest.raises(ValueError, match=sentence):
            form.value()


class TestComponents:
    def test_a_nested_form_is_edited_in_place_and_signals_once(self, form):
        pilot = form.fields["pilot"]
        assert isinstance(pilot, ComponentField)
        seen = []
        form.changed.connect(lambda: seen.append(form.value().pilot))
        pilot.choice.combo.setCurrentText("Median")
        pilot.choice.form.fields["radius"].edit.setText("2.5")
        assert seen == [Median(), Median(radius=2.5)]

    def test_its_problem_is_said_once_and_is_the_form_s(self, form):
        form.set_value(Nest(pilot=Heat()))
        form.fields["pilot"].choice.form.fields["time"].edit.setText("-1")
        assert len(sentences(form)) == 1
        assert form.problem().startswith("Heat: time must be")

    def test_units_hints_and_the_distance_of_samples_reach_within(self, form):
        form.set_value(Nest(pilot=PeronaMalik()))
        form.set_world_unit("µm")
        form.set_unit("intensity", "stabilised")
        inner = form.fields["pilot"].choice.form
        said = " ".join(label.text() for label in inner.findChildren(QLabel))
        assert "stabilised/µm" in said
        assert "world" not in said
        form.set_resolved(Nest(pilot=PeronaMalik(contrast=0.25)))
        assert inner.fields["contrast"].edit.placeholderText() == "auto: 0.25"
        form.set_pixel_size(0.5)
        form.fields["pilot"].choice.combo.setCurrentText("Median")
        assert form.value().pilot == Median().scaled(0.5)

    def test_all_forms_within_are_found(self, form):
        form.set_value(Nest(pilot=Nest(pilot=Heat())))
        assert [each.component for each in form.forms()][:3] == ["Nest", "Nest", "Heat"]

    def test_a_series_is_added_to_and_taken_from(self, form):
        either = form.fields["either"]
        assert isinstance(either, SeriesField)
        either.list.add.click()
        either.list.choices[1].combo.setCurrentText("Median")
        assert form.value().either == (Heat(), Median())
        either.list.removes[0].click()
        assert form.value().either == Median()
        form.set_value(Nest(either=(Median(),)))
        assert form.value().either == (Median(),)

    def test_a_series_of_none_is_asked_for(self, form):
        series = form.fields["series"]
        series.list.removes[0].click()
        assert sentences(form) == ["Nest: series must be at least one noise (got ())."]
        series.list.add.click()
        assert form.problem() is None


class TestMaps:
    def test_a_file_is_typed_or_chosen_and_read_again_when_it_changed(
        self, form, tmp_path, monkeypatch
    ):
        gain = form.fields["gain"]
        assert isinstance(gain, ArrayField)
        file = tmp_path / "gain.npy"
        np.save(file, np.full((2, 2), 3.0))
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
        gain.browse.click()
        assert gain.edit.text() == str(file)
        assert form.value().gain == ArrayParameter(np.full((2, 2), 3.0))
        assert form.value().gain.file == str(file)
        np.save(file, np.full((2, 3), 4.0))
        assert form.value().gain == ArrayParameter(np.full((2, 3), 4.0))
        gain.edit.setText("2.5")
        assert form.value().gain == 2.5

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("nowhere.npy", "There is no file 'nowhere.npy' to read the array from."),
            ("much", "An array parameter must be a .npy or .tif file"),
            ("-1", "Nest: gain must be a finite number greater than 0"),
        ],
    )
    def test_what_is_no_map_is_said_in_one_sentence(self, form, text, sentence):
        form.fields["gain"].edit.setText(text)
        assert sentence in form.problem()
        assert len(sentences(form)) == 1

    def test_an_image_layer_is_named(self, form, make_napari_viewer):
        viewer = make_napari_viewer()
        viewer.add_image(np.full((3, 4), 2.0), name="flat field")
        form.fields["kernel"].edit.setText("flat field")
        assert form.value().kernel == ArrayParameter(np.full((3, 4), 2.0))


def test_a_function_is_typed_by_its_name(form):
    function = form.fields["function"]
    assert isinstance(function, FunctionField)
    function.edit.setText("numpy:sqrt")
    assert form.value().function == "numpy:sqrt"
    function.edit.setText("sqrt")
    assert "package.module:function" in form.problem()


def test_none_is_typed_where_auto_has_the_tick(form):
    width = form.fields["width"]
    width.edit.setText("2")
    assert form.value().width == 2.0
    width.edit.setText("none")
    assert form.value().width is None
    width.tick.click()
    assert form.value().width == "auto"
