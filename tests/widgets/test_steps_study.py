"""Studies of the shown run: ensemble, noise-free run, local error; continue, extract, recipe."""

from __future__ import annotations

import numpy as np
import pytest
from steps_driver import click, clicked, run_on, selected, wait

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.analysis import local_error
from napari_diffusion.loop.recipe_units import LengthUnit
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.samples import degraded_face
from napari_diffusion.widgets.layers.mask import KeptMask
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.steps.recipe_handover import LOOP

RANDOM = np.random.default_rng(4)
FACE = RANDOM.random((24, 32)).astype(np.float32)
CELLS = np.random.default_rng(1).normal(0.5, 0.1, (64, 80)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=4, starting_noise_scale=0.1, seed=7)
FINAL = RECIPE.replaced(final_filter=nd.filters.Heat(time=0.5))
INSIDE = np.zeros(FACE.shape, bool)
INSIDE[4:20, 6:25] = True


def face(**options):
    return Image(FACE.copy(), name="face", **options)


def names(layers):
    return [layer.name for layer in layers]


def longer(image, recipe, num_made, **options):
    """Return the steps of a run that was longer from the start."""
    resolved = recipe.resolved(image, **options).replaced(stop_at=num_made)
    return list(nd.steps(image, resolved, **options))


def opened(open_steps, *layers):
    viewer, dock = open_steps(*layers)
    dock.turn_to("Study")
    return viewer, dock


def continued(dock, qtbot, more):
    dock.study.more.value = more
    return clicked(dock, qtbot, dock.study.go_on)


# --- studies ---


def test_an_ensemble_of_the_recipe(open_steps, qtbot):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    recipe = RECIPE.replaced(num_steps=3)
    run_on(dock, qtbot, recipe, viewer.layers["cells"])
    dock.study.seeds.value = 3
    mean, spread = clicked(dock, qtbot, dock.study.ensemble)
    made = nd.analysis.ensemble(CELLS, recipe, seeds=3)
    assert names([mean, spread]) == ["mean of 3 seeds · cells", "sensitivity of 3 seeds · cells"]
    np.testing.assert_array_equal(mean.data, made.mean)
    np.testing.assert_array_equal(spread.data, made.sensitivity)
    assert records_of(mean) == []
    record = spread.metadata["napari_diffusion"]
    about = ("ensemble", "sensitivity", [7, 8, 9])
    assert (record["made"], record["shows"], record["seeds"]) == about
    assert "is not an error" in record["processed"]
    assert dock.controls.message.sentence.endswith("mean and sensitivity of 3 seeds.")


def test_the_local_error_of_the_shown_step(open_steps, qtbot):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["cells"])
    dock.value = 2
    qtbot.wait(20)
    (layer,) = clicked(dock, qtbot, dock.study.local_error)
    assert layer.name == f"estimated local error · {steps[2].name}"
    expected = local_error(CELLS, RECIPE.resolved(CELLS), step=2)
    np.testing.assert_array_equal(layer.data, expected.values)
    low, high = layer.contrast_limits
    assert low == -high
    assert records_of(layer) == []
    assert dock.value == 2
    viewer.layers.remove(viewer.layers["cells"])
    qtbot.wait(20)
    for button in (dock.study.local_error, dock.study.ensemble, dock.study.sweep.start):
        assert not button.enabled
        assert "The source layer was removed" in button.tooltip


@pytest.mark.parametrize("result", ["layers", "stack"])
def test_a_noise_free_run_afterwards(open_steps, qtbot, result):
    viewer, dock = opened(open_steps, Image(CELLS, name="cells"))
    layers = run_on(dock, qtbot, FINAL, viewer.layers["cells"], result=result, keep_every=2)
    before = [layer.visible for layer in viewer.layers]
    numbers = [0, 2, 3, 4]
    assert dock.run.numbers == numbers
    quiet = clicked(dock, qtbot, dock.study.noise_free)
    assert not any(layer.visible for layer in quiet)
    assert [layer.visible for layer in viewer.layers if layer not in quiet] == before
    assert names(quiet)[:2] == ["00 · noise-free · cells", "02 · noise-free · cells"]
    pairs = list(nd.analysis.noise_free_run(CELLS, FINAL.resolved(CELLS)))
    records = [record for layer in layers for record in records_of(layer)]
    for number, layer, record in zip(numbers, quiet, records, strict=True):
        step, silent = pairs[number]
        np.testing.assert_array_equal(layer.data, silent.image)
        effect = np.sqrt(np.mean((step.image.astype(float) - silent.image) ** 2))
        assert record["measures"]["Noise effect"] == pytest.approx(effect)
        assert records_of(layer)[0]["noise_free_run"] is True
    assert all(dock.run.noise_free_run)
    assert not dock.study.noise_free.enabled
    assert "there already" in dock.study.noise_free.tooltip
    dock.turn_to("Compare")
    dock.compare.other.value = "noise-free run"
    assert dock.compare.difference.enabled


def test_a_noise_free_run_of_channels_and_of_rounded_colours(open_steps, qtbot):
    channels = [
        Image(CELLS * c, name=name, colormap=name, blending="additive")
        for c, name in enumerate(("red", "green"), 1)
    ]
    colours = degraded_face().image[100:130, 100:140].copy()
    viewer, dock = opened(open_steps, *channels, Image(colours, name="face", rgb=True))
    both = np.stack([CELLS, 2 * CELLS])
    for axes, image, layers in (
        ("yx", both, viewer.layers[:2]),
        ("yxc", colours, [viewer.layers["face"]]),
    ):
        options = {"axes": "cyx"} if axes == "yx" else {"axes": "yxc", "rgb": True}
        recipe = RECIPE.replaced(starting_noise_scale=0.1 if axes == "yx" else 30.0)
        made = run_on(dock, qtbot, recipe, *layers, axes=axes)
        visible = [layer for layer in viewer.layers if layer.visible]
        quiet = clicked(dock, qtbot, dock.study.noise_free)
        assert len(quiet) == len(made) == 4 * len(layers)
        assert [layer for layer in viewer.layers if layer.visible] == visible
        *_, (step, silent) = nd.analysis.noise_free_run(
            image, recipe.replaced(stop_at=4), **options
        )
        step, silent = list(nd.analysis.noise_free_run(image, recipe, **options))[3]
        effect = np.sqrt(np.mean((step.image.astype(float) - silent.image) ** 2))
        for layer in made:
            record = records_of(layer)[0]
            if record["step"] == 3:
                # Of what was computed, not of what was rounded.
                assert record["measures"]["Noise effect"] == pytest.approx(effect, rel=1e-6)


def test_studies_that_need_noise_are_disabled_without(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    run_on(dock, qtbot, nd.PRESETS["smooth"].replaced(num_steps=2), viewer.layers["face"])
    assert not dock.study.ensemble.enabled
    assert "needs a recipe with random noise" in dock.study.ensemble.tooltip
    assert not dock.study.noise_free.enabled
    assert "no noise" in dock.study.noise_free.tooltip
    assert dock.study.local_error.enabled


# --- the recipe ---


class FakeLoop:
    """Takes recipes as the dock *Diffusion loop* does."""

    def __init__(self):
        self.given = []

    def use_recipe(self, recipe, mask_name, made_for):
        self.given.append((recipe, mask_name, made_for))


def test_use_this_recipe_opens_the_loop_with_it(open_steps, qtbot, monkeypatch):
    loop, asked = FakeLoop(), []

    def opened_dock(viewer, name, kind):
        asked.append(name)
        return loop

    monkeypatch.setattr("napari_diffusion.widgets.steps.recipe_handover.open_dock", opened_dock)
    viewer, dock = opened(open_steps, face())
    recipe = nd.PRESETS["explore"].replaced(num_steps=3, starting_noise_scale=1 / 3, seed=2**64 - 1)
    mask = KeptMask("cells", INSIDE)
    run_on(dock, qtbot, recipe, viewer.layers["face"], mask=mask)
    click(dock.study.use)
    assert asked == [LOOP]
    assert loop.given == [(recipe.resolved(FACE, mask=INSIDE), "cells", LengthUnit())]


# --- continue ---


@pytest.mark.parametrize("result", ["layers", "stack"])
@pytest.mark.parametrize("float_type", [np.float32, np.float64])
@pytest.mark.parametrize("from_step", [1, 3])
def test_continuing_equals_a_longer_run_bit_by_bit(
    open_steps, qtbot, result, float_type, from_step
):
    image = RANDOM.random((24, 32)).astype(float_type)
    viewer, dock = opened(open_steps, Image(image, name="face", scale=(0.5, 2.0)))
    run_on(dock, qtbot, FINAL, viewer.layers["face"], result=result)
    dock.value = from_step
    qtbot.wait(20)
    new = continued(dock, qtbot, 3)
    expected = longer(image, FINAL, from_step + 4, spacing=(0.5, 2.0))[from_step + 1 :]
    assert len(new) == 4
    for layer, step in zip(new, expected, strict=True):
        np.testing.assert_array_equal(layer.data, step.image)
    assert new[0].name.startswith(f"{from_step + 1:02} · σ=")
    record = new[0].metadata["napari_diffusion"]
    assert (record["step"], record["first_step"]) == (from_step + 1, from_step + 1)
    assert record["source"] == "face"
    np.testing.assert_array_equal(new[0].scale, (0.5, 2.0))


def test_continuing_twice_equals_a_longer_run(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    continued(dock, qtbot, 1)
    (last,) = continued(dock, qtbot, 1)
    assert last.name.startswith("05 · σ=")
    assert dock.value == 5
    np.testing.assert_array_equal(last.data, longer(FACE, RECIPE, 6)[-1].image)


def test_what_cannot_be_continued_says_why(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    run_on(dock, qtbot, FINAL, viewer.layers["face"])
    assert not dock.study.go_on.enabled
    assert "show step 03 to continue" in dock.study.go_on.tooltip
    dock.value = 3
    qtbot.wait(20)
    assert dock.study.go_on.enabled
    for layer in dock.run.layers():
        viewer.layers.remove(layer)
    run_on(dock, qtbot, nd.PRESETS["denoise fast"], viewer.layers["face"])
    assert not dock.study.go_on.enabled
    assert "A denoised image is no step of a loop" in dock.study.go_on.tooltip


def test_the_result_of_the_final_filter_becomes_a_source_of_its_own(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    *steps, final = run_on(dock, qtbot, FINAL, viewer.layers["face"])
    for layer in steps:
        viewer.layers.remove(layer)
    qtbot.wait(20)
    new = continued(dock, qtbot, 2)
    resolved = FINAL.resolved(FACE).replaced(stop_at=6)
    expected = list(nd.steps(final.data, resolved, first_step=4))
    assert new[0].name.startswith("04 · σ=")
    for layer, step in zip(new, expected, strict=True):
        np.testing.assert_array_equal(layer.data, step.image)
    record = new[0].metadata["napari_diffusion"]
    assert (record["source"], record["first_step"]) == ("final · face", 4)


@pytest.mark.parametrize("source", ["there", "renamed", "changed", "gone"])
def test_rounded_colours_are_continued_from_the_source_where_it_still_is(open_steps, qtbot, source):
    colours = degraded_face().image[100:130, 100:140].copy()
    viewer, dock = opened(open_steps, Image(colours.copy(), name="face", rgb=True))
    *_, last = run_on(dock, qtbot, RECIPE, viewer.layers["face"], axes="yxc")
    if source == "renamed":
        viewer.layers["face"].name = "portrait"
    elif source == "changed":
        viewer.layers["face"].data[0, 0] += 1
    elif source == "gone":
        viewer.layers.remove("face")
    qtbot.wait(20)
    *_, made = continued(dock, qtbot, 2)
    options = {"axes": "yxc", "rgb": True}
    exact = longer(colours, RECIPE, 6, **options)[-1].image
    resolved = RECIPE.resolved(colours, **options).replaced(stop_at=6)
    rounded = nd.run(last.data, resolved, first_step=4, **options).image
    here = source in ("there", "renamed")
    expected = np.rint(np.clip(exact if here else rounded, 0, 255)).astype(np.uint8)
    np.testing.assert_array_equal(made.data, expected)
    record = made.metadata["napari_diffusion"]
    assert record.get("started_from_rounded", False) is not here
    assert np.any(exact != rounded)


def test_a_region_is_continued_from_the_whole_source_or_not_at_all(open_steps, qtbot, said):
    viewer, dock = opened(open_steps, face())
    region = (slice(2, 14), slice(3, 20))
    *_, step = run_on(dock, qtbot, RECIPE, viewer.layers["face"], region=region)
    *_, made = continued(dock, qtbot, 2)
    np.testing.assert_array_equal(made.data, longer(FACE, RECIPE, 6)[-1].image[region])
    np.testing.assert_array_equal(made.translate, step.translate)
    viewer.layers.remove("face")
    qtbot.wait(20)
    assert continued(dock, qtbot, 1) == []
    assert "needs all of 'face', unchanged" in said[-1]
    assert dock.controls.message.sentence == said[-1]


@pytest.mark.parametrize("region", [None, (slice(2, 14), slice(3, 20))])
def test_reverse_updates_are_continued_from_the_source_or_not_at_all(
    open_steps, qtbot, said, region
):
    recipe = RECIPE.replaced(
        diffusion_filter=nd.filters.NonLocalDiffusion(noise_sigma="step"), update="reverse"
    )
    viewer, dock = opened(open_steps, face())
    *_, step = run_on(dock, qtbot, recipe, viewer.layers["face"], region=region)
    assert step.name.startswith("03 · σ=0.01 · plausible · face")
    assert "not a measurement" in step.metadata["napari_diffusion"]["processed"]
    first, last = continued(dock, qtbot, 2)
    for layer, expected in zip((first, last), longer(FACE, recipe, 6)[4:], strict=False):
        np.testing.assert_array_equal(layer.data, expected.image[region or ...])
    viewer.layers["face"].data = viewer.layers["face"].data + 1
    qtbot.wait(20)
    assert continued(dock, qtbot, 1) == []
    assert "'face', unchanged" in said[-1]


def test_a_reverse_step_without_its_source_cannot_be_continued(open_steps, qtbot):
    recipe = FINAL.replaced(update="reverse")
    viewer, dock = opened(open_steps, face())
    run_on(dock, qtbot, recipe, viewer.layers["face"])
    assert not dock.study.go_on.enabled
    assert "go on from a noisy image" in dock.study.go_on.tooltip


def test_folded_axes_are_continued(open_steps, qtbot):
    data = RANDOM.random((2, 3, 4, 10, 9), np.float32)
    viewer, dock = opened(open_steps, Image(data, name="many"))
    recipe = RECIPE.replaced(num_steps=2)
    run_on(dock, qtbot, recipe, viewer.layers["many"], axes="?tzyx")
    *_, made = continued(dock, qtbot, 1)
    folded = data.reshape((6, 4, 10, 9))
    expected = longer(folded, recipe, 3, axes="tzyx")[-1].image.reshape(data.shape)
    np.testing.assert_array_equal(made.data, expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": nd.schedules.Measured(share=0.7)},
        {"schedule": nd.schedules.Levels((1.0, 0.3))},
        {"domain": nd.domains.Anscombe(gain=1.0, offset=0.0, read_noise=0.0)},
        {"domain": "log", "schedule": nd.schedules.Measured()},
    ],
    ids=["measured", "levels", "anscombe", "measured-log"],
)
def test_measured_schedules_and_domains_are_continued(open_steps, qtbot, changes):
    counts = np.random.default_rng(1).poisson(6.0, (24, 32)).astype(np.float32)
    recipe = nd.Recipe(num_steps=3, starting_noise_scale=0.5, seed=7, **changes)
    viewer, dock = opened(open_steps, Image(counts, name="counts"))
    run_on(dock, qtbot, recipe, viewer.layers["counts"])
    whole = [step.image for step in nd.steps(counts, recipe.replaced(stop_at=5))][:5]
    dock.value = 1
    qtbot.wait(20)
    new = continued(dock, qtbot, 3)
    assert [layer.metadata["napari_diffusion"]["step"] for layer in new] == [2, 3, 4]
    for layer, expected in zip(new, whole[2:], strict=True):
        np.testing.assert_array_equal(layer.data, expected)


def test_a_mask_goes_with_a_step(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    mask = KeptMask("cells", INSIDE)
    run_on(dock, qtbot, RECIPE, viewer.layers["face"], mask=mask)
    *_, last = continued(dock, qtbot, 2)
    recipe = RECIPE.resolved(FACE, mask=INSIDE).replaced(stop_at=6)
    np.testing.assert_array_equal(last.data, nd.run(FACE, recipe, mask=INSIDE).image)
    assert last.metadata["napari_diffusion"]["mask"]["layer"] == "cells"


@pytest.mark.parametrize("region", [None, (slice(0, 2), slice(2, 14), slice(3, 20))])
def test_channels_are_continued_together(open_steps, qtbot, said, region):
    picture = np.stack([FACE, 2 * FACE[::-1]])
    layers = [
        Image(data, name=name, colormap=name, blending="additive")
        for data, name in zip(picture, ("red", "green"), strict=True)
    ]
    viewer, dock = opened(open_steps, *layers)
    run_on(dock, qtbot, RECIPE, *viewer.layers, region=region)
    new = continued(dock, qtbot, 1)
    recipe = RECIPE.resolved(picture, axes="cyx").replaced(stop_at=5)
    expected = nd.run(picture, recipe, axes="cyx", region=region).image
    for layer, image in zip(new, expected, strict=True):
        np.testing.assert_array_equal(layer.data, image)
    viewer.layers.remove(new[0])
    selected(dock, qtbot, new[1])
    assert continued(dock, qtbot, 1) == []
    assert said[-1].startswith("Continuing needs all channels of this step, but that of 'red'")


# --- extract ---


@pytest.mark.parametrize(
    ("which", "steps"),
    [("", range(12)), ("0-2, 11", [0, 1, 2, 11]), ("5", [5]), ("9-", [9, 10, 11])],
)
def test_steps_are_extracted_from_a_stack_as_layers(open_steps, qtbot, which, steps):
    viewer, dock = opened(open_steps, face(scale=(2, 2), colormap="magma"))
    source, mask = viewer.layers["face"], KeptMask("cells", INSIDE)
    recipe = RECIPE.replaced(num_steps=12)
    (stack,) = run_on(dock, qtbot, recipe, source, result="stack", mask=mask)
    dock.study.which.value = which
    click(dock.study.extract)
    qtbot.waitUntil(lambda: not stack.visible)
    extracted = [layer for layer in viewer.layers if layer not in (source, stack)]
    assert [layer.metadata["napari_diffusion"]["step"] for layer in extracted] == list(steps)
    for step, layer in zip(steps, extracted, strict=True):
        assert layer.name.startswith(f"{step:02} · σ=")
        np.testing.assert_array_equal(layer.data, stack.data[step])
        np.testing.assert_array_equal(layer.scale, (2, 2))
        assert layer.colormap.name == "magma"
        assert layer.data.base is None
        np.testing.assert_array_equal(layer.metadata["napari_diffusion_mask"], INSIDE)
    qtbot.wait(20)
    assert [layer.visible for layer in extracted] == [*[False] * (len(steps) - 1), True]
    assert dock.run.step.layer is extracted[-1]


@pytest.mark.parametrize("which", ["x", "7", "3-2", "-1"])
def test_steps_that_are_not_there_are_refused(open_steps, qtbot, said, which):
    viewer, dock = opened(open_steps, face())
    run_on(dock, qtbot, RECIPE, viewer.layers["face"], result="stack")
    dock.study.which.value = which
    assert clicked(dock, qtbot, dock.study.extract) == []
    assert dock.controls.message.sentence == said[-1]


def test_layers_of_their_own_are_not_extracted(open_steps, qtbot):
    viewer, dock = opened(open_steps, face())
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    assert not dock.study.extract.enabled
    assert recipe_of(records_of(steps[0])[0]) == RECIPE.resolved(FACE)
    wait(dock, qtbot)
