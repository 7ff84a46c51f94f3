"""*Show what the filter sees*: layers of edges, conductance and flux, where they lie and stay."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Vectors
from steps_driver import run_on, selected

import napari_diffusion as nd
from napari_diffusion.widgets.analysis.filter_view import FilterView, show_filter_view
from napari_diffusion.widgets.analysis.filter_view_layers import VIEW
from napari_diffusion.widgets.analysis.thinned_arrows import Cells, arrows, axes_of_tensors
from napari_diffusion.widgets.layers.source_layers import shown_images

RANDOM = np.random.default_rng(4)
STEPS = 100.0 * (np.arange(60) > 25) + np.zeros((40, 1))
NOISY = (STEPS + RANDOM.normal(0, 2, STEPS.shape)).astype(np.float32)
PLACED = {"scale": (0.5, 0.25), "translate": (3.0, -2.0), "units": ("um", "um")}
EDGE = nd.filters.PeronaMalik(contrast=200.0)


def noisy(**options):
    return Image(NOISY.copy(), name="edge", **{**PLACED, **options})


def show(loop, qtbot, chosen=EDGE):
    loop.value = nd.Recipe(diffusion_filter=chosen, num_steps=2)
    loop.filter_view.native.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)
    return loop.controls.message.sentence


def made(viewer):
    """Return the layers by what they show."""
    return {
        layer.metadata[VIEW]["shows"]: layer for layer in viewer.layers if VIEW in layer.metadata
    }


def test_edges_conductance_and_flux_become_layers(open_loop, qtbot):
    viewer, loop = open_loop(noisy())
    said = show(loop, qtbot)
    seen = EDGE.inspect(NOISY, spacing=(0.5, 0.25))
    layers = made(viewer)
    assert list(layers) == ["conductance", "edge map", "flux"]
    assert [each.visible for each in layers.values()] == [False, True, True]
    edges, conductance, flux = layers["edge map"], layers["conductance"], layers["flux"]
    np.testing.assert_allclose(edges.data, seen.edge_map, rtol=1e-6)
    np.testing.assert_allclose(conductance.data, seen.conductance, rtol=1e-6)
    # The contrast is the middle of the colours.
    assert tuple(edges.contrast_limits) == (0, 400)
    assert tuple(conductance.contrast_limits) == (0, 1)
    assert edges.name == "edge map, contrast 200 intensity/µm · edge"
    assert edges.metadata[VIEW]["unit"] == "intensity/µm"
    kept = edges.metadata[VIEW]
    assert (kept["parameter"], kept["threshold"]) == ("contrast", 200)
    assert kept["filter"]["contrast"] == 200
    assert isinstance(flux, Vectors)
    assert 0 < len(flux.data) <= 40 * 40
    # From bright to dark, on the right to the left, across the edge between x = 25 and 26.
    starts, extents = flux.data[:, 0], flux.data[:, 1]
    strong = extents[np.abs(extents[:, 1]) > 0.5 * np.abs(extents[:, 1]).max()]
    assert len(strong)
    assert (strong[:, 1] < 0).all()
    assert set(np.round(starts[np.argsort(extents[:, 1])[:3], 1] + 0.5)) <= {25, 26, 27}
    share = 100 * np.mean(seen.edge_map > 200)
    assert f"above the contrast 200, {share:.0f} % of the pixels" in said
    assert "where intensity moves" in said


def test_layers_lie_on_what_they_are_of_and_leave_the_rest_alone(open_loop, qtbot):
    viewer, loop = open_loop(noisy())
    source = viewer.layers["edge"]
    chosen = set(viewer.layers.selection)
    show(loop, qtbot)
    for layer in made(viewer).values():
        for name in ("scale", "translate", "rotate", "shear"):
            np.testing.assert_array_equal(getattr(layer, name), getattr(source, name))
        assert layer.units == source.units
    assert set(viewer.layers.selection) == chosen
    np.testing.assert_array_equal(source.data, NOISY)
    # They are no images to start from.
    assert shown_images(viewer) == [source]
    assert loop.source.layer() is source


def test_another_click_replaces_its_own_layers_only(open_loop, qtbot):
    viewer, loop = open_loop(noisy())
    show(loop, qtbot)
    first = made(viewer)
    own = Image(NOISY, name="edge map, contrast 200 intensity/µm · edge", **PLACED)
    copy = Image(NOISY, name="my copy", metadata=dict(first["edge map"].metadata), **PLACED)
    viewer.add_layer(own)
    viewer.add_layer(copy)
    first["flux"].name = "my arrows"
    first["conductance"].visible, first["edge map"].visible = True, False
    loop.source.layers()
    viewer.layers.selection.active = viewer.layers["edge"]
    show(loop, qtbot, EDGE.replaced(contrast=30.0))
    names = [layer.name for layer in viewer.layers]
    assert own in viewer.layers
    assert copy in viewer.layers
    assert first["flux"] in viewer.layers
    assert first["edge map"] not in viewer.layers
    assert first["conductance"] not in viewer.layers
    assert "edge map, contrast 30 intensity/µm · edge" in names
    # What was shown and hidden stays so.
    again = {
        layer.metadata[VIEW]["shows"]: layer
        for layer in viewer.layers
        if VIEW in layer.metadata and layer not in (copy, first["flux"])
    }
    assert again["conductance"].visible
    assert not again["edge map"].visible


def test_a_tensor_has_axes_along_the_edge(open_loop, qtbot):
    viewer, loop = open_loop(noisy())
    said = show(loop, qtbot, nd.filters.EdgeEnhancing(contrast=10.0, smoothing=0.5))
    layers = made(viewer)
    assert list(layers) == ["conductance", "edge map", "flux", "tensor axes"]
    assert layers["conductance"].name.startswith("conductance across edges")
    assert layers["conductance"].data[20, 25] < 0.1 < 0.9 < layers["conductance"].data[20, 8]
    ends = layers["tensor axes"].data
    middles = ends[:, 0] + ends[:, 1] / 2
    at_edge = np.abs(middles[:, 1] - 25.5) < 1
    # Along the edge, y, as long as anywhere; across it nothing is drawn.
    assert at_edge.any()
    assert (np.abs(ends[at_edge, 1, 1]) < 0.1 * np.abs(ends[at_edge, 1, 0])).all()
    assert "A cross smooths in all directions" in said


def test_a_curvature_flow_has_a_speed_and_no_flux(open_loop, qtbot):
    viewer, loop = open_loop(noisy())
    said = show(loop, qtbot, nd.filters.MeanCurvature())
    layers = made(viewer)
    assert list(layers) == ["speed"]
    low, high = layers["speed"].contrast_limits
    assert low == -high
    assert "there is no flux" in said


def test_a_filter_without_a_flux_disables_the_button_and_says_why(open_loop):
    _, loop = open_loop(noisy())
    loop.value = nd.Recipe(diffusion_filter=nd.filters.Median())
    assert not loop.filter_view.enabled
    assert "no flux" in loop.filter_view.tooltip
    loop.value = nd.Recipe(diffusion_filter=EDGE)
    assert loop.filter_view.enabled


def test_colours_and_a_plane_of_a_volume(open_loop, qtbot):
    colours = (np.repeat(NOISY[..., None], 3, axis=-1) + 20).clip(0, 255).astype(np.uint8)
    viewer, loop = open_loop(Image(colours, name="colours", rgb=True))
    show(loop, qtbot)
    layers = made(viewer)
    assert layers["edge map"].data.shape == NOISY.shape
    assert layers["flux"].ndim == 2

    volume = np.repeat(NOISY[None], 5, axis=0)
    volume[3:] += 50
    viewer.layers.clear()
    viewer.add_layer(Image(volume, name="volume", scale=(2.0, 1.0, 1.0)))
    viewer.dims.set_point(0, 4.0)
    show(loop, qtbot, nd.filters.EdgeEnhancing(contrast=10.0))
    whole = nd.filters.EdgeEnhancing(contrast=10.0).inspect(volume, spacing=(2.0, 1.0, 1.0))
    edges = made(viewer)["edge map"]
    np.testing.assert_allclose(edges.data, whole.edge_map[2:3], rtol=1e-4)
    assert edges.translate[0] == 4
    assert made(viewer)["flux"].ndim == 3


@pytest.mark.parametrize("result", ["layers", "stack"])
def test_a_step_is_seen_with_the_parameters_found_on_its_source(open_steps, qtbot, result):
    recipe = nd.Recipe(num_steps=3, starting_noise_scale=5.0, seed=3)
    viewer, dock = open_steps(noisy())
    layers = run_on(dock, qtbot, recipe, viewer.layers["edge"], result=result)
    selected(dock, qtbot, layers[-1])
    step = dock.run.step
    view = FilterView.of_step(step, viewer)
    show_filter_view(view, dock.runner, viewer)
    qtbot.waitUntil(lambda: not dock.runner.is_running, timeout=60_000)
    edges = made(viewer)["edge map"]
    resolved = recipe.resolved(NOISY, spacing=(0.5, 0.25))
    seen = resolved.diffusion_filter.inspect(step.data, spacing=(0.5, 0.25))
    np.testing.assert_allclose(edges.data, seen.edge_map, rtol=1e-5)
    assert edges.metadata[VIEW]["threshold"] == pytest.approx(resolved.diffusion_filter.contrast)
    assert edges.name.endswith(step.layer.name)


# --- thinning ---


def test_arrows_are_the_means_of_cells_and_no_longer_than_one():
    across = np.zeros((90, 100))
    across[:, 40:] = 4.0
    cells = Cells.of(across.shape, (1.0, 2.0), (0, 1))
    ends, values, most = arrows([np.zeros_like(across), across], (0, 1), cells)
    assert len(ends) <= 40 * 40
    assert most == pytest.approx(4)
    assert values.max() == pytest.approx(4)
    np.testing.assert_allclose(ends[:, 1, 0], 0)
    world = ends[:, 1, 1] * 2.0
    assert world.max() <= cells.length * (1 + 1e-9)
    middles = ends[:, 0] + ends[:, 1] / 2
    assert middles[:, 1].min() >= 38
    # No arrow of nothing, and none of no arrows.
    ends, values, _ = arrows([np.zeros((9, 9)), np.zeros((9, 9))], (0, 1), cells)
    assert len(ends) == len(values) == 0


def test_lines_of_tensors_are_as_long_as_their_eigenvalues():
    tensors = np.broadcast_to(np.diag([1.0, 0.5]), (8, 8, 2, 2))
    cells = Cells.of((8, 8), (1.0, 1.0), (0, 1))
    ends, values = axes_of_tensors(tensors, (0, 1), cells)
    assert len(ends) == 2 * 64
    long, short = ends[values == 1, 1], ends[values == 0.5, 1]
    assert np.abs(long[:, 0]).max() == pytest.approx(2 * np.abs(short[:, 1]).max())
    np.testing.assert_allclose(long[:, 1], 0, atol=1e-12)
