"""In the dock Diffusion loop: the live preview, and runs with a noise-free run."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.widgets.layers.source_layers import shown_images
from napari_diffusion.widgets.layers.step_records import records_of

CELLS = np.random.default_rng(1).normal(0.5, 0.1, (64, 80)).astype(np.float32)
SMOOTH = nd.Recipe(
    num_steps=2, noise=None, diffusion_filter=nd.filters.PeronaMalik(contrast=0.1, time=0.5)
)
NOISY = nd.Recipe(num_steps=3, starting_noise_scale=0.1, seed=7)


def cells(**options):
    return Image(CELLS.copy(), name="cells", **options)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def settled(loop, qtbot):
    """Wait until the preview shows what the form says."""
    live = loop.preview.live
    qtbot.wait(40)
    qtbot.waitUntil(lambda: live.worker is not None and not live.worker.is_running)
    qtbot.wait(20)


def ran(loop, qtbot):
    loop.controls.run.native.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running)


def test_the_preview_follows_the_form_and_leaves_no_trace(open_loop, qtbot):
    first, second = cells(), Image(CELLS, name="other")
    viewer, loop = open_loop(first, second)
    viewer.layers.selection.active = first
    first.contrast_limits = (0.2, 0.7)
    loop.value = SMOOTH
    loop.preview.tick.native.click()
    settled(loop, qtbot)
    (layer,) = loop.preview.live.layers()
    assert names(viewer) == ["cells", "preview · 01 · cells", "other"]
    np.testing.assert_array_equal(layer.data, nd.run(CELLS, SMOOTH).image)
    assert layer.contrast_limits == [0.2, 0.7]
    assert list(viewer.layers.selection) == [first]

    # No source, and no step.
    viewer.layers.selection.active = layer
    assert loop.source.layer() is first
    assert layer not in shown_images(viewer)
    assert records_of(layer) == []
    viewer.layers.selection.active = first

    # Of many edits the newest wins.
    before = loop.preview.live.worker
    for time in (0.1, 40.0, 0.7):
        filters = SMOOTH.diffusion_filter.replaced(time=time)
        loop.value = SMOOTH.replaced(diffusion_filter=filters)
        loop.preview.live._request()
    assert before is not loop.preview.live.worker
    settled(loop, qtbot)
    np.testing.assert_array_equal(layer.data, nd.run(CELLS, loop.value).image)
    assert layer.name == "preview · 01 · cells"

    loop.preview.step.native.setText("0")
    settled(loop, qtbot)
    steps = list(nd.steps(CELLS, loop.value))
    np.testing.assert_array_equal(layer.data, steps[0].image)

    loop.preview.tick.native.click()
    assert names(viewer) == ["cells", "other"]
    assert list(viewer.layers.selection) == [first]
    assert first.contrast_limits == [0.2, 0.7]


def test_what_ends_the_preview_and_what_makes_it_out_of_date(open_loop, qtbot):
    viewer, loop = open_loop(cells(), Image(CELLS, name="other"))
    loop.source.set_layer(viewer.layers["cells"])
    loop.value = SMOOTH
    tick, message = loop.preview.tick, loop.controls.message

    def switched_on():
        loop.source.set_layer(viewer.layers["cells"])
        tick.value = True
        settled(loop, qtbot)
        assert "preview · 01 · cells" in names(viewer)

    switched_on()
    image = loop.preview.live.layers()[0].data
    loop.recipe.num_steps.editor.native.setText("no number")
    qtbot.waitUntil(lambda: "outdated" in message.sentence)
    assert "steps" in message.sentence
    assert "preview · outdated" in names(viewer)
    assert loop.preview.live.layers()[0].data is image
    loop.value = SMOOTH.replaced(num_steps=3)
    settled(loop, qtbot)
    assert "preview · 02 · cells" in names(viewer)
    assert not message.sentence
    wavelets = SMOOTH.replaced(diffusion_filter=nd.filters.Wavelet())
    loop.value = wavelets
    settled(loop, qtbot)
    assert "preview · 01 · approximate · cells" in names(viewer)
    loop.value = SMOOTH
    settled(loop, qtbot)

    viewer.layers.remove("preview · 01 · cells")
    assert not tick.value
    switched_on()
    loop.source.set_layer(viewer.layers["other"])
    qtbot.waitUntil(lambda: not tick.value)
    assert names(viewer) == ["cells", "other"]
    switched_on()
    ran(loop, qtbot)
    assert not tick.value
    assert names(viewer) == ["cells", "00 · cells", "01 · cells", "other"]
    switched_on()
    viewer.window.remove_dock_widget(loop.native)
    assert "preview · 01 · cells" not in names(viewer)


def test_a_stack_shows_the_plane_of_the_slider(open_loop, qtbot):
    stack = np.random.default_rng(0).random((5, 24, 30)).astype(np.float32)
    viewer, loop = open_loop(Image(stack, name="stack", scale=(2.0, 1.0, 1.0)))
    loop.value = SMOOTH
    loop.preview.tick.native.click()
    settled(loop, qtbot)
    (layer,) = loop.preview.live.layers()
    expected = nd.run(stack, SMOOTH, axes="zyx", spacing=(2.0, 1.0, 1.0)).image
    for z in (2, 4):
        viewer.dims.set_point(0, 2.0 * z)
        qtbot.waitUntil(lambda z=z: layer.translate[0] == 2.0 * z)
        np.testing.assert_array_equal(layer.data, expected[z : z + 1])


def test_a_run_with_its_noise_free_run(open_loop, qtbot):
    viewer, loop = open_loop(cells())
    loop.value = NOISY
    loop.noise_free_run.native.click()
    assert loop.result.need.value.startswith("A run makes 6 layers")
    ran(loop, qtbot)
    assert names(viewer)[1:4] == [
        "00 · noise-free · cells",
        "01 · noise-free · cells",
        "02 · noise-free · cells",
    ]
    steps, noise_free_runs = viewer.layers[4:], viewer.layers[1:4]
    resolved = NOISY.resolved(CELLS)
    for layer, noise_free_run, (step, quiet) in zip(
        steps, noise_free_runs, nd.analysis.noise_free_run(CELLS, resolved), strict=False
    ):
        np.testing.assert_array_equal(layer.data, step.image)
        np.testing.assert_array_equal(noise_free_run.data, quiet.image)
        effect = np.sqrt(np.mean((step.image.astype(float) - quiet.image) ** 2))
        assert records_of(layer)[0]["measures"]["Noise effect"] == pytest.approx(effect)
        assert records_of(noise_free_run)[0]["noise_free_run"] is True
        assert not noise_free_run.visible
    assert viewer.layers.selection.active is viewer.layers[-1]
    loop.value = SMOOTH
    assert not loop.noise_free_run.enabled


def test_a_step_that_is_no_number_is_marked(open_loop):
    _, loop = open_loop(cells())
    edit = loop.preview.step
    edit.native.setText("x")
    assert edit.native.property("role") == "error"
    assert "step" in edit.tooltip
    edit.native.setText("last")
    assert not edit.native.property("role")


def test_what_only_looks_like_sampling_says_so_and_reverse_updates_have_no_noise_free_run(
    open_loop,
):
    _, loop = open_loop(cells())
    told = nd.filters.NonLocalDiffusion(noise_sigma="step")
    loop.value = NOISY.replaced(diffusion_filter=told)
    assert "looks like sampling and is none" in loop.controls.message.sentence
    loop.value = NOISY.replaced(diffusion_filter=told, update="reverse")
    assert loop.controls.message.sentence == ""
    assert not loop.noise_free_run.enabled
    loop.value = NOISY
    assert loop.noise_free_run.enabled
