"""Studies of the shown step: a button each, maps as layers, what was found in words, the plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from steps_driver import click, clicked, run_on, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.analysis.studies import STUDIES, StudyKind
from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.analysis.survival.cells import SurvivalCell
from napari_diffusion.analysis.survival.detection_limit import DetectionLimit
from napari_diffusion.core.results import ResultMap
from napari_diffusion.widgets.analysis import study_form
from napari_diffusion.widgets.analysis.survival_plot import SurvivalPlot
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.steps import step_study as study_asks

CELLS = np.random.default_rng(1).normal(50, 5, (48, 64)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=3, starting_noise_scale=5.0, seed=7)
GREY, BACK = {"kinds", "dark", "patch"}, {"background"}
ALL = (*GREY, *BACK, "second", "halves", "of", "measure")


@dataclass(frozen=True, eq=False)
class Removed(StudyResult):
    """What a study without any science finds: how far the last step is from the source."""

    title: ClassVar[str] = "What was removed"

    removed: np.ndarray
    sigma: float
    options: dict

    def sentences(self):
        return ("Something was removed.", "Less is left.")

    def limits(self):
        return ("Tried on one image.",)

    def maps(self):
        return (
            ResultMap("removed", self.removed, "intensity", (-9.0, 9.0), diverging=True),
            ResultMap("share", np.abs(self.removed) > self.sigma, "", (0.0, 1.0)),
        )

    def to_dict(self):
        return {}


@dataclass(frozen=True)
class Tried:
    """What a plot takes of feature survival."""

    cells: tuple
    limits_of_detection: tuple

    def kept_table(self, kind):
        assert kind == "spot"
        return np.array([0.7, 3.0]), np.array([1.0, 4.0]), np.array([[0.2, 0.43], [0.9, 1.0]])


class Removal:
    """Makes the study; remembers with what it was called."""

    def __init__(self):
        self.called = {}

    def __call__(self, image, recipe, *, step, region, progress, stop, **options):
        self.called = options
        grid = {n: options.pop(n) for n in list(options) if n not in ALL}
        study = Study.of(image, recipe, grid, step=step, region=region, stop=stop)
        progress(0, 2)
        removed = study.result(study.image.data) - study.image.data[study.run.core]
        if grid.get("rgb"):
            removed = removed.mean(1, keepdims=True)
        progress(1, 2)
        removed = study.in_axes(removed)
        progress(2, 2)
        return Removed(study.recipe, study.step, removed, 5.0, options)


@pytest.fixture
def removal(monkeypatch):
    """Put a study of that kind beside nothing else into the dock."""
    function = Removal()
    kind = StudyKind("removal", "Removal", "What was taken away.", function, ALL)
    monkeypatch.setattr(study_form, "STUDIES", (kind,))
    return function


def opened(open_steps, *layers):
    viewer, dock = open_steps(*layers)
    dock.turn_to("Study")
    return viewer, dock


def start(dock):
    return dock.study.survives.buttons["removal"]


def test_maps_are_layers_with_name_unit_limits_colours_and_record(open_steps, qtbot, removal):
    placed = {"scale": (0.5, 2.0), "translate": (3.0, 4.0), "units": ("um", "um")}
    viewer, dock = opened(open_steps, Image(CELLS, name="cells", colormap="green", **placed))
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["cells"])
    dock.value = 1
    qtbot.wait(20)
    share, removed = clicked(dock, qtbot, start(dock))
    assert removed.name == f"removed (intensity) · {steps[1].name}"
    assert share.name == f"share · {steps[1].name}"
    assert [removed.visible, share.visible] == [True, False]
    assert list(viewer.layers)[-1] is removed
    resolved = RECIPE.resolved(CELLS, spacing=(0.5, 2.0))
    step = list(nd.steps(CELLS, resolved, spacing=(0.5, 2.0)))[1]
    np.testing.assert_allclose(removed.data, step.image - CELLS, atol=1e-4)
    assert (removed.contrast_limits, share.contrast_limits) == ([-9, 9], [0, 1])
    assert (removed.colormap.name, share.colormap.name) == ("coolwarm", "viridis")
    assert removed.colorbar.visible
    for name in placed:
        np.testing.assert_array_equal(getattr(removed, name), getattr(steps[1], name), name)
    assert records_of(removed) == []
    record = removed.metadata["napari_diffusion"]
    assert (record["made"], record["shows"], record["map_unit"]) == (
        "what was removed", "removed", "intensity",
    )  # fmt: skip
    assert record["of"]["step"] == 1
    assert record["findings"] == ["Something was removed.", "Less is left."]
    assert record["limits"] == ["Tried on one image."]
    assert dock.value == 1
    message = dock.controls.message
    assert message.sentence == "Removal: Something was removed."
    assert "Less is left." in message.details
    assert "Tried on one image." in message.details


def test_what_is_repeated_replaces_its_own_layers_alone(open_steps, qtbot, removal):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    run_on(dock, qtbot, RECIPE, viewer.layers["cells"])
    last = clicked(dock, qtbot, start(dock))
    dock.value = 0
    qtbot.wait(20)
    first = clicked(dock, qtbot, start(dock))
    first[0].name = "mine"
    again = clicked(dock, qtbot, start(dock))
    there = list(viewer.layers)
    maps = [layer for layer in there if "findings" in layer.metadata.get("napari_diffusion", {})]
    assert [layer for layer in maps if layer.visible] == [again[-1]], "one colour bar at a time"
    assert all(layer in there for layer in (*last, first[0], *again))
    assert first[1] not in there
    assert len(dock.study.survives.results(dock.run)) == 1


def test_a_stack_names_its_step(open_steps, qtbot, removal):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    (stack,) = run_on(dock, qtbot, RECIPE, viewer.layers["cells"], result="stack")
    dock.value = 1
    qtbot.wait(20)
    _, removed = clicked(dock, qtbot, start(dock))
    assert removed.name == f"removed (intensity) · step 01 · {stack.name}"
    assert removed.ndim == 2


def test_channels_colours_and_a_region(open_steps, qtbot, removal):
    channels = [
        Image(CELLS * c, name=name, colormap=name, blending="additive")
        for c, name in enumerate(("red", "green"), 1)
    ]
    colours = np.clip(np.stack([CELLS, CELLS + 9, 2 * CELLS], -1), 0, 255).astype(np.uint8)
    viewer, dock = opened(open_steps, *channels, Image(colours, name="face", rgb=True))
    part = (slice(8, 40), slice(16, 60))
    *_, green = run_on(dock, qtbot, RECIPE, *viewer.layers[:2], region=(slice(0, 2), *part))
    viewer.layers.selection.active = green
    qtbot.wait(20)
    _, removed = clicked(dock, qtbot, start(dock))
    assert removed.data.shape == green.data.shape == (32, 44)
    np.testing.assert_allclose(removed.data, green.data - 2 * CELLS[part], atol=1e-3)
    np.testing.assert_array_equal(removed.translate, (8, 16))
    assert removed.metadata["napari_diffusion"]["studied_region"] == [[8, 40], [16, 60]]
    *_, face = run_on(dock, qtbot, RECIPE, viewer.layers["face"], axes="yxc")
    viewer.layers.selection.active = face
    qtbot.wait(20)
    _, removed = clicked(dock, qtbot, start(dock))
    assert not removed.rgb
    assert removed.data.shape == (48, 64)


def test_what_is_chosen_reaches_the_study(open_steps, qtbot, removal):
    movie = np.stack([CELLS, CELLS[::-1], CELLS[:, ::-1], CELLS])
    labels = np.zeros(CELLS.shape, np.uint8)
    labels[5:9, 7:20] = 3
    box = [[[10, 20], [10, 30], [18, 30], [18, 20]]]
    viewer, dock = opened(
        open_steps, Image(movie, name="movie"), Image(movie + 1, name="again"),
        Labels(labels, name="back"), Shapes(np.array(box), name="box"),
    )  # fmt: skip
    run_on(dock, qtbot, RECIPE, viewer.layers["movie"], axes="tyx")
    kind, background, repeat, measure = dock.study.survives.choices
    clicked(dock, qtbot, start(dock))
    told = removal.called
    assert told["kinds"] == ("spot",)
    assert told["of"] == "noise-free"
    assert told["measure"] == nd.metrics.Objects()
    assert not {"background", "second", "patch"} & set(told)
    region = dock.curves.measures.rows["Region statistic"]
    region.ticked = True
    region.form.value = nd.metrics.RegionStatistic(statistic="median")
    kind.value, measure.value = "drawn rectangle", "Region statistic"
    background.value, repeat.value = viewer.layers["back"], viewer.layers["again"]
    viewer.dims.set_point(0, 2)
    clicked(dock, qtbot, start(dock))
    told = removal.called
    assert told["kinds"] == ("patch",)
    assert told["patch"] == (slice(2, 3), slice(10, 19), slice(20, 31))
    np.testing.assert_array_equal(told["background"], np.broadcast_to(labels != 0, movie.shape))
    np.testing.assert_array_equal(told["second"], movie + 1)
    assert told["measure"].statistic == "median"
    repeat.combo.value = "even/odd frames"
    clicked(dock, qtbot, start(dock))
    assert removal.called["halves"] == "frames"


def test_the_visible_part_is_studied_of_a_large_image(open_steps, qtbot, removal):
    viewer, dock = open_steps(Image(np.tile(CELLS, (30, 30)), name="large"), show=True)
    dock.turn_to("Study")
    run_on(dock, qtbot, RECIPE, viewer.layers["large"])
    assert dock.study.survives.part.combo.value == "visible part"
    viewer.scene.camera.zoom *= 4
    qtbot.wait(50)
    _, removed = clicked(dock, qtbot, start(dock))
    corner = removed.translate.astype(int)
    assert removed.data.shape[0] <= 512
    assert (corner > 0).all()
    part = tuple(slice(at, at + n) for at, n in zip(corner, removed.data.shape, strict=True))
    here = dock.run.steps[-1].data[part] - viewer.layers["large"].data[part]
    np.testing.assert_allclose(removed.data, here, atol=1e-3)


def test_a_study_can_be_cancelled(open_steps, qtbot, removal, monkeypatch):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    run_on(dock, qtbot, RECIPE, viewer.layers["cells"])

    def forever(*_, progress, stop, **__):
        progress(1, 1000)
        stop.wait(60)
        raise nd.Stopped

    monkeypatch.setattr(Removal, "__call__", forever)
    before = list(viewer.layers)
    click(start(dock))
    qtbot.waitUntil(lambda: dock.controls.bar.max == 1000)
    assert "runs" in dock.controls.bar.native.format()
    assert not start(dock).enabled
    click(dock.controls.cancel)
    wait(dock, qtbot)
    assert list(viewer.layers) == before
    assert dock.controls.message.sentence.startswith("Cancelled")
    assert start(dock).enabled


def test_errors_are_said(open_steps, qtbot, removal, said):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    run_on(dock, qtbot, RECIPE, viewer.layers["cells"])
    kind, *_, measure = dock.study.survives.choices
    kind.value = "drawn rectangle"
    assert clicked(dock, qtbot, start(dock)) == []
    assert "No rectangle is drawn" in said[-1]
    assert dock.controls.message.role == "error"
    objects = dock.curves.measures.rows["Objects"]
    objects.ticked = True
    objects.form.rows["threshold"].editor.native.setText("high")
    kind.value, measure.value = "edges", "Objects"
    assert clicked(dock, qtbot, start(dock)) == []
    assert said[-1].startswith("Objects, in the tab Curves: ")
    viewer.layers.remove("cells")
    qtbot.wait(20)
    assert not start(dock).enabled
    assert "source layer was removed" in start(dock).tooltip


def test_the_report_has_the_studies_of_the_run(open_steps, qtbot, removal, monkeypatch, tmp_path):
    channels = [
        Image(CELLS * c, name=name, colormap=name, blending="additive")
        for c, name in enumerate(("red", "green"), 1)
    ]
    viewer, dock = opened(open_steps, *channels)
    assert not dock.study.report.enabled
    run_on(dock, qtbot, RECIPE, *viewer.layers[:2])
    clicked(dock, qtbot, start(dock))
    path = tmp_path / "told.html"
    monkeypatch.setattr(study_asks, "asked_for", lambda *_: path)
    assert clicked(dock, qtbot, dock.study.report) == []
    assert dock.controls.message.sentence == f"Written to {path}."
    page = path.read_text("utf-8")
    assert "Something was removed." in page
    assert "Tried on one image." in page


def test_every_study_of_the_list_has_a_button_that_works(open_steps, qtbot):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    # With noise, because the spread over the seeds needs some.
    heat = nd.Recipe(3, starting_noise_scale=5.0, diffusion_filter=nd.filters.Heat(time=0.5))
    run_on(dock, qtbot, heat, viewer.layers["cells"])
    form = dock.study.survives
    assert {*form.buttons} == {kind.key for kind in STUDIES}
    assert form.plot is None
    before = []
    for kind in STUDIES:
        assert form.buttons[kind.key].tooltip == kind.about
        made = clicked(dock, qtbot, form.buttons[kind.key])
        result = next(r for r in form.results(dock.run) if type(r) not in before)
        before.append(type(result))
        assert dock.controls.message.sentence == f"{kind.title}: {result.sentences()[0]}"
        assert all(limit in dock.controls.message.details for limit in result.limits())
        assert len(made) == len(result.maps())
        for layer, shown in zip(reversed(made), result.maps(), strict=True):
            assert layer.data.shape == CELLS.shape
            assert layer.metadata["napari_diffusion"]["shows"] == shown.name
    assert len(form.results(dock.run)) == len(STUDIES)
    plot = form.plot
    assert plot is not None
    assert not plot.isHidden()
    dock.native.setFixedWidth(330)
    qtbot.wait(30)
    area = dock.tabs.currentWidget()
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    run_on(dock, qtbot, heat, viewer.layers["cells"])
    assert form.results(dock.run) == []
    assert plot.isHidden()


def test_the_plot_has_cells_lines_and_arrows(qtbot):
    tried = [
        (0.7, 1.0, 0.2, 1.0),
        (0.7, 4.0, 0.43, 0.64),
        (3.0, 1.0, 0.9, 0.0),
        (3.0, 4.0, 1.0, 0.0),
    ]
    cells = [
        SurvivalCell("spot", size, c, 5 * c, 20, kept, 0.02, 1.1, 0.1, lost, (0.0, 0.2))
        for size, c, kept, lost in tried
    ]
    limits = [
        DetectionLimit("spot", 0.7, 0.5, 2.0, 1.5, 2.5, "2"),
        DetectionLimit("spot", 0.7, 0.95, None, None, None, ">4"),
        DetectionLimit("spot", 3.0, 0.5, None, None, None, "<1"),
        DetectionLimit("spot", 3.0, 0.95, 1.0, 0.9, 1.1, "1"),
    ]
    plot = SurvivalPlot()
    qtbot.addWidget(plot)
    plot.show_result(Tried(tuple(cells), tuple(limits)))
    np.testing.assert_array_equal(plot._image.image, [[0.2, 0.9], [0.43, 1.0]])
    texts = [mark.toPlainText() for mark in plot._marks if hasattr(mark, "toPlainText")]
    assert sorted(texts) == ["0.20", "0.43", "0.90", "1.00", "▲", "▼"]
    names, columns = plot.table()
    assert dict(zip(names, columns, strict=True))["lost"] == [1.0, 0.64, 0.0, 0.0]
    plot._at = (0, 1)
    plot._show_legend()
    assert plot.legend.text() == (
        "spot, 0.7 pixels, 4 × σ = 20 intensity: kept 0.43 ± 0.02 of the contrast, "
        "lost 64 % (0 … 20 %) of 20."
    )
    plot.show_result(Tried(tuple(cells), ()))
    assert len(plot._marks) == 4 + 4, "numbers, and two lines of no points, bright on dark"


def test_what_the_filter_sees_needs_a_flux(open_steps, qtbot):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    run_on(dock, qtbot, RECIPE, viewer.layers["cells"])
    made = clicked(dock, qtbot, dock.study.view)
    assert any("edge" in layer.name for layer in made), [layer.name for layer in made]
    assert dock.run.source is viewer.layers["cells"]
    median = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Median())
    run_on(dock, qtbot, median, viewer.layers["cells"])
    assert not dock.study.view.enabled
    assert "has no flux" in dock.study.view.tooltip
