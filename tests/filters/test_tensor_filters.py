"""Diffusion along directions: exact cases, directions, borders, limits, and the same bits."""

from __future__ import annotations

import laws
import numpy as np
import pytest
from cases import CASES

from napari_diffusion import Grid
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import CoherenceEnhancing, EdgeEnhancing, Heat
from napari_diffusion.filters.tensors import stencil
from napari_diffusion.filters.tensors.axis_frame import Frame
from napari_diffusion.filters.tensors.exchange_sites import LOAD_UNIT
from napari_diffusion.filters.tensors.tensor_steps import Exchange

COMPONENTS = (
    EdgeEnhancing(contrast=0.2),
    CoherenceEnhancing(contrast=0.1),
    CoherenceEnhancing(contrast=0.1, structure="planes"),
)


def noise(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def exchanged(u, tensors, tau=0.2, count=1):
    """Return an image after one sub-step with given tensors (d, d, *shape)."""
    threads = Threads(count)
    grid = Grid.of(u.shape, axes="zyx"[3 - u.ndim :])
    frame = Frame.of(grid.canonical(u).shape, grid)
    laid = frame.arranged(grid.canonical(u))
    upper = np.triu_indices(u.ndim)
    components = tensors[upper].reshape(len(upper[0]), 1, frame.row_count, u.shape[-1])
    exchange = Exchange(laid, frame, None, (40, 40, 40, 0), True, threads)
    exchange.add_up(np.ascontiguousarray(components), tau, True, threads)
    most = exchange.loads.max() * LOAD_UNIT
    exchange.settle((0, frame.row_count))
    return laid.reshape(u.shape), most


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((17, 23), {"axes": "yx", "spacing": (0.7, 1.3)}),
        ((7, 9, 8), {"axes": "zyx", "spacing": (2.0, 1.0, 0.5)}),
        ((5, 4, 6, 7), {"axes": "tzyx", "along": "tzyx", "spacing": (3.0, 2.0, 1.0, 1.0)}),
        ((9, 3, 4), {"axes": "tyx", "along": "t"}),
        ((9, 3, 4), {"axes": "tyx", "along": "tx"}),
    ],
)
def test_without_edges_it_is_heat(shape, options):
    """With a contrast that nothing reaches D is 1, and sub-steps are those of Heat with a mask."""
    u = noise(*shape)
    heat = Heat(time=1.7)(u, mask=np.ones(shape, bool), **options)
    found = EdgeEnhancing(time=1.7, contrast=1e30)(u, **options)
    np.testing.assert_allclose(found, heat, rtol=0, atol=1e-13)


def test_a_wave_along_its_lines_decays_as_the_tensor_says():
    """A constant tensor of any direction multiplies a long plane wave by 1 − tau k·D·k."""
    y, x = np.mgrid[:120, :160].astype(float)
    for angle in (0.0, 0.3, 0.7, 1.2, 2.0):
        along = np.array([np.sin(angle), np.cos(angle)])
        tensor = 0.01 * np.eye(2) + 0.99 * np.outer(along, along)
        wave = np.array([0.05, 0.08])
        u = np.cos(wave[0] * y + wave[1] * x)
        after, _ = exchanged(u, np.broadcast_to(tensor[..., None, None], (2, 2, *u.shape)))
        inner = (slice(15, -15), slice(15, -15))
        change = ((after - u) * u)[inner].sum() / (u * u)[inner].sum()
        # The difference is that of the grid: a stencil of length 7 sees the wave's curvature.
        assert change == pytest.approx(-0.2 * wave @ tensor @ wave, rel=0.03)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_no_value_leaves_the_range_however_many_point_at_it(dimensions):
    """Tensors that all point at one pixel, as in a star, would take from it more than it has."""
    size = 41 if dimensions == 2 else 21
    at = np.stack(np.meshgrid(*[np.arange(size) - size // 2.0] * dimensions, indexing="ij"))
    radius = np.sqrt((at**2).sum(axis=0))
    ray = at / np.maximum(radius, 1)
    unit = np.eye(dimensions).reshape(dimensions, dimensions, *[1] * dimensions)
    tensors = 0.001 * unit + 0.999 * ray[:, None] * ray[None]
    u = np.where(radius == 0, 1.0, noise(*radius.shape) > 5)
    for dtype in (np.float32, np.float64):
        after, most = exchanged(u.astype(dtype), tensors.astype(dtype), tau=0.4)
        assert most > 1.2, "nothing had to be limited"
        assert after.min() >= 0
        assert after.max() <= 1
        assert after.sum(dtype=np.float64) == pytest.approx(u.sum(), abs=1e-6)


def adversarial(kind, shape):
    at = np.stack(np.meshgrid(*(np.arange(n) - n // 2.0 for n in shape), indexing="ij"))
    angle = np.arctan2(at[-2], at[-1])
    if kind == "star":
        return np.sign(np.sin(12 * angle + 0.1))
    if kind == "rings":
        return np.sign(np.sin(0.05 * (at**2).sum(axis=0)))
    if kind == "board":
        return (-1.0) ** at.sum(axis=0)
    return np.random.default_rng(0).choice([-1.0, 1.0], size=shape)


@pytest.mark.parametrize("kind", ["star", "rings", "board", "noise"])
@pytest.mark.parametrize("component", COMPONENTS, ids=str)
def test_range_and_mean_are_kept_on_images_made_to_break_them(component, kind):
    for shape, spacing in (((45, 52), (1.0, 1.0)), ((13, 15, 18), (3.0, 1.0, 0.8))):
        u = adversarial(kind, shape).astype(np.float32)
        for contrast, condition in ((0.01, 10_000.0), (1.0, 3.0)):
            chosen = component.replaced(
                time=1.0, contrast=contrast, smoothing=0.5, condition_limit=condition
            )
            after = chosen(u, spacing=spacing[: len(shape)])
            assert after.min() >= u.min()
            assert after.max() <= u.max()
            laws.assert_mean_kept(u, after)


def rings(size=161, period=9.0):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(y, x)
    # The periods do not end at the border of the image, where directions are not measured.
    where = (radius > 15) & (radius < size / 2 - 12)
    return np.cos(2 * np.pi * radius / period), y, x, where


def zone_plate(size=161):
    """Return rings whose period falls from 16 pixels at a radius of 20 to 5 at one of 64."""
    _, y, x, _ = rings(size)
    radius = np.hypot(y, x)
    return np.cos(np.pi * radius**2 / 320), y, x, (radius > 20) & (radius < 64)


@pytest.mark.parametrize(
    ("image", "largest"),
    [(rings(period=5.0), 1.3), (rings(period=9.0), 0.2), (zone_plate(), 0.5)],
    ids=["rings of 5", "rings of 9", "zone plate"],
)
@pytest.mark.parametrize(
    "component",
    [EdgeEnhancing(contrast=0.05), CoherenceEnhancing(contrast=0.05)],
    ids=lambda component: type(component).__name__,
)
def test_directions_on_rings_and_zone_plate(component, image, largest):
    """Where D has a direction it is that of the ring, to so many degrees, at every angle."""
    u, y, x, where = image
    grid = Grid.of(u.shape)
    d00, d01, d11 = component.prepare(Block(grid.canonical(u), grid))[:, 0]
    angle = 0.5 * np.arctan2(2 * d01, d11 - d00)
    error = np.angle(np.exp(2j * (angle - np.arctan2(x, -y)))) / 2
    strong = where & (np.hypot(2 * d01, d11 - d00) > 0.5)
    assert strong.sum() > 0.8 * where.sum()
    assert np.degrees(np.abs(error[strong])).max() < largest


@pytest.mark.parametrize(
    ("component", "kept", "noise_left"),
    [
        (EdgeEnhancing(contrast=0.2, time=2.0), 0.9, 0.45),
        (CoherenceEnhancing(contrast=0.1, time=16.0), 0.93, 0.3),
    ],
    ids=["edge", "coherence"],
)
def test_rings_stay_alike_at_every_angle_and_their_noise_goes(component, kept, noise_left):
    clean, y, x, where = rings(period=12.0)
    sector = np.floor((np.arctan2(y, x) + np.pi) / (np.pi / 8)).astype(int) % 16
    out = component(clean)
    left = [(out / clean[80, 80])[where & (sector == s)].std() for s in range(16)]
    before = [clean[where & (sector == s)].std() for s in range(16)]
    ratio = np.array(left) / np.array(before)
    assert ratio.min() > kept
    assert np.ptp(ratio) < 0.02
    grain = 0.3 * noise(*clean.shape)
    rest = component(clean + grain) - out
    assert np.std(rest[where]) < noise_left * np.std(grain[where])


def scene(shape, spacing, kind):
    """Return a smooth scene sampled at the middles of cells: an edge, or broken lines or planes."""
    at = np.meshgrid(
        *((np.arange(n) + 0.5 - n / 2) * h for n, h in zip(shape, spacing, strict=True)),
        indexing="ij",
    )
    z = at[0] if len(shape) == 3 else 0.0
    across = (at[-1] + 0.6 * at[-2] + 0.4 * z) / np.sqrt(1.52 if len(shape) == 3 else 1.36)
    along = (at[-2] - 0.6 * at[-1]) / np.sqrt(1.36)
    if kind == "edge":
        return np.tanh(across / 3.0) + 0.3 * np.cos(0.5 * along)
    lines = np.cos(0.7 * across)
    if kind == "lines" and len(shape) == 3:
        # What is left of z when both others are taken out of it.
        beside = (z - 0.4 / 1.36 * (at[-1] + 0.6 * at[-2])) / np.sqrt(1 + 0.16 / 1.36)
        lines = lines + np.cos(0.7 * beside)
    return lines * (1 + 0.5 * np.cos(0.2 * along))


def paired(u, axis):
    """Return means of two pixels along an axis."""
    parts = np.moveaxis(u, axis, 0)
    return np.moveaxis(0.5 * (parts[::2] + parts[1::2]), 0, axis)


@pytest.mark.parametrize(
    ("component", "kind", "tolerance"),
    [
        (EdgeEnhancing(contrast=0.3, time=1.5), "edge", 0.002),
        (CoherenceEnhancing(contrast=0.1, time=5.0), "lines", 0.01),
        (CoherenceEnhancing(contrast=0.1, time=5.0, structure="planes"), "planes", 0.01),
    ],
    ids=["edge", "lines", "planes"],
)
@pytest.mark.parametrize(
    ("axes", "shape", "refined"),
    [("yx", (32, 40), (0, 1)), ("zyx", (16, 18, 20), (0,)), ("tyx", (16, 18, 20), (0,))],
    ids=["plane", "along z", "along t"],
)
def test_twice_the_sampling_gives_the_same_image(component, kind, tolerance, axes, shape, refined):
    """Scene and parameters are in world units; root mean square differences stay below these."""

    options = {"axes": axes, "along": axes}
    fine_shape = [2 * n if i in refined else n for i, n in enumerate(shape)]
    spacing = [0.5 if i in refined else 1.0 for i in range(len(shape))]
    before = scene(fine_shape, spacing, kind)
    fine = component(before, spacing=spacing, **options)
    for axis in refined:
        before, fine = paired(before, axis), paired(fine, axis)
    coarse = component(before, **options)
    inner = (slice(3, -3),) * len(shape)
    difference, change = (np.std((each - coarse)[inner]) for each in (fine, before))
    assert difference < tolerance
    assert change > 2 * tolerance, "the filter did nothing that could differ"


@pytest.mark.parametrize("component", COMPONENTS, ids=str)
def test_a_unit_of_length_changes_a_few_last_bits_at_most(component):
    u, factor = noise(21, 25, dtype=np.float32), 3.7
    spacing = np.array([0.6, 1.0])
    plain = component(u, spacing=spacing)
    scaled = component.scaled(factor)(u, spacing=factor * spacing)
    steps = component.sub_steps(Grid.of(u.shape, spacing=tuple(spacing)))
    assert np.abs(scaled - plain).max() <= 4 * steps * np.spacing(np.abs(u).max())


@pytest.mark.parametrize("component", COMPONENTS, ids=str)
def test_a_slanted_wall_lets_nothing_through(component):
    """Not even offsets that jump over a wall one pixel thick."""
    y, x = np.mgrid[:30, :34]
    wall = np.abs(y - x // 2 - 6) == 0
    wall |= (y == x // 2 + 7) & (x % 2 == 0)
    left, right = (y > x // 2 + 6) & ~wall, (y < x // 2 + 6) & ~wall
    u = np.where(left, 1.0, 0.0)
    after = component.replaced(time=3.0, contrast=1e6)(u, mask=~wall)
    np.testing.assert_array_equal(after, u)
    mixed = np.where(left, 10.0, 0.0) + 0.5 * noise(30, 34)
    out = component.replaced(time=3.0, contrast=2.0)(mixed, mask=~wall)
    assert out[left].mean() == pytest.approx(mixed[left].mean(), rel=1e-12)
    assert out[right].max() <= mixed[right].max()
    assert out[left].min() >= mixed[left].min()


@pytest.mark.parametrize("component", COMPONENTS, ids=str)
def test_axes_of_a_plane_or_of_space_may_change_places(component):
    for case in CASES:
        if len(case.along) < 4:
            laws.turns(component, case)


@pytest.mark.parametrize("component", COMPONENTS, ids=str)
@pytest.mark.parametrize("shape", [(61, 70), (7, 8, 71)])
def test_chunks_regions_and_threads_give_the_same_bits(component, shape, monkeypatch):
    import dask.array as da

    import napari_diffusion as nd
    from napari_diffusion.filters.tensors import tensor_steps

    # Pieces, and bands for more than one thread, even of a small image.
    monkeypatch.setattr(tensor_steps, "_SMALLEST_BAND", 100)
    monkeypatch.setattr(tensor_steps, "_PIECE", 200)
    u = noise(*shape, dtype=np.float32)
    small = {"time": 0.2, "smoothing": 0.4, "condition_limit": 1.5}
    small |= {"integration": 0.5} if isinstance(component, CoherenceEnhancing) else {}
    chosen = component.replaced(**small)
    grid = Grid.of(u.shape)
    assert chosen.halo(grid)[4] < shape[-1] // 2, "there is nothing to be cut"
    image = grid.canonical(u)
    whole = chosen.apply(Block(image, grid, None, Threads(1)))
    for threads in (2, 3):
        found = chosen.apply(Block(image, grid, None, Threads(threads)))
        np.testing.assert_array_equal(found, whole)
    whole = grid.restored(whole)
    for chunks in (shape, (shape[0], *(n // 2 for n in shape[1:])), 8, (5,) * len(shape)):
        found = chosen(da.from_array(u, chunks=chunks)).compute(scheduler="synchronous")
        np.testing.assert_array_equal(found, whole)
    region = tuple(slice(n // 3, n // 2 + 1) for n in shape)
    recipe = nd.Recipe(num_steps=1, noise=None, starting_noise_scale=0.0, diffusion_filter=chosen)
    step = next(nd.steps(u, recipe.replaced(final_filter=None), region=region))
    np.testing.assert_array_equal(step.image, whole[region])


def test_limited_samples_are_the_same_for_every_cut(monkeypatch):
    """The limit looks at neighbours' stencils, twice as far as a stencil reaches."""
    from napari_diffusion.filters.tensors import tensor_steps

    monkeypatch.setattr(tensor_steps, "_SMALLEST_BAND", 100)
    at = np.mgrid[:90, :100].astype(float)
    tensors = np.zeros((2, 2, 90, 100))
    for centre in ((20, 30), (48, 50), (70, 80)):
        ray = at - np.array(centre, float)[:, None, None]
        near = np.hypot(*ray) < 16
        ray /= np.maximum(np.hypot(*ray), 1)
        tensors = np.where(near, 0.01 * np.eye(2)[:, :, None, None] + ray[:, None] * ray, tensors)
    tensors += 1e-3 * np.eye(2)[:, :, None, None]
    u = noise(90, 100, dtype=np.float32)
    whole, most = exchanged(u, tensors, tau=0.4)
    assert most > 1.2, "nothing had to be limited"
    for threads in (2, 3):
        again, _ = exchanged(u, tensors, tau=0.4, count=threads)
        np.testing.assert_array_equal(again, whole)
    halo = 2 * stencil.reach(1000.0, (1.0, 1.0))[0]
    part, _ = exchanged(u[:, 10:].copy(), np.ascontiguousarray(tensors[..., 10:]), tau=0.4)
    np.testing.assert_array_equal(part[:, halo:], whole[:, 10 + halo :])


def test_joint_channels_share_their_directions():
    """A channel without edges of its own follows those of the others."""
    y, x = np.mgrid[:30, :40]
    edge = (y + 0.7 * x > 30).astype(float)
    flat = 0.1 * noise(30, 40)
    component = EdgeEnhancing(contrast=0.1, time=2.0, smoothing=0.7)
    pair = np.stack([edge, flat])
    joint = component(pair, axes="cyx")
    apart = component(pair, axes="cyx", joint_channels=False)
    np.testing.assert_array_equal(apart[1], component(flat))
    across = [abs(out[1][edge > 0].mean() - flat[edge > 0].mean()) for out in (joint, apart)]
    assert across[0] < 0.5 * across[1]
    np.testing.assert_array_equal(component(np.stack([edge]), axes="cyx")[0], component(edge))


def test_lines_and_planes_in_space_are_told_apart():
    """Along a line one direction is fast, along a plane two are."""
    at = np.mgrid[:15, :15, :15] - 7.0
    line = np.exp(-(at[0] ** 2 + at[1] ** 2) / 4)
    plane = np.exp(-(at[0] ** 2) / 4)
    grid, middle = Grid.of(line.shape), 7 * 15 + 7
    for u, structure, expected in (
        (line, "lines", (0.001, 0.001, 1.0)),
        (plane, "lines", (0.001, 0.001, 0.001)),
        (plane, "planes", (0.001, 1.0, 1.0)),
    ):
        component = CoherenceEnhancing(contrast=0.02, smoothing=1.0, structure=structure)
        d = component.prepare(Block(grid.canonical(u), grid))[:, 0, middle, 7]
        np.testing.assert_allclose(d[[0, 3, 5]], expected, atol=0.01)
        np.testing.assert_allclose(d[[1, 2, 4]], 0, atol=1e-6)


def test_time_beside_space_has_a_scalar_of_its_own():
    """A flash is an edge in time: nothing flows from frame to frame, all the more in space."""
    u = np.zeros((5, 4, 6, 7))
    u[2] = 1.0
    grid = Grid.of(u.shape, axes="tzyx", along="tzyx")
    component = EdgeEnhancing(contrast=0.05, smoothing=0.0)
    d = component.prepare(Block(grid.canonical(u), grid))
    in_time = d[6].reshape(u.shape)
    np.testing.assert_allclose(in_time[[1, 3]], 0, atol=1e-6)
    np.testing.assert_allclose(in_time[[0, 2, 4]], 1)
    np.testing.assert_allclose(d[[0, 3, 5]], 1)
    # Averaged over time too, the neighbours of the frames that differ have it as well.
    smooth = CoherenceEnhancing(contrast=0.05, smoothing=0.0, integration=1.0)
    frame = Frame.of(grid.canonical(u).shape, grid)
    laid = frame.arranged(grid.canonical(u))
    squares = smooth._structure(laid, frame, Block(grid.canonical(u), grid))[6].reshape(u.shape)
    assert squares[2].min() > 30
    np.testing.assert_allclose(squares.sum(), 2 * 4 * 6 * 7 * 100, rtol=1e-6)


def test_stretched_samples_are_refused_by_name():
    with pytest.raises(ValueError, match=r"EdgeEnhancing: spacing=.*, more than 100: .*\."):
        EdgeEnhancing(contrast=1.0)(noise(5, 5), spacing=(1.0, 101.0))
    EdgeEnhancing(contrast=1.0)(noise(5, 5), spacing=(1.0, 100.0))


def test_too_wide_an_integration_is_refused_by_name():
    with pytest.raises(ValueError, match=r"CoherenceEnhancing: integration=.*, more than 50: "):
        CoherenceEnhancing(contrast=1.0, integration=1e9)(noise(5, 5))
