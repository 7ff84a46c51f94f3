"""What a filter sees: the fluxes that are inspected are those that the filter computes with."""

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion import filters
from napari_diffusion.filters.flows.inspection import FluxInspection

FLOWS = {
    "heat": filters.Heat(),
    "Perona–Malik": filters.PeronaMalik(contrast=20.0),
    "magnitude": filters.PeronaMalik(contrast=20.0, gradient="magnitude", smoothing=1.0),
    "Tukey": filters.PeronaMalik(contrast=20.0, conductance="tukey", smoothing=0.7),
    "implicit": filters.PeronaMalik(contrast=20.0, solver="aos"),
    "total variation": filters.TotalVariationFlow(time=5.0, epsilon=2.0),
    "speckle": filters.SpeckleReducing(),
    "mean curvature": filters.MeanCurvature(),
    "modified curvature": filters.ModifiedCurvature(contrast=20.0),
    "min/max curvature": filters.MinMaxCurvature(),
    "EED": filters.EdgeEnhancing(contrast=20.0),
    "CED": filters.CoherenceEnhancing(contrast=20.0),
    "hybrid": filters.Hybrid(contrast=20.0),
}

GRIDS = {
    "plane": ((24, 20), {}),
    "oblong pixels": ((24, 20), {"spacing": (0.5, 1.3)}),
    "turned axes": ((20, 24), {"axes": "xy", "along": "xy", "spacing": (1.3, 0.5)}),
    "volume": ((8, 12, 14), {"spacing": (2.0, 1.0, 1.0)}),
    "RGB": ((24, 20, 3), {"rgb": True}),
    "channels apart": ((2, 24, 20), {"axes": "cyx", "joint_channels": False}),
    "mask": ((24, 20), {"mask": True}),
    "RGB, mask": ((24, 20, 3), {"rgb": True, "mask": True}),
    "mask of a volume": ((6, 12, 14), {"mask": True}),
    "line": ((40,), {"axes": "x"}),
    "frames": ((3, 12, 13), {"axes": "tyx"}),
    "time and space": ((4, 6, 7, 8), {"axes": "tzyx", "along": "tzyx"}),
}

# Level lines of a line are points: they do not move.
CASES = [
    (flow, grid)
    for flow in FLOWS
    for grid in GRIDS
    if grid != "line" or flow not in ("mean curvature", "min/max curvature")
]


def scene(shape):
    """Return steps, ramps and noise, from 20 to some hundreds."""
    noise = np.random.default_rng(7).normal(0, 8, shape)
    image = 100 + np.cumsum(noise, axis=0)
    image[: shape[0] // 2] += 60
    return image.astype(np.float32)


def options_of(shape, options):
    """Return the options, with a mask that has a hole, and a wall of one pixel."""
    if "mask" not in options:
        return options
    inside = np.ones(shape[:2] if options.get("rgb") else shape, bool)
    inside[..., 3:5, 6:9] = False
    inside[2] = False
    return {**options, "mask": inside}


@pytest.mark.parametrize(("flow", "grid"), CASES)
def test_what_flows_makes_the_sub_step(flow, grid):
    shape, options = GRIDS[grid]
    image, options = scene(shape), options_of(*GRIDS[grid])
    if flow == "heat" and "mask" not in options:
        # Without one it is solved exactly, in no sub-steps.
        whole = np.ones(shape[:2] if options.get("rgb") else shape, bool)
        options = {**options, "mask": whole}
    inspected = FLOWS[flow].inspect(image, **options)
    once = inspected.filter.replaced(time=inspected.tau)
    if flow == "implicit":
        once = once.replaced(solver="explicit")
    after = once(image, **options)
    made = image + inspected.tau * inspected.change()
    assert np.abs(after - image).max() > 1e-4 * np.ptp(image)
    assert np.abs(made - after).max() <= 1e-6 * np.ptp(image)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_sub_step_is_one_of_the_filter(flow):
    image = scene((24, 20))
    inspected = FLOWS[flow].inspect(image)
    bound = inspected.filter.bound(inspected_grid(image))
    assert 0 < inspected.tau <= bound
    parts = inspected.filter.time / inspected.tau
    assert parts == pytest.approx(round(parts))
    # Only what flows has a divergence, and what flows does not change the mean.
    if isinstance(inspected, FluxInspection):
        assert inspected.divergence().mean() == pytest.approx(0, abs=1e-5)
        assert inspected.flux_vectors().shape == (24, 20, 2)
    else:
        assert not hasattr(inspected, "divergence")


def inspected_grid(image):
    from napari_diffusion.core.image import Image

    return Image.of(image).grid


def test_edges_and_conductance_of_perona_malik_are_of_the_same_face():
    image = scene((24, 20))
    seen = filters.PeronaMalik(contrast=20.0).inspect(image, spacing=(0.5, 1.3))
    assert (seen.edges.name, seen.edges.unit) == ("gradient", "intensity/world")
    assert (seen.edges.parameter, seen.edges.threshold) == ("contrast", 20.0)
    np.testing.assert_allclose(seen.conductance, 1 / (1 + (seen.edge_map / 20) ** 2), rtol=1e-5)
    steepest = np.abs(np.diff(image, axis=0)).max() / 0.5
    assert seen.edge_map.max() == pytest.approx(steepest, rel=1e-5)
    assert set(seen.face_flux) == set("yx")


def test_the_gradient_magnitude_of_a_ramp():
    image = np.add.outer(3.0 * np.arange(12), 4.0 * np.arange(10)).astype(np.float32)
    chosen = filters.PeronaMalik(contrast=5.0, gradient="magnitude")
    seen = chosen.inspect(image, spacing=(1.0, 1.0))
    inner = (slice(1, -1),) * 2
    np.testing.assert_allclose(seen.edge_map[inner], 5, rtol=1e-6)
    np.testing.assert_allclose(seen.conductance[inner], 0.5, rtol=1e-6)
    # Two pixels from the border every face has the conductance of the ramp.
    vectors = seen.flux_vectors()[2:-2, 2:-2]
    np.testing.assert_allclose(vectors, np.broadcast_to((1.5, 2.0), vectors.shape), rtol=1e-5)


def test_total_variation_flow_has_a_flux_of_at_most_one():
    image = np.zeros((16, 16), np.float32)
    image[:, 8:] = 50
    seen = filters.TotalVariationFlow(time=1.0, epsilon=0.5).inspect(image)
    assert seen.largest == pytest.approx(2)
    assert seen.face_flux["x"][5, 8] == pytest.approx(1, rel=1e-4)
    assert seen.edge_map[5, 8] == pytest.approx(50, rel=1e-3)
    assert seen.edges.parameter == "epsilon"


def test_speckle_is_a_ratio():
    seen = filters.SpeckleReducing(q0=0.5).inspect(scene((24, 20)))
    assert (seen.edges.unit, seen.edges.parameter, seen.edges.threshold) == ("", "q0", 0.5)
    assert (seen.conductance[seen.edge_map < 0.49] == 1).all()


@pytest.mark.parametrize("grid", ["oblong pixels", "volume", "RGB", "time and space"])
@pytest.mark.parametrize("flow", ["EED", "CED", "hybrid"])
def test_a_stencil_adds_up_to_the_tensor(flow, grid):
    shape, options = GRIDS[grid]
    seen = FLOWS[flow].inspect(scene(shape), **options)
    ends = seen.offsets * np.array(seen.spacing)
    whole = np.einsum("...k,...ki,...kj->...ij", seen.weights, ends, ends)
    np.testing.assert_allclose(whole, seen.tensor, atol=2e-5)
    values = np.linalg.eigvalsh(seen.tensor)
    assert values.min() > 0
    assert values.max() <= 1 + 1e-5
    count = len(seen.along)
    assert seen.tensor.shape == (*shape[: 2 if grid == "RGB" else None], count, count)
    assert seen.offset_flux.shape[:-2] == shape
    assert seen.conductance is None


def test_a_tensor_lies_along_an_edge():
    image = np.zeros((32, 32), np.float32)
    image[:, 16:] = 100
    seen = filters.EdgeEnhancing(contrast=5.0).inspect(image)
    at_edge, far = seen.tensor[16, 16], seen.tensor[16, 3]
    np.testing.assert_allclose(at_edge, np.diag([1, 1e-3]), atol=1e-4)
    np.testing.assert_allclose(far, np.eye(2), atol=1e-4)
    assert seen.edge_map[16, 16] > 5 > seen.edge_map[16, 3]
    lines = filters.CoherenceEnhancing(contrast=5.0).inspect(image)
    assert lines.edges.name == "coherence"


def test_the_centre_of_a_star_receives_no_more_than_is_stable():
    y, x = np.mgrid[-20:21, -20:21].astype(np.float32)
    image = (100 * np.cos(4 * np.arctan2(y, x))).astype(np.float32)
    chosen = filters.CoherenceEnhancing(contrast=1.0, smoothing=0.3, integration=1.0)
    seen = chosen.inspect(image)
    after = chosen.replaced(time=seen.tau)(image)
    assert np.abs(image + seen.tau * seen.change() - after).max() <= 2e-4


def test_nothing_flows_outside_a_mask():
    shape, options = GRIDS["mask"]
    options = options_of(shape, options)
    seen = FLOWS["Perona–Malik"].inspect(scene(shape), **options)
    outside = ~options["mask"]
    for array in (seen.change(), seen.conductance, seen.edge_map):
        assert not array[outside].any()
        assert array[~outside].any()


def test_contrasts_of_channels_that_are_joint_and_apart():
    image, contrast = scene((2, 24, 20)), (10.0, 40.0)
    chosen = filters.PeronaMalik(contrast=contrast)
    apart = chosen.inspect(image, axes="cyx", joint_channels=False)
    assert apart.edges.threshold == contrast
    joint = chosen.inspect(image, axes="cyx")
    assert joint.edges.threshold == 40
    assert (joint.edge_map.shape, joint.change().shape) == ((24, 20), (2, 24, 20))
    np.testing.assert_allclose(joint.conductance, 1 / (1 + (joint.edge_map / 40) ** 2), rtol=1e-5)


def test_parameters_of_the_source_look_at_another_image():
    image = scene((24, 20))
    blurred = filters.Gaussian(sigma=2.0)(image)
    chosen = filters.PeronaMalik().inspect(image).filter
    assert chosen.inspect(blurred).filter == chosen
    assert filters.PeronaMalik().inspect(blurred).filter.contrast < chosen.contrast


@pytest.mark.parametrize(
    ("chosen", "cure"),
    [
        (filters.Median(), "such as PeronaMalik"),
        (filters.Opponent(filters.PeronaMalik()), "here PeronaMalik"),
    ],
)
def test_a_filter_without_a_flux_says_so(chosen, cure):
    with pytest.raises(TypeError, match=cure):
        chosen.inspect(scene((24, 20)))


def test_an_image_in_chunks_is_refused_with_the_cure():
    with pytest.raises(TypeError, match=r"image\[0\]\.compute\(\)"):
        nd.filters.Heat().inspect(da.zeros((8, 8)))
