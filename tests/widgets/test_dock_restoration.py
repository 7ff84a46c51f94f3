"""Restoration in the dock Diffusion loop: what was measured, masks of what is missing, layers."""

from __future__ import annotations

import numpy as np
import pytest
from dock_driver import made, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.records.methods_paragraph import paragraph
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle

RANDOM = np.random.default_rng(2)
IMAGE = np.kron(RANDOM.random((4, 4)), np.ones((8, 8))).astype(np.float32)
HOLE = np.zeros(IMAGE.shape, np.uint8)
HOLE[10:18, 12:22] = 1


def image(values=IMAGE, **options):
    return Image(values.copy(), name="cells", **options)


def restored(loop, qtbot, preset):
    """Run a short restoration and return its last layer."""
    loop.value = nd.PRESETS[preset].replaced(num_steps=3)
    loop.controls.run.native.click()
    wait(loop, qtbot)
    assert loop.controls.message.sentence.startswith("Done"), loop.controls.message.sentence
    return made(loop.viewer)[-1]


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_what_is_painted_is_restored_and_the_rest_stays(open_loop, qtbot, kind):
    corners = np.array([[9.5, 11.5], [9.5, 21.5], [17.5, 21.5], [17.5, 11.5]])
    holes = Labels(HOLE) if kind == "labels" else Shapes([corners])
    viewer, loop = open_loop(image(), holes)
    loop.source.set_layer(viewer.layers["cells"])
    loop.source.mask.value = viewer.layers[-1]
    layer = restored(loop, qtbot, "restore holes")
    inside = HOLE > 0
    recipe = recipe_of(layer.metadata["napari_diffusion"])
    expected = nd.run(IMAGE, recipe, mask=~inside).image
    np.testing.assert_array_equal(layer.data, expected)
    change = np.abs(layer.data - IMAGE)
    assert change[inside].mean() > 2 * change[~inside].mean()
    assert "Pixels outside a mask were restored." in paragraph(layer.metadata["napari_diffusion"])


def test_a_mask_of_the_whole_image_leaves_nothing_to_restore_from(open_loop, qtbot, said):
    viewer, loop = open_loop(image(), Labels(np.ones_like(HOLE)))
    loop.source.set_layer(viewer.layers["cells"])
    loop.source.mask.value = viewer.layers[-1]
    loop.value = nd.PRESETS["restore holes"]
    loop.controls.run.native.click()
    wait(loop, qtbot)
    assert "nothing is left to restore it from" in loop.controls.message.sentence


@pytest.mark.parametrize("result", ["layers", "stack"])
def test_an_enlarged_image_lies_where_its_source_does(open_loop, qtbot, result):
    viewer, loop = open_loop(image(scale=(2.0, 4.0), translate=(5.0, -3.0)))
    loop.result.value = (result, 1)
    layer = restored(loop, qtbot, "enlarge")
    assert layer.data.shape[-2:] == (64, 64)
    np.testing.assert_array_equal(layer.scale[-2:], (1.0, 2.0))
    np.testing.assert_allclose(
        layer.extent.world[:, -2:] + np.outer((-1, 1), layer.scale[-2:] / 2),
        viewer.layers["cells"].extent.world + np.outer((-1, 1), (1.0, 2.0)),
    )


def test_there_is_no_preview_and_no_region_of_a_whole(open_loop, qtbot, said):
    _, loop = open_loop(image())
    loop.value = nd.PRESETS["sharpen"]
    loop.preview.value = True
    qtbot.waitUntil(lambda: "only Run shows it" in loop.controls.message.sentence)
    loop.preview.value = False
    loop.source.axes.region.value = "visible"
    loop.controls.run.native.click()
    assert "choose the whole" in loop.controls.message.sentence


def test_more_pixels_at_the_same_place():
    style = LayerStyle.of(image(np.zeros((6, 4)), scale=(1.0, 3.0)))
    finer = style.resized((6, 4), (12, 16)).placed
    np.testing.assert_allclose(finer["scale"], (0.5, 0.75))
    np.testing.assert_allclose(finer["translate"], (-0.25, -1.125))
    one = style.resized((6, 4), (1, 4)).placed  # of frames one is made
    np.testing.assert_allclose(one["scale"], (1.0, 3.0))


def test_layers_say_that_they_are_plausible_and_no_measurement(open_loop, qtbot):
    _, loop = open_loop(image())
    layer = restored(loop, qtbot, "sharpen")
    assert "plausible" in layer.name
    record = layer.metadata["napari_diffusion"]
    assert record["processed"].rstrip(".").endswith("one plausible image, not a measurement")
    assert "one plausible image, not a measurement" in paragraph(record)
