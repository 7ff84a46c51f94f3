"""Step layers: their place and looks, stacks, and what can be done from a step."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dock_driver import made, wait

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.samples import degraded_face

RANDOM = np.random.default_rng(4)
FACE = RANDOM.random((24, 32)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=4, starting_noise_scale=0.1, seed=7)
FINAL = RECIPE.replaced(final_filter=nd.filters.Heat(time=0.5))


def ran(loop, qtbot, recipe=RECIPE, result="auto", keep_every=1):
    loop.value = recipe
    loop.result.value = result, keep_every
    loop.controls.run.native.click()
    wait(loop, qtbot)
    assert loop.controls.message.sentence.startswith("Done")


def select(viewer, layer):
    viewer.layers.selection.active = layer


def longer(image, recipe, num_made, **options):
    """Return the steps of a run that was longer from the start."""
    resolved = recipe.resolved(image, **options).replaced(stop_at=num_made)
    return list(nd.steps(image, resolved, **options))


# --- place and looks ---

PLACED = {
    "scale": (2000.0, 0.5, 0.25),
    "translate": (1.0, -2.0, 3.0),
    "rotate": (10.0, 20.0, 30.0),
    "shear": (0.1, 0.2, 0.3),
    "affine": np.array([[1, 0.1, 0, 3], [0, 2, 0, 4], [0, 0, 1, 5], [0, 0, 0, 1.0]]),
    "units": ("nm", "um", "um"),
    "axis_labels": ("z", "y", "x"),
}
SHOWN = {
    "colormap": "magma",
    "blending": "additive",
    "contrast_limits": (0.2, 0.7),
    "gamma": 0.5,
    "opacity": 0.75,
    "interpolation2d": "linear",
    "interpolation3d": "nearest",
    "rendering": "attenuated_mip",
}


@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning:napari")
@pytest.mark.parametrize("result", ["layers", "stack"])
def test_a_step_lies_where_its_source_lies_and_looks_like_it(open_loop, qtbot, result):
    volume = Image(RANDOM.random((4, 6, 8), np.float32), name="cells", **PLACED, **SHOWN)
    viewer, loop = open_loop(volume)
    ran(loop, qtbot, RECIPE.replaced(num_steps=2), result)
    assert len(made(viewer)) == (2 if result == "layers" else 1)
    for layer in made(viewer):
        lead = (0,) if result == "stack" else ()
        for corner in [(0, 0, 0), (3, 5, 7), (1, 0, 7)]:
            world = layer.data_to_world((*lead, *corner))
            np.testing.assert_allclose(world, (*lead, *volume.data_to_world(corner)), atol=1e-12)
        assert layer.units[-3:] == volume.units
        assert layer.axis_labels == (*("step",) * len(lead), "z", "y", "x")
        assert layer.colormap == volume.colormap
        for name in ("blending", "contrast_limits", "gamma", "opacity"):
            assert getattr(layer, name) == getattr(volume, name), name
        for name in ("interpolation2d", "interpolation3d", "rendering"):
            assert getattr(layer, name) == getattr(volume, name), name


def test_what_would_shine_through_a_step_is_hidden(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, name="face", blending="additive"))
    ran(loop, qtbot)
    assert [layer.visible for layer in viewer.layers] == [False, False, False, False, True]
    ran(loop, qtbot)
    assert [layer.visible for layer in viewer.layers] == [*[False] * 8, True]


def test_contrast_limits_are_shared_whatever_the_noise_does(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, contrast_limits=(0.1, 0.9)))
    ran(loop, qtbot, RECIPE.replaced(starting_noise_scale=50.0))
    assert {tuple(layer.contrast_limits) for layer in viewer.layers} == {(0.1, 0.9)}
    assert made(viewer)[0].data.max() > 10


def test_colours_are_cast_back_and_the_record_says_so(open_loop, qtbot):
    face = degraded_face().image[100:140, 100:150]
    viewer, loop = open_loop(Image(face, name="face", rgb=True))
    recipe = RECIPE.replaced(starting_noise_scale=200.0)
    ran(loop, qtbot, recipe)
    steps = longer(face, recipe, 4, axes="yxc", rgb=True)
    for layer, step in zip(made(viewer), steps, strict=False):
        assert layer.rgb
        assert layer.data.dtype == np.uint8
        expected = np.rint(np.clip(step.image, 0, 255)).astype(np.uint8)
        np.testing.assert_array_equal(layer.data, expected)
        cast = layer.metadata["napari_diffusion"]["cast"]
        assert cast == {"dtype": "uint8", "clipped": [0.0, 255.0], "rounded": True}
    assert "rounded" in made(viewer)[0].metadata["napari_diffusion"]["processed"]


def test_alpha_comes_back_as_it_was(open_loop, qtbot):
    face = RANDOM.integers(0, 255, (24, 30, 4), np.uint8)
    viewer, loop = open_loop(Image(face, rgb=True))
    ran(loop, qtbot)
    for layer in made(viewer):
        np.testing.assert_array_equal(layer.data[..., 3], face[..., 3])


def test_integers_come_back_as_floats_that_are_not_rounded(open_loop, qtbot):
    counts = RANDOM.integers(0, 65535, (20, 30), np.uint16)
    viewer, loop = open_loop(Image(counts))
    ran(loop, qtbot)
    assert made(viewer)[-1].data.dtype == np.float32
    np.testing.assert_array_equal(made(viewer)[-1].data, longer(counts, RECIPE, 4)[-1].image)


# --- stacks ---


def test_up_to_thirty_steps_are_layers_and_more_are_a_stack(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, name="face"))
    ran(loop, qtbot, RECIPE.replaced(num_steps=31))
    (stack,) = made(viewer)
    assert stack.name == "31 steps · face"
    assert stack.data.shape == (31, 24, 32)
    assert stack.axis_labels[0] == "step"


def test_thirty_layers(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE[:4, :4], name="face"))
    ran(loop, qtbot, RECIPE.replaced(num_steps=29, final_filter=nd.filters.Heat(time=1.0)))
    assert len(made(viewer)) == 30
    assert made(viewer)[28].name.startswith("28 · σ=")


@pytest.mark.parametrize("result", ["stack", "stack on disk"])
def test_a_stack_holds_every_step_and_every_record(open_loop, qtbot, result):
    viewer, loop = open_loop(Image(FACE, name="face"))
    ran(loop, qtbot, FINAL, result)
    (stack,) = made(viewer)
    assert stack.name == "5 steps · face"
    expected = longer(FACE, FINAL, 4)
    np.testing.assert_array_equal(stack.data, np.stack([step.image for step in expected]))
    kept = json.loads(json.dumps(stack.metadata["napari_diffusion"]))
    assert [record["step"] for record in kept["steps"]] == [0, 1, 2, 3, 4]
    assert [record["is_final"] for record in kept["steps"]] == [False] * 4 + [True]
    assert {recipe_of(record) for record in kept["steps"]} == {FINAL.resolved(FACE)}
    assert (result == "stack on disk") == isinstance(stack.data, np.memmap)


def test_a_stack_grows_and_the_slider_follows_unless_it_was_moved(
    open_loop, qtbot, gate, monkeypatch
):
    monkeypatch.setattr("napari_diffusion.widgets.layers.step_layers._REFRESH", 0.0)
    viewer, loop = open_loop(Image(FACE, name="face"))
    loop.value = RECIPE
    loop.result.value = "stack", 1
    loop.controls.run.native.click()
    for count in (1, 2):
        gate.let(1)
        qtbot.waitUntil(
            lambda count=count: bool(made(viewer)) and len(made(viewer)[0].data) == count
        )
        qtbot.waitUntil(lambda count=count: viewer.dims.point[0] == count - 1)
    viewer.dims.set_point(0, 0)
    gate.let(3)
    wait(loop, qtbot)
    assert len(made(viewer)[0].data) == 4
    assert viewer.dims.point[0] == 0


def test_a_stack_that_is_deleted_while_it_grows_stays_deleted(open_loop, qtbot, gate, monkeypatch):
    monkeypatch.setattr("napari_diffusion.widgets.layers.step_layers._REFRESH", 0.0)
    viewer, loop = open_loop(Image(FACE, name="face"))
    loop.value = RECIPE
    loop.result.value = "stack", 1
    loop.controls.run.native.click()
    gate.let(2)
    qtbot.waitUntil(lambda: bool(made(viewer)) and len(made(viewer)[0].data) == 2)
    viewer.layers.remove(made(viewer)[0])
    gate.let(3)
    wait(loop, qtbot)
    assert [layer.name for layer in viewer.layers] == ["face"]


def test_a_cancelled_stack_holds_the_steps_made_so_far(open_loop, qtbot, gate):
    viewer, loop = open_loop(Image(FACE, name="face"))
    loop.value = RECIPE
    loop.result.value = "stack", 1
    loop.controls.run.native.click()
    gate.let(2)
    qtbot.waitUntil(lambda: len(_records(viewer)) == 2)
    loop.controls.cancel.native.click()
    wait(loop, qtbot)
    np.testing.assert_array_equal(
        made(viewer)[0].data, np.stack([step.image for step in longer(FACE, RECIPE, 4)[:2]])
    )


def _records(viewer):
    stacks = made(viewer)
    return stacks[0].metadata["napari_diffusion"]["steps"] if stacks else []


def test_every_kth_step_and_the_last(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, name="face"))
    ran(loop, qtbot, RECIPE.replaced(num_steps=6), keep_every=4)
    assert [layer.metadata["napari_diffusion"]["step"] for layer in made(viewer)] == [0, 4, 5]
    expected = longer(FACE, RECIPE.replaced(num_steps=6), 6)
    for layer in made(viewer):
        step = layer.metadata["napari_diffusion"]["step"]
        np.testing.assert_array_equal(layer.data, expected[step].image)


@pytest.mark.parametrize("result", ["layers", "stack"])
def test_deleting_the_steps_leaves_the_viewer_as_it_was(open_loop, qtbot, result):
    viewer, loop = open_loop(Image(FACE, name="face", scale=(2, 2)), show=True)
    before = (viewer.dims.ndim, viewer.dims.range, viewer.dims.axis_labels, viewer.layers.extent)
    ran(loop, qtbot, RECIPE, result)
    while made(viewer):
        viewer.layers.remove(made(viewer)[-1])
    after = (viewer.dims.ndim, viewer.dims.range, viewer.dims.axis_labels, viewer.layers.extent)
    assert before[:3] == after[:3]
    np.testing.assert_array_equal(before[3].world, after[3].world)
    assert [(layer.name, layer.visible) for layer in viewer.layers] == [("face", True)]
    qtbot.wait(50)
