from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion import samples
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.loop.recipe_units import LengthUnit, unit_of
from napari_diffusion.samples import SAMPLES, base, face, layers, microscopy, video
from napari_diffusion.samples.phantom import EDGE, NOISE, SPACING, _Canvas, scene

NAMES = ["face", "microscopy", "phantom", "video", "damaged"]


@pytest.fixture(scope="module")
def made():
    return {name: make() for name, make in SAMPLES.items()}


def pooled(volume, factors):
    """Mean over blocks of `factors` voxels."""
    shape = [n for size, f in zip(volume.shape, factors, strict=True) for n in (size // f, f)]
    return volume.reshape(shape).mean(axis=(1, 3, 5))


def rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype=float))))


# What comes out


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "axes", "spacing", "unit", "has_truth"),
    [
        ("face", (256, 256, 3), "uint8", "yxc", (1, 1), "pixel", False),
        ("microscopy", (256, 256), "uint16", "yx", (0.107, 0.107), "micrometer", False),
        ("phantom", (48, 160, 160), "float32", "zyx", (2, 0.5, 0.5), "micrometer", True),
        ("video", (24, 128, 128), "float32", "tyx", (1, 1), "pixel", True),
        ("damaged", (160, 160), "float32", "yx", (1, 1), "pixel", True),
    ],
)
def test_shape_type_and_grid(made, name, shape, dtype, axes, spacing, unit, has_truth):
    sample = made[name]
    assert (sample.image.shape, sample.image.dtype) == (shape, dtype)
    assert (sample.axes, sample.spacing, sample.unit) == (axes, spacing, unit)
    assert sample.rgb == (name == "face")
    assert (sample.truth is not None) == has_truth
    if has_truth:
        assert (sample.truth.shape, sample.truth.dtype) == (shape, dtype)
    assert "on purpose" in sample.about


def test_every_sample_is_listed():
    assert list(SAMPLES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_two_calls_give_the_same_numbers_in_arrays_of_their_own(made, name):
    again = SAMPLES[name]()
    np.testing.assert_array_equal(again.image, made[name].image)
    assert not np.shares_memory(again.image, made[name].image)
    assert again.image.flags.writeable
    if again.truth is not None:
        np.testing.assert_array_equal(again.truth, made[name].truth)
        assert not np.shares_memory(again.truth, again.image)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_the_recipe_is_explore_for_its_pixel_size(made, name):
    sample = made[name]
    recipe, unit = nd.Recipe.from_dict(sample.recipe), unit_of(sample.recipe)
    assert unit == LengthUnit.of(sample.unit, sample.spacing)
    assert sample.recipe == json.loads(json.dumps(sample.recipe))
    start = 12.0 if name == "face" else "5 % of range"
    explore = nd.PRESETS["explore"].replaced(starting_noise_scale=start)
    assert recipe == explore.scaled(unit.pixel_size, DIGITS)
    (_, shown, _), *truth = layers(sample)
    assert shown["metadata"]["napari_diffusion_sample"]["recipe"] == sample.recipe
    assert all("recipe" not in each[1]["metadata"]["napari_diffusion_sample"] for each in truth)


def test_the_caller_s_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    for make in SAMPLES.values():
        make()
    np.testing.assert_array_equal(np.random.get_state()[1], before)


# Noise as designed: four standard errors of each number


@pytest.mark.parametrize("name", ["phantom", "video"])
def test_the_noise_on_a_truth_is_white_gaussian_of_the_stated_size(made, name):
    noise = (made[name].image - made[name].truth).astype(float) / 0.15
    count = noise.size
    assert abs(noise.mean()) < 4 / np.sqrt(count)
    assert abs(noise.var() - 1) < 4 * np.sqrt(2 / count)
    assert abs((noise**4).mean() - 3) < 4 * np.sqrt(96 / count)
    for axis in range(noise.ndim):
        beside = np.take(noise, range(1, noise.shape[axis]), axis)
        here = np.take(noise, range(noise.shape[axis] - 1), axis)
        assert abs((here * beside).mean()) < 4 / np.sqrt(here.size)
    assert NOISE == video.NOISE == 0.15


def test_the_camera_counts_photons(made):
    photons = base.shipped("cell")[247:503, 294:550] * (40 / 255)
    image = made["microscopy"].image.astype(float)
    expected = 100 + 2.2 * photons
    variance = 2.2**2 * (photons + 1.6**2) + 1 / 12
    score = (image - expected) / np.sqrt(variance)
    assert abs(score.mean()) < 4 / np.sqrt(score.size)
    assert abs(score.var() - 1) < 4 * np.sqrt((score**4).mean() / score.size)
    # Photon noise grows with the light; noise of one size would give both halves the same.
    bright = photons > 20
    assert np.var((image - expected)[bright]) > 2 * np.var((image - expected)[~bright])
    assert 0 < image.min() < 100


def test_the_sensor_has_photon_and_read_noise():
    for light in (0.0, 0.05, 0.2):
        read = face._sensor(np.full((300, 300), light))
        variance = light / 90 + (2.5 / 90) ** 2
        assert abs(read.mean() - light) < 4 * np.sqrt(variance / read.size)
        assert abs(read.var() / variance - 1) < 4 * np.sqrt(3 / read.size)


def test_the_display_curve_is_undone_exactly():
    levels = np.arange(256) / 255
    np.testing.assert_allclose(face._display(face._linear(levels)), levels, atol=1e-7)


def test_the_face_is_dim_noisy_and_blocky(made):
    image = made["face"].image.astype(float)
    clean = base.shipped("astronaut")[:256, 96:352].astype(float)
    assert image.mean() < 0.5 * clean.mean()
    # Steps between neighbouring columns: a block ends after every eighth.
    steps = np.abs(np.diff(image, axis=1)).mean(axis=(0, 2))
    ends = np.arange(255) % 8 == 7
    assert steps[ends].mean() > 1.3 * steps[~ends].mean()
    assert np.median(np.abs(np.diff(image, axis=0))) > 2 * np.median(np.abs(np.diff(clean, axis=0)))


def test_the_damaged_face_lacks_parts_and_its_recipe_restores_them(made):
    sample = made["damaged"]
    missing = np.isnan(sample.image)
    assert 0.05 < missing.mean() < 0.1
    noise = (sample.image - sample.truth)[~missing].astype(float)
    assert abs(noise.mean()) < 4 * 0.02 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * noise.size))
    assert sample.truth.max() <= 0.25
    recipe = nd.Recipe.from_dict(sample.recipe)
    measurement = nd.measurements.Masked(noise_sigma=0.02)
    assert recipe == nd.PRESETS["restore holes"].replaced(measurement=measurement)
    restored = nd.run(sample.image, recipe, missing="ignore").image
    error = restored - sample.truth
    filled = np.where(missing, sample.truth[~missing].mean(), sample.image) - sample.truth
    assert rms(error[missing]) < 0.6 * rms(filled[missing])
    assert rms(error[~missing]) < 0.7 * rms(filled[~missing])
    assert all(np.isfinite(each[1]["contrast_limits"]).all() for each in layers(sample))


# Scenes


def test_the_phantom_is_the_same_scene_in_coarser_voxels():
    fine = scene(SPACING)
    np.testing.assert_allclose(scene((4.0, 1.0, 1.0)), pooled(fine, (2, 2, 2)), atol=1e-6)
    np.testing.assert_allclose(scene((6.0, 0.5, 2.0)), pooled(fine, (3, 1, 4)), atol=1e-6)


@pytest.mark.parametrize(
    ("spacing", "factors", "most", "typical"),
    [((0.25, 0.5, 0.5), (8, 1, 1), 0.03, 0.001), ((2.0, 0.25, 0.5), (1, 2, 1), 0.06, 0.002)],
)
def test_the_phantom_is_the_same_scene_in_finer_voxels(made, spacing, factors, most, typical):
    truth = made["phantom"].truth
    difference = pooled(scene(spacing), factors) - truth
    assert np.abs(difference).max() < most
    assert rms(difference) < typical
    # The scene half a fine voxel away would be told apart.
    axis = factors.index(max(factors))
    assert rms(np.diff(truth, axis=axis)) * spacing[axis] / 2 / SPACING[axis] > typical


def test_the_phantom_has_what_it_says(made):
    truth = made["phantom"].truth
    assert truth.min() == np.float32(0.1)
    assert 0.9 < truth.max() <= 1.0

    def at(z, y, x):
        return truth[int(z / 2), int(y / 0.5), int(x / 0.5)]

    assert at(50, 20, 54) == np.float32(0.1)
    for wall in [(50, 20 + 13, 54), (50, 20 - 13, 54), (50, 20, 54 + 13), (50, 20, 54 - 13)]:
        assert at(*wall) > 0.5
    # A membrane parts the box: no line along z gets past the first one.
    assert truth[:20].max(axis=0).min() > 0.35


@pytest.fixture
def canvas():
    """Voxels of a quarter of a micrometre in a cube of 20."""
    return _Canvas(*[np.arange(0.125, 20, 0.25, dtype=np.float32)] * 3)


def filled(canvas, axis=None):
    """What a thing of brightness 1.1 fills, in micrometres to the power of the axes summed over."""
    part = (canvas.volume.astype(float) - 0.1) / 1.0
    return part.sum(axis) * 0.25 ** (3 if axis is None else 1)


# An edge that falls off over EDGE puts the surface at a distance with the variance EDGE**2 / 20.


def test_a_ball_has_the_volume_of_a_ball(canvas):
    canvas.ball((10.1, 9.9, 10.03), 3.0, 1.1)
    volume = 4 / 3 * np.pi * (3.0**3 + 3 * 3.0 * EDGE**2 / 20)
    assert filled(canvas) == pytest.approx(volume, rel=2e-3)


def test_a_vesicle_has_the_volume_of_its_shell(canvas):
    canvas.vesicle((10.1, 9.9, 10.03), 6.0, 1.5, 1.1)
    outer, inner = (4 / 3 * np.pi * (r**3 + 3 * r * EDGE**2 / 20) for r in (6.75, 5.25))
    assert filled(canvas) == pytest.approx(outer - inner, rel=2e-3)


def test_a_tube_has_the_volume_of_a_rod_with_round_ends(canvas):
    ends = np.array([[4.0, 5.0, 6.0], [9.0, 9.0, 10.0], [14.0, 13.0, 14.0]])
    canvas.tube(ends, 1.5, 1.1)
    rod = np.linalg.norm(ends[2] - ends[0]) * np.pi * (1.5**2 + EDGE**2 / 20)
    caps = 4 / 3 * np.pi * (1.5**3 + 3 * 1.5 * EDGE**2 / 20)
    assert filled(canvas) == pytest.approx(rod + caps, rel=2e-3)


@pytest.mark.parametrize("across", [0, 1, 2])
def test_a_tilted_sheet_keeps_its_thickness(canvas, across):
    # So long a wave is a plane here: it rises by a half along one axis, a quarter along the other.
    long = 2 * np.pi * 1e5
    canvas.sheet(across, 2.0, (0.5e5, long, 0.0), (0.25e5, long, 0.0), 1.6, 1.1)
    seen = filled(canvas, across)
    thickness = 1.6 * np.sqrt(1 + 0.5**2 + 0.25**2)
    # Where the sheet leaves the cube it is cut.
    np.testing.assert_allclose(seen[8:48, 8:48], thickness, rtol=0.01)


def test_a_box_that_is_not_whole_voxels_is_refused():
    with pytest.raises(ValueError, match=r"spacing along z is 7\.0.*96 divided by"):
        scene((7.0, 0.5, 0.5))
    with pytest.raises(ValueError, match=r"spacing along x is 0\.0"):
        scene((2.0, 0.5, 0.0))


def test_things_in_the_video_move_and_blink(made):
    truth = made["video"].truth
    brightest = [np.unravel_index(frame[28:].argmax(), (100, 128)) for frame in truth]
    assert len(set(brightest)) > 12
    for number in range(6):
        spot = truth[:, 14, 14 + 20 * number]
        assert set(np.unique(spot >= 1.0)) == {False, True}
    # The background stands still: most pixels never see anything pass.
    assert (np.ptp(truth, axis=0) == 0).mean() > 0.5


# Nothing from outside


def test_nothing_is_downloaded(monkeypatch, made):
    def refused(*args, **kwargs):
        raise AssertionError("a sample asked for the network")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refused)
    monkeypatch.setattr(socket.socket, "connect", refused)
    for make in SAMPLES.values():
        make()
    skimage = pytest.importorskip("skimage")
    for name in ("astronaut", "cell"):
        assert (Path(skimage.__file__).parent / "data" / f"{name}.png").is_file()


def test_importing_the_samples_is_light():
    code = (
        "import sys, napari_diffusion.samples as s; s.phantom(); s.video_layers();"
        "print([m for m in ('napari', 'qtpy', 'skimage', 'scipy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_scikit_image_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ModuleNotFoundError, match=r"'cell'.*pip install scikit-image"):
        microscopy.noisy_microscopy()


# In napari


@pytest.mark.parametrize("name", NAMES)
def test_layers_hold_the_image_then_its_truth(made, name):
    sample = made[name]
    (image, shown, kind), *rest = layers(sample)
    assert image is sample.image
    assert kind == "image"
    assert shown["name"] == sample.name
    note = shown["metadata"]["napari_diffusion_sample"]
    assert note == {
        "name": sample.name,
        "role": "image",
        "synthetic": True,
        "about": sample.about,
        "recipe": sample.recipe,
    }
    assert len(rest) == (sample.truth is not None)
    for truth, hidden, _ in rest:
        assert truth is sample.truth
        assert hidden["name"] == f"{sample.name} · ground truth"
        assert hidden["visible"] is False
        assert hidden["contrast_limits"] == shown["contrast_limits"]
        assert hidden["metadata"]["napari_diffusion_sample"]["role"] == "truth"


@pytest.mark.parametrize("name", NAMES)
def test_contrast_limits_leave_out_only_the_rarest_values(made, name):
    sample = made[name]
    limits = layers(sample)[0][1].get("contrast_limits")
    if sample.rgb:
        assert limits is None
        return
    low, high = limits
    outside = np.mean((sample.image < low) | (sample.image > high))
    assert 0 < outside < 0.003


@pytest.mark.parametrize("name", NAMES)
def test_napari_shows_them(made, name):
    pytest.importorskip("napari")
    from napari.components import ViewerModel
    from napari.layers import Layer

    sample = made[name]
    viewer = ViewerModel()
    for data in getattr(samples, f"{name}_layers")():
        viewer.add_layer(Layer.create(*data))
    assert viewer.layers.selection.active is viewer.layers[-1]
    assert [layer.visible for layer in viewer.layers] == [False] * (len(viewer.layers) - 1) + [True]
    shown = viewer.layers[-1]
    axes = sample.axes.removesuffix("c")
    space = dict(zip(axes[-len(sample.spacing) :], sample.spacing, strict=True))
    assert shown.name == sample.name
    assert shown.rgb == sample.rgb
    assert shown.axis_labels == tuple(axes)
    assert shown.scale.tolist() == [space.get(axis, 1) for axis in axes]
    assert [str(unit) for unit in shown.units] == [
        sample.unit if axis in space else "pixel" for axis in axes
    ]
    if not sample.rgb:
        assert shown.contrast_limits == list(layers(sample)[0][1]["contrast_limits"])
