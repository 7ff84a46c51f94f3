"""The mask in the dock: which layers it can be, what it does, and how it is found again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dock_driver import go_on, look_at, made, open_study, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.records.provenance import content_hash
from napari_diffusion.widgets.layers.shape_masks import drawn

RANDOM = np.random.default_rng(4)
FACE = RANDOM.random((24, 32)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=3, starting_noise_scale=0.1, seed=3)
INSIDE = np.zeros(FACE.shape, bool)
INSIDE[4:20, 6:25] = True


def face(**options):
    return Image(FACE.copy(), name="face", **options)


def cells(**options):
    return Labels(INSIDE * 7, name="cells", **options)


def ran(loop, qtbot, recipe=RECIPE):
    loop.value = recipe
    loop.controls.run.native.click()
    wait(loop, qtbot)


def choose(dock, viewer, name):
    dock.source.mask.value = viewer.layers[name]


def offered(dock):
    combo = dock.source.mask.combo.native
    return [combo.itemText(row) for row in range(combo.count())]


def chosen(dock):
    return dock.source.mask.combo.native.currentText()


# --- what it can be ---


def test_only_layers_that_fit_are_offered(open_dock):
    viewer, dock = open_dock(
        "Filter",
        face(),
        cells(),
        Labels(np.ones((5, 6), int), name="small"),
        Shapes(name="nothing"),
        Shapes(np.array([[2, 2], [9, 2], [9, 9]]), shape_type="polygon", name="area"),
        Image(INSIDE, name="binary"),
        Image(INSIDE * np.float32(3), name="two values"),
        Image(FACE, name="another"),
        Image(np.tile(np.arange(3.0), (24, 11))[:, :32] * INSIDE, name="three values"),
        Image(np.ones((5, 6), bool), name="small binary"),
    )
    dock.source.set_layer(viewer.layers["face"])
    assert set(offered(dock)) == {"none", "cells", "area", "binary", "two values"}
    assert dock.source.mask.value is None


def test_the_list_follows_the_layers(open_dock):
    viewer, dock = open_dock("Filter", face())
    assert offered(dock) == ["none"]
    viewer.add_layer(cells())
    assert offered(dock) == ["none", "cells"]
    choose(dock, viewer, "cells")
    viewer.layers["cells"].name = "nuclei"
    assert chosen(dock) == "nuclei"
    viewer.layers.remove("nuclei")
    assert offered(dock) == ["none"]
    assert dock.source.mask.value is None


def test_each_source_has_its_own_mask(open_dock):
    viewer, dock = open_dock("Filter", face(), Image(FACE, name="other"), cells())
    dock.source.set_layer(viewer.layers["face"])
    choose(dock, viewer, "cells")
    dock.source.set_layer(viewer.layers["other"])
    assert chosen(dock) == "none"
    dock.source.set_layer(viewer.layers["face"])
    assert chosen(dock) == "cells"


def test_a_mask_that_lies_elsewhere_says_so(open_dock):
    viewer, dock = open_dock("Filter", face(scale=(0.5, 0.5)), cells())
    dock.source.set_layer(viewer.layers["face"])
    choose(dock, viewer, "cells")
    assert "lies elsewhere" in dock.source.hint.value
    viewer.layers["cells"].scale = (0.5, 0.5)
    dock.source.set_layer(viewer.layers["face"])
    assert dock.source.hint.value == ""


def test_shapes_are_drawn_in_the_samples_of_the_source():
    image = Image(np.zeros((20, 30)), scale=(0.5, 2), translate=(5, 10), rotate=30)
    corners = [[2.02, 3.02], [2.02, 9.98], [7.98, 9.98], [7.98, 3.02]]
    world = [image.data_to_world(corner) for corner in corners]
    shapes = Shapes([np.array(world) / 0.1], shape_type="rectangle", scale=(0.1, 0.1))
    inside = drawn(shapes, image).inside((20, 30))
    expected = np.zeros((20, 30), bool)
    expected[3:8, 4:10] = True
    np.testing.assert_array_equal(inside, expected)


def test_an_ellipse_is_round_and_lines_have_no_area():
    shapes = Shapes(
        [np.array([[0, 0], [0, 40], [40, 40], [40, 0]]), np.array([[0, 0], [9, 9]])],
        shape_type=["ellipse", "line"],
    )
    inside = drawn(shapes, Image(np.zeros((41, 41)))).inside((41, 41))
    y, x = np.mgrid[:41, :41] - 20
    np.testing.assert_allclose(inside.sum(), np.pi * 20**2, rtol=0.02)
    assert not inside[np.hypot(y, x) > 20].any()


def test_an_area_drawn_in_one_plane_holds_for_all_of_them():
    shapes = Shapes([np.array([[2, 3, 3], [2, 3, 8], [2, 8, 8], [2, 8, 3]])])
    inside = drawn(shapes, Image(np.zeros((5, 12, 14)))).inside((5, 12, 14))
    assert inside.any()
    assert (inside == inside[0]).all()
    flat = Shapes([np.array([[3, 3], [3, 8], [8, 8], [8, 3]])])
    again = drawn(flat, Image(np.zeros((5, 12, 14)))).inside((5, 12, 14))
    np.testing.assert_array_equal(inside, again)


# --- what it does ---


@pytest.mark.parametrize("kind", ["labels", "image", "shapes"])
def test_the_image_changes_inside_alone(open_loop, qtbot, kind):
    mask = {
        "labels": lambda: Labels(INSIDE * 7, name="mask"),
        "image": lambda: Image(INSIDE * np.uint8(255), name="mask"),
        "shapes": lambda: Shapes(
            np.array([[3.5, 5.5], [3.5, 24.5], [19.5, 24.5], [19.5, 5.5]]), name="mask"
        ),
    }[kind]()
    viewer, loop = open_loop(face(), mask)
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "mask")
    ran(loop, qtbot)
    expected = list(nd.steps(FACE, RECIPE.resolved(FACE, mask=INSIDE), mask=INSIDE))
    for layer, step in zip(made(viewer), expected, strict=False):
        np.testing.assert_array_equal(layer.data, step.image)
    record = json.loads(json.dumps(made(viewer)[-1].metadata["napari_diffusion"]))
    assert record["mask"] == {"layer": "mask", "inside": int(INSIDE.sum())}
    assert record["grid"]["mask"] == {"sha256": content_hash(INSIDE)}


def test_a_mask_may_do_without_time_further_axes_and_colours(open_loop, qtbot):
    movie = RANDOM.random((2, 3, 16, 12, 3)).astype(np.float32)
    inside = np.zeros((16, 12), bool)
    inside[3:9, 2:10] = True
    viewer, loop = open_loop(
        Image(movie, rgb=True, name="movie", axis_labels=("position", "t", "y", "x")),
        Labels(inside.astype(int), name="mask"),
    )
    loop.source.set_layer(viewer.layers["movie"])
    choose(loop, viewer, "mask")
    ran(loop, qtbot)
    grid = {"axes": "tyxc", "rgb": True, "mask": inside}
    folded = movie.reshape(6, 16, 12, 3)
    expected = nd.run(folded, RECIPE.resolved(folded, **grid), **grid).image
    expected = expected.clip(0, 1).reshape(movie.shape)
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_what_changes_after_the_click_does_not_change_the_mask(open_loop, qtbot, gate):
    area = Shapes(np.array([[3.5, 5.5], [3.5, 24.5], [19.5, 24.5], [19.5, 5.5]]), name="area")
    viewer, loop = open_loop(face(), area)
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "area")
    loop.value = RECIPE
    loop.controls.run.native.click()
    area.data = []
    gate.let(4)
    wait(loop, qtbot)
    expected = nd.run(FACE, RECIPE.resolved(FACE, mask=INSIDE), mask=INSIDE).image
    np.testing.assert_array_equal(made(viewer)[-1].data, expected)


def test_masks_that_cannot_be_used_are_refused(open_loop, qtbot, said):
    viewer, loop = open_loop(face(), Labels(np.zeros(FACE.shape, int), name="empty"), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "empty")
    ran(loop, qtbot)
    assert said[-1] == "The mask 'empty' is empty: no pixel would change."
    assert loop.controls.message.sentence == said[-1]
    choose(loop, viewer, "cells")
    viewer.layers["cells"].data = np.ones((5, 6), int)
    loop.controls.run.native.click()
    assert not loop.runner.is_running
    assert said[-1] == "'cells' cannot be the mask: it is 5 × 6, and 'face' is 24 × 32."
    assert not made(viewer)


def test_holes_outside_of_the_mask_do_no_harm(open_loop, qtbot):
    holed = FACE.copy()
    holed[0, 0] = np.nan
    viewer, loop = open_loop(Image(holed, name="face", contrast_limits=(0, 1)), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "cells")
    ran(loop, qtbot)
    assert np.isnan(made(viewer)[-1].data[0, 0])


# --- how it is found again ---


def test_a_step_with_a_mask_is_gone_on_with_to_the_bit(open_loop, qtbot):
    viewer, loop = open_loop(face(), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "cells")
    ran(loop, qtbot)
    # What became of the layers in the meantime does not matter: the run's mask is kept.
    viewer.layers.remove("cells")
    viewer.layers.selection.active = made(viewer)[-1]
    go_on(viewer, qtbot, 2)
    recipe = RECIPE.resolved(FACE, mask=INSIDE).replaced(stop_at=5)
    expected = nd.run(FACE, recipe, mask=INSIDE).image
    last = made(viewer)[-1]
    np.testing.assert_array_equal(last.data, expected)
    assert last.metadata["napari_diffusion"]["mask"]["layer"] == "cells"


def test_a_mask_is_looked_for_where_the_layer_has_lost_it(open_loop, qtbot, said):
    viewer, loop = open_loop(face(), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "cells")
    ran(loop, qtbot)
    step = made(viewer)[-1]
    del step.metadata["napari_diffusion_mask"]
    viewer.layers["cells"].name = "renamed"
    look_at(viewer, step)
    go_on(viewer, qtbot, 5)
    assert len(made(viewer)) == 8
    viewer.layers["renamed"].data = np.ones(FACE.shape, int)
    look_at(viewer, step)
    go_on(viewer, qtbot, 5)
    assert said[-1].startswith("The mask 'cells' of this run was removed")
    assert len(made(viewer)) == 8


def test_the_last_step_of_a_region_is_gone_on_with_under_its_part_of_the_mask(
    open_loop, qtbot, monkeypatch
):
    part = (slice(2, 14), slice(3, 20))
    monkeypatch.setattr(
        "napari_diffusion.widgets.source.run_source.visible_region", lambda *_: part
    )
    viewer, loop = open_loop(face(), cells())
    loop.source.set_layer(viewer.layers["face"])
    loop.source.axes.region.value = "visible"
    choose(loop, viewer, "cells")
    ran(loop, qtbot)
    last = made(viewer)[-1]
    look_at(viewer, last)
    go_on(viewer, qtbot)
    step = next(each for each in made(viewer) if each.name.startswith("03 "))
    outside = ~INSIDE[part]
    np.testing.assert_array_equal(step.data[outside], FACE[part][outside])
    recipe = RECIPE.resolved(FACE, mask=INSIDE).replaced(stop_at=4)
    expected = nd.run(FACE, recipe, mask=INSIDE, region=part).image
    np.testing.assert_array_equal(step.data, expected)


def test_use_this_recipe_chooses_the_mask_too(open_loop, qtbot):
    viewer, loop = open_loop(face(), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "cells")
    ran(loop, qtbot)
    loop.source.mask.value = None
    viewer.layers.selection.active = made(viewer)[-1]
    open_study(viewer).study.use.native.click()
    assert loop.source.mask.value is viewer.layers["cells"]
    assert loop.controls.message.sentence.startswith("Filled in the recipe and the mask")
    viewer.layers.remove("cells")
    open_study(viewer).study.use.native.click()
    assert "its mask 'cells' was removed" in loop.controls.message.sentence


def test_steps_taken_out_of_a_stack_keep_the_mask(open_loop, qtbot):
    viewer, loop = open_loop(face(), cells())
    loop.source.set_layer(viewer.layers["face"])
    choose(loop, viewer, "cells")
    loop.result.value = ("stack", 1)
    ran(loop, qtbot)
    open_study(viewer).study.extract.native.click()
    qtbot.waitUntil(lambda: len(made(viewer)) == 4)
    for layer in made(viewer):
        np.testing.assert_array_equal(layer.metadata["napari_diffusion_mask"], INSIDE)


def test_labels_that_fit_are_said_to_be_a_mask(open_dock):
    viewer, dock = open_dock("Filter", face(), cells())
    assert viewer.layers.selection.active.name == "cells"
    assert "it can be chosen as the mask under Advanced" in dock.source.hint.value
    choose(dock, viewer, "cells")
    assert dock.source.hint.value == ""
