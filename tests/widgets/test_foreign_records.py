"""Layers of other readers, with records that are none: docks do not see a run in them."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Points
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

import napari_diffusion as nd
from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.provenance import record
from napari_diffusion.widgets.layers.step_records import KEY, records_of
from napari_diffusion.widgets.recipe import code_consent
from napari_diffusion.widgets.results.shown_step import ShownStep

IMAGE = np.random.default_rng(0).random((2, 8, 8)).astype(np.float32)
RECIPE = nd.Recipe(
    num_steps=2,
    starting_noise_scale=0.1,
    diffusion_filter=nd.filters.PeronaMalik(contrast=1.0, time=1.0),
)


def kept(**changes):
    step = nd.Step(1, 0.1, IMAGE[0], is_final=False)
    found = record(RECIPE, step, {"axes": "yx", "spacing": (1.0, 1.0)}, "face")
    return {**json.loads(json.dumps(found)), **changes}


FOREIGN = [
    {"recipe": 5},
    {"recipe": kept()["recipe"]},
    {"steps": 5},
    {"steps": [None, 3]},
    {"steps": [kept(), {"recipe": 1}]},
    {"steps": [kept()]},
    kept(step="<img src=x>"),
    kept(step=-1),
    kept(source=5),
    kept(grid={}),
    kept(measures=5),
    kept(recommended={"index": "x"}),
    kept(channel=0),
    kept(extra={1, 2}),
    kept(recipe={**kept()["recipe"], "num_steps": 10**9}),
    kept(recipe={**kept()["recipe"], "noise": {"type": "Other"}}),
    kept(recipe={**kept()["recipe"], "starting_noise_scale": "auto"}),
    kept(recipe={**kept()["recipe"], "diffusion_filter": {"type": "Custom", "function": "<b>"}}),
    kept(grid={**kept()["grid"], "spacing": [0.0, 1.0]}),
    kept(grid={**kept()["grid"], "spacing": [1.0]}),
    kept(grid={**kept()["grid"], "along": "tx"}),
    kept(versions={"napari-diffusion": r"1}\input{x}"}),
]


@pytest.mark.parametrize("found", FOREIGN, ids=str)
def test_what_is_no_record_is_no_step(found):
    assert records_of(Image(IMAGE, metadata={KEY: found})) == []


def test_records_are_those_of_the_layer():
    """Docks put what they measure into them."""
    steps = [kept(step=0), kept(step=1)]
    layer = Image(IMAGE, metadata={KEY: {"steps": steps}})
    for _ in range(2):
        assert all(a is b for a, b in zip(records_of(layer), steps, strict=True))
    assert records_of(Points(metadata={KEY: kept()}))[0]["source"] == "face"


def test_a_step_that_is_in_a_stack_twice(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    shown = ShownStep.of(viewer)
    viewer.add_image(IMAGE, metadata={KEY: {"steps": [kept(), kept()]}})
    for place in (0, 1):
        viewer.dims.set_point(0, place)
        qtbot.wait(20)
        assert shown.run.step.place == place


@pytest.mark.parametrize("count", [2**63, 2**40])
def test_words_on_a_step_without_end(count):
    found = kept(step=count - 1)
    assert "Perona" in paragraph(found)
    assert f"{count} of 2 steps" in legend(found)


def test_words_on_a_series_of_filters():
    heat, other = nd.filters.Heat(time=1.0), nd.filters.Heat(time=2.0)
    found = kept(
        recipe=RECIPE.replaced(diffusion_filter=(heat, heat, other), num_steps=9).to_dict()
    )
    said = [paragraph({**found, "step": step}) for step in (1, 2, 4)]
    assert "in step" not in said[0]
    assert "steps 1 to 2" in said[1]
    assert "in step 3" in said[1]
    assert "in steps 3 to 5" in said[2]


@pytest.mark.parametrize("name", ["<b>numpy:abs</b>", "numpy:abs\n\n(harmless)", "numpy"])
def test_nobody_is_asked_about_what_is_no_name(name, monkeypatch):
    monkeypatch.setattr(QMessageBox, "exec", lambda box: pytest.fail(box.text()))
    values = {"num_steps": 1, "noise": None, "diffusion_filter": {"type": "Custom"}}
    values["diffusion_filter"]["function"] = name
    with pytest.raises(ValueError, match="must name a function as"):
        code_consent.with_consent(lambda allowed: nd.Recipe.from_dict(values, allow_code=allowed))


def test_the_question_shows_text_as_it_is(monkeypatch, qtbot):
    formats = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: formats.append(box.textFormat()))
    assert not code_consent.consents("numpy:abs")
    assert formats == [Qt.TextFormat.PlainText]


def test_a_series_has_an_end():
    values = RECIPE.to_dict()
    values["diffusion_filter"] = [values["diffusion_filter"]] * 20_000
    with pytest.raises(ValueError, match="at most 10000 components"):
        nd.Recipe.from_dict(values)
