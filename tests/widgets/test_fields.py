"""Fields that hold more than a number: components, lists, arrays, functions, nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from form_recipes import marked
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_diffusion import filters, noise, schedules
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.component import Component
from napari_diffusion.filters import Heat, Median, PeronaMalik
from napari_diffusion.widgets.forms.component_choice import ComponentChoice, row_within
from napari_diffusion.widgets.forms.component_form import ComponentForm
from napari_diffusion.widgets.forms.component_series import ComponentSeries
from napari_diffusion.widgets.forms.editors import Choice, NumberEdit
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.parameter_editors import ArrayEdit, FunctionEdit
from napari_diffusion.widgets.forms.units import Units


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


def form_of(cls):
    return ComponentForm(cls, row_within)


def typed(row, text):
    row.editor.native.setText(text)


@pytest.fixture
def form(qtbot):
    form = form_of(Nest)
    qtbot.addWidget(form.native)
    return form


def test_each_kind_has_its_field_and_the_defaults_come_back(form):
    kinds = {n: type(getattr(row, "editor", row)) for n, row in form.rows.items()}
    assert kinds == {
        "pilot": ComponentChoice,
        "series": ComponentSeries,
        "either": ComponentSeries,
        "levels": NumberEdit,
        "gain": ArrayEdit,
        "kernel": ArrayEdit,
        "function": FunctionEdit,
        "width": NumberEdit,
        "mode": Choice,
    }
    assert all(isinstance(row, Field) for n, row in form.rows.items() if n[0] not in "pse")
    assert form.value == Nest()
    assert form.problem is None


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
    form.value = Nest(**changes)
    assert form.value == Nest(**changes)
    form.value = Nest()
    assert form.value == Nest()


class TestLists:
    @pytest.mark.parametrize(
        "text",
        ["3, 2, 0.5", "3 2\t0.5", "3; 2; 0.5", "3, 2, 1/2", " 3.0,2.0,0.5, "],
    )
    def test_are_pasted_as_they_come(self, form, text):
        typed(form.rows["levels"], text)
        assert form.rows["levels"].value == (3.0, 2.0, 0.5)

    def test_one_number_is_a_list(self, form):
        typed(form.rows["levels"], "0.25")
        assert form.rows["levels"].value == (0.25,)

    def test_nothing_is_none_or_asked_for(self, form, qtbot):
        typed(form.rows["levels"], " ")
        assert form.rows["levels"].value is None
        listed = form_of(schedules.Levels)
        qtbot.addWidget(listed.native)
        typed(listed.rows["levels"], "")
        assert marked(listed) == ["Levels: levels must be at least one number (got ())."]

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("0,5 0,2", "'0,5' can be read in two ways"),
            ("0.2, much", "Levels: levels must be a list, each .*much"),
            ("0.1, 0.2", "Levels: levels must be in descending order"),
            ("0.2, -0.1", r"Levels: levels must be .*at least 0 \(got -0\.1\)"),
        ],
    )
    def test_what_is_no_list_is_said_in_one_sentence(self, qtbot, text, sentence):
        form = form_of(schedules.Levels)
        qtbot.addWidget(form.native)
        typed(form.rows["levels"], text)
        with pytest.raises(ValueError, match=sentence):
            form.value  # noqa: B018


class TestComponents:
    def test_a_nested_form_is_edited_in_place_and_signals_once(self, form):
        pilot = form.rows["pilot"]
        seen = []
        form.changed.connect(lambda: seen.append(form.value.pilot))
        pilot.choice.native.setCurrentText("Median")
        typed(pilot.form.rows["radius"], "2.5")
        assert seen == [Median(), Median(radius=2.5)]

    def test_its_problem_is_marked_once_and_is_the_form_s(self, form):
        form.value = Nest(pilot=Heat())
        typed(form.rows["pilot"].form.rows["time"], "-1")
        assert marked(form) == [form.problem]
        assert form.problem.startswith("Heat: time must be")

    def test_units_hints_and_the_pixel_size_reach_within(self, form):
        form.value = Nest(pilot=PeronaMalik())
        form.set_units(Units("µm", 0.5, "stabilised"))
        inner = form.rows["pilot"].form
        said = " ".join(label.text() for label in inner.native.findChildren(QLabel))
        assert "stabilised/µm" in said
        assert "world" not in said
        form.set_resolved(Nest(pilot=PeronaMalik(contrast=0.25)))
        assert inner.rows["contrast"].note.value.startswith("= 0.25 stabilised/µm")
        form.rows["pilot"].choice.native.setCurrentText("Median")
        assert form.value.pilot == Median().scaled(0.5)

    def test_all_forms_within_are_found(self, form):
        form.value = Nest(pilot=Nest(pilot=Heat()))
        assert [each.component for each in form.forms()][:3] == ["Nest", "Nest", "Heat"]

    def test_a_series_is_added_to_and_taken_from(self, form):
        either = form.rows["either"]
        either.add.native.click()
        either.choices[1].choice.native.setCurrentText("Median")
        assert form.value.either == (Heat(), Median())
        either.choices[0].row[-1].native.click()
        assert form.value.either == Median()
        form.value = Nest(either=(Median(),))
        assert form.value.either == (Median(),)

    def test_a_series_of_none_is_asked_for(self, form):
        series = form.rows["series"]
        series.choices[0].row[-1].native.click()
        assert form.problem == "Nest: series must be at least one noise (got ())."
        series.add.native.click()
        assert form.problem is None


class TestArrays:
    def test_a_file_is_typed_or_chosen_and_read_again_when_it_changed(
        self, form, tmp_path, monkeypatch
    ):
        gain = form.rows["gain"]
        file = tmp_path / "gain.npy"
        np.save(file, np.full((2, 2), 3.0))
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
        gain.editor.browse.native.click()
        assert gain.editor.native.text() == str(file)
        assert form.value.gain == ArrayParameter(np.full((2, 2), 3.0))
        assert form.value.gain.file == str(file)
        np.save(file, np.full((2, 3), 4.0))
        assert form.value.gain == ArrayParameter(np.full((2, 3), 4.0))
        typed(gain, "2.5")
        assert form.value.gain == 2.5

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("nowhere.npy", "There is no file 'nowhere.npy' to read the array from."),
            ("much", "An array parameter must be a .npy or .tif file"),
            ("-1", "Nest: gain must be a finite number greater than 0"),
        ],
    )
    def test_what_is_no_array_is_said_in_one_sentence(self, form, text, sentence):
        typed(form.rows["gain"], text)
        assert sentence in form.problem
        assert len(marked(form)) == 1

    @pytest.mark.parametrize("text", ["1.5 × auto", "auto", "3, 4, 4"])
    def test_words_and_lists_beside_arrays_are_no_files(self, text):
        from napari_diffusion.filters import HaarDiffusion

        (parameter,) = (p for p in HaarDiffusion.parameters() if p.name == "noise_sigma")
        editor = ArrayEdit(parameter)
        editor.native.setText(text)
        expected = (3.0, 4.0, 4.0) if "," in text else text
        assert HaarDiffusion(noise_sigma=editor.value).noise_sigma == expected

    def test_an_image_layer_is_named(self, form, make_napari_viewer):
        viewer = make_napari_viewer()
        viewer.add_image(np.full((3, 4), 2.0), name="flat field")
        typed(form.rows["kernel"], "flat field")
        assert form.value.kernel == ArrayParameter(np.full((3, 4), 2.0))


def test_a_function_is_typed_by_its_name(form):
    function = form.rows["function"]
    typed(function, "numpy:sqrt")
    assert form.value.function == "numpy:sqrt"
    typed(function, "sqrt")
    assert "package.module:function" in form.problem


def test_auto_and_none_are_words_and_the_first_of_them_is_an_empty_line(form):
    width = form.rows["width"]
    typed(width, "2")
    assert form.value.width == 2.0
    typed(width, "None")
    assert form.value.width is None
    typed(width, " ")
    assert form.value.width == "auto"
    assert width.editor.native.placeholderText() == "auto"
