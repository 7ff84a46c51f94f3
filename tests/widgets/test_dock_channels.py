"""Layers as the channels of one image."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dock_driver import go_on, look_at, made, open_study, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels

import napari_diffusion as nd

RANDOM = np.random.default_rng(6)
RECIPE = nd.Recipe(
    num_steps=3, starting_noise_scale=0.1, final_filter=nd.filters.Heat(time=0.5), seed=3
)
COLOURS = ("red", "green", "blue")
PICTURE = np.stack([RANDOM.random((24, 32)).astype(np.float32) * (1 + c) for c in range(3)])


def channels(**options):
    return [
        Image(
            PICTURE[c].copy(),
            name=name,
            colormap=name,
            contrast_limits=(0, c + 1),
            blending="additive",
            **options,
        )
        for c, name in enumerate(COLOURS)
    ]


def ran(loop, qtbot, recipe=RECIPE):
    loop.value = recipe
    loop.controls.run.native.click()
    wait(loop, qtbot)


def select(viewer, *names):
    viewer.layers.selection = {viewer.layers[name] for name in names}


def joined(loop, viewer, *names):
    select(viewer, *(names or COLOURS))
    loop.source.join.native.click()


def test_several_selected_images_are_offered_as_channels(open_loop):
    viewer, loop = open_loop(*channels())
    assert not loop.source.join.native.isVisibleTo(loop.source.native)
    select(viewer, "red", "green", "blue")
    assert loop.source.join.native.isVisibleTo(loop.source.native)
    assert loop.source.join.text == "Use the 3 selected layers as channels"
    loop.source.join.native.click()
    assert [layer.name for layer in loop.source.layers()] == list(COLOURS)
    assert loop.source.hint.value == "3 layers as channels: red, green, blue."
    assert not loop.source.join.native.isVisibleTo(loop.source.native)
    assert loop.source.axes.joint.native.isVisibleTo(loop.source.axes.native)
    viewer.layers.selection.active = viewer.layers["green"]
    assert [layer.name for layer in loop.source.layers()] == ["green"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Image(np.zeros((5, 6)), name="other"), "'red' is 24 × 32, and 'other' is 5 × 6"),
        (Image(np.zeros((24, 32)), name="other", scale=(2, 2)), "differ in scale, units or place"),
        (Image(np.zeros((24, 32, 3)), name="other", rgb=True), "'other' is an RGB image"),
        (
            Image(np.zeros((2, 24, 32)), name="other", axis_labels=("c", "y", "x")),
            "'other' already has a channel axis",
        ),
    ],
    ids=["shape", "scale", "rgb", "channels"],
)
def test_layers_that_are_no_channels_of_one_image(open_loop, other, words):
    viewer, loop = open_loop(channels()[0], other)
    select(viewer, "red", "other")
    assert words in loop.source.hint.value
    assert not loop.source.join.native.isVisibleTo(loop.source.native)
    viewer.layers.selection.active = viewer.layers["red"]
    assert loop.source.hint.value == ""


@pytest.mark.parametrize("joint", [True, False])
def test_channels_are_diffused_together(open_loop, qtbot, joint):
    viewer, loop = open_loop(*channels())
    joined(loop, viewer)
    loop.source.axes.joint.value = joint
    loop.value = RECIPE
    assert loop.result.need.value.startswith("A run makes 12 layers, ")
    ran(loop, qtbot)
    grid = {"axes": "cyx", "joint_channels": joint}
    expected = list(nd.steps(PICTURE, RECIPE.resolved(PICTURE, **grid), **grid))
    for c, name in enumerate(COLOURS):
        own = [layer for layer in made(viewer) if layer.name.endswith(f" · {name}")]
        assert [layer.name for layer in own] == [
            f"00 · σ=0.1 · {name}",
            f"01 · σ=0.032 · {name}",
            f"02 · σ=0.01 · {name}",
            f"final · {name}",
        ]
        for layer, step in zip(own, expected, strict=True):
            np.testing.assert_array_equal(layer.data, step.image[c])
            assert layer.colormap.name == name
            assert tuple(layer.contrast_limits) == (0, c + 1)
            record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
            assert (record["layers"], record["channel"]) == (list(COLOURS), c)
            assert record["source"] == "red + green + blue"
    shown = [layer.name for layer in viewer.layers if layer.visible]
    assert shown == [f"final · {name}" for name in COLOURS]
    places = [layer.name.split(" · ")[-1] for layer in viewer.layers]
    assert places == [name for name in COLOURS for _ in range(5)]


def test_a_stack_for_each_channel(open_loop, qtbot):
    viewer, loop = open_loop(*channels())
    joined(loop, viewer)
    loop.result.value = "stack", 1
    ran(loop, qtbot)
    assert loop.result.need.value.startswith("A run makes 3 stacks of 4, ")
    assert [layer.name for layer in made(viewer)] == [f"4 steps · {name}" for name in COLOURS]
    last = nd.run(PICTURE, RECIPE.resolved(PICTURE, axes="cyx"), axes="cyx").image
    for c, layer in enumerate(made(viewer)):
        np.testing.assert_array_equal(layer.data[-1], last[c])
    look_at(viewer, made(viewer)[1])
    open_study(viewer).study.extract.native.click()
    qtbot.waitUntil(lambda: len(made(viewer)) == 7)
    assert viewer.layers["final · green"].colormap.name == "green"


@pytest.mark.parametrize(
    ("result", "region"),
    [("stack", None), ("layers", (slice(0, 3), slice(2, 14), slice(3, 20)))],
    ids=["stack", "region"],
)
def test_channels_are_gone_on_with_to_the_bit(open_loop, qtbot, monkeypatch, result, region):
    viewer, loop = open_loop(*channels())
    joined(loop, viewer)
    if region:
        loop.source.axes.region.value = "visible"
        here = "napari_diffusion.widgets.source.run_source.visible_region"
        monkeypatch.setattr(here, lambda *_: region[1:])
    loop.result.value = result, 1
    recipe = RECIPE.replaced(final_filter=None)
    ran(loop, qtbot, recipe)
    before = len(viewer.layers)
    look_at(viewer, made(viewer)[-1])
    go_on(viewer, qtbot)
    assert loop.controls.message.role != "error"
    assert len(viewer.layers) == before + 3
    longer = recipe.resolved(PICTURE, axes="cyx").replaced(stop_at=4)
    expected = nd.run(PICTURE, longer, axes="cyx", region=region).image
    new = [layer for layer in made(viewer) if layer.name.startswith(("03 ", "1 steps "))]
    for c, layer in enumerate(new):
        np.testing.assert_array_equal(layer.data.reshape(expected[c].shape), expected[c])


def test_going_on_needs_all_channels(open_loop, qtbot, said):
    viewer, loop = open_loop(*channels())
    joined(loop, viewer)
    ran(loop, qtbot)
    viewer.layers.remove("02 · σ=0.01 · blue")
    look_at(viewer, viewer.layers["02 · σ=0.01 · red"])
    go_on(viewer, qtbot)
    assert said[-1].startswith("Continuing needs all channels of this step, but that of 'blue'")


def test_channels_take_a_mask_and_further_axes(open_loop, qtbot):
    movie = RANDOM.random((2, 2, 3, 16, 12)).astype(np.float32)
    inside = np.zeros((16, 12), bool)
    inside[3:9, 2:10] = True
    labels = ("position", "t", "y", "x")
    viewer, loop = open_loop(
        Image(movie[0], name="a", axis_labels=labels),
        Image(movie[1], name="b", axis_labels=labels),
        Labels(inside.astype(int), name="mask"),
    )
    joined(loop, viewer, "a", "b")
    loop.source.mask.value = viewer.layers["mask"]
    ran(loop, qtbot)
    folded = movie.transpose(1, 2, 0, 3, 4).reshape(6, 2, 16, 12)
    grid = {"axes": "tcyx", "mask": inside}
    expected = nd.run(folded, RECIPE.resolved(folded, **grid), **grid).image
    for c, name in enumerate("ab"):
        found = viewer.layers[f"final · {name}"].data.reshape(6, 16, 12)
        np.testing.assert_array_equal(found, expected[:, c])


def test_channels_of_lazy_arrays_and_of_several_types(open_loop, qtbot):
    da = pytest.importorskip("dask.array")
    eight = (PICTURE[0] * 255).astype(np.uint8)
    viewer, loop = open_loop(
        Image(da.from_array(eight, chunks=8), name="a"), Image(PICTURE[1], name="b")
    )
    joined(loop, viewer, "a", "b")
    ran(loop, qtbot)
    both = np.stack([eight.astype(np.float32), PICTURE[1]])
    expected = nd.run(both, RECIPE.resolved(both, axes="cyx"), axes="cyx").image
    np.testing.assert_array_equal(viewer.layers["final · a"].data, expected[0])


def test_deleting_the_steps_brings_back_what_they_hid(open_loop, qtbot, gate):
    viewer, loop = open_loop(*channels())
    viewer.layers["green"].visible = False
    joined(loop, viewer)
    gate.let(4)
    ran(loop, qtbot)
    assert not viewer.layers["red"].visible
    for layer in made(viewer):
        viewer.layers.remove(layer)
    shown = {layer.name: layer.visible for layer in viewer.layers}
    assert shown == {"red": True, "green": False, "blue": True}
    loop.controls.run.native.click()
    loop.controls.cancel.native.click()
    wait(loop, qtbot)
    assert {layer.name: layer.visible for layer in viewer.layers} == shown


def test_deleting_a_channel_leaves_another_source(open_loop):
    viewer, loop = open_loop(*channels())
    joined(loop, viewer)
    viewer.layers.remove("green")
    assert len(loop.source.layers()) == 1
