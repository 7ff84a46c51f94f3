"""Frames that stand still and runs that return, in computed sequences and in one as recorded."""

from __future__ import annotations

import functools
import io
import os

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_diffusion.forensics import Frames
from napari_diffusion.forensics.sequence.frame_distance import running_median


@functools.cache
def moving(frames=60, side=64, seed=0):
    """Return a texture that is moved about, without noise."""
    random = np.random.default_rng(seed)
    texture = ndimage.gaussian_filter(random.normal(size=(side + 120,) * 2), 2)
    texture = 128 + 40 * texture / texture.std()
    angles = random.uniform(0, 2 * np.pi, frames)
    places = np.cumsum(np.stack([np.sin(angles), np.cos(angles)], 1), 0) + 50
    return np.stack([
        ndimage.shift(texture, -place, order=1, mode="grid-wrap")[:side, :side] for place in places
    ])  # fmt: skip


def noisy(frames, sigma=2.0, seed=5):
    return frames + np.random.default_rng(seed).normal(0, sigma, frames.shape)


def compressed(frames):
    """Return the frames after JPEG with a quality that changes, as that of video does."""
    out = []
    for i, frame in enumerate(np.clip(np.rint(frames), 0, 255).astype(np.uint8)):
        with io.BytesIO() as file:
            Image.fromarray(frame).save(file, "JPEG", quality=70 + 7 * i % 20)
            out.append(np.array(Image.open(file)))
    return np.stack(out)


def lengthened(frames):
    """Return frames of which 30–37 stand still and 45–54 return to 10–19."""
    out = frames.copy()
    out[30:38], out[45:55] = out[30], frames[10:20]
    return out


def ratios(reading):
    return {number.name: number.value for number in reading.numbers}


def ultrasound():
    pydicom = pytest.importorskip("pydicom")
    folder = os.path.dirname(pydicom.__file__)
    return pydicom.dcmread(f"{folder}/data/test_files/examples_ybr_color.dcm").pixel_array


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "change",
    [
        lambda frames: lengthened(noisy(frames)),
        lambda frames: noisy(lengthened(frames)),
        lambda frames: compressed(lengthened(noisy(frames))),
        lambda frames: compressed(lengthened(noisy(frames))) * 0.01 + 3,
    ],
    ids=["to the bit", "new noise", "compressed", "other units"],
)
def test_still_and_repeated_frames_are_found(change, seed):
    found = ratios(Frames()(change(moving(seed=seed)), axes="tyx"))
    assert found["frames 45–54 after 10–19"] < 0.25
    still = [name for name in found if name.endswith("among themselves")]
    assert still[0] == "frames 30–37 among themselves"
    assert found[still[0]] < 0.35


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("change", [noisy, lambda frames: compressed(noisy(frames))])
def test_nothing_is_found_in_a_sequence_that_goes_on(change, seed):
    reading = Frames()(change(moving(seed=seed)), axes="tyx")
    assert reading.remarks == ("Nothing that this method can see.",)
    assert ratios(reading)["least distance of two runs apart / of neighbours"] > 0.6


@functools.cache
def swinging(frames=90, side=64, seed=0):
    """Return a texture that swings to and fro, and so is slow at every turn."""
    random = np.random.default_rng(seed)
    texture = 128 + 400 * ndimage.gaussian_filter(random.normal(size=(side, 4 * side)), 2)
    places = 20 * np.cos(0.11 * np.arange(frames) + 0.4)
    return np.stack([
        ndimage.shift(texture, (0, place), order=1)[:, side : 2 * side] for place in places
    ])  # fmt: skip


@pytest.mark.parametrize("change", [lambda frames: frames, compressed])
def test_slow_steps_are_not_still(change):
    """At the turns a step has a third of the usual change, as have those around it."""
    frames = noisy(swinging())
    frozen = frames.copy()
    frozen[40:49] = frozen[40]
    untouched, reading = (Frames()(change(each), axes="tyx") for each in (frames, frozen))
    curves = {curve.name: np.array(curve.y) for curve in untouched.curves}
    assert (curves["change to the next frame"] / curves["usual change"]).min() < 0.4
    assert not [name for name in ratios(untouched) if name.endswith("among themselves")]
    assert [name for name in ratios(reading) if name.endswith("among themselves")] == [
        "frames 40–48 among themselves"
    ]


def test_slow_steps_without_noise_cannot_be_told():
    """They differ by nothing else: that is said of every sequence."""
    reading = Frames()(swinging(), axes="tyx")
    assert "where nothing moves" in " ".join(reading.remarks)


def test_noise_alone_is_as_usual():
    reading = Frames()(noisy(np.full((40, 32, 32), 100.0)), axes="tyx")
    assert reading.remarks == ("Nothing that this method can see.",)
    assert ratios(reading)["least change to the next frame / next larger one"] > 0.9


def test_a_long_still_run_is_found_to_the_bit():
    frames = noisy(moving())
    frames[5:50] = frames[5]
    reading = Frames()(frames, axes="tyx")
    assert ratios(reading)["frames 5–49 among themselves"] == 0
    assert not any(" after " in name for name in ratios(reading)), "still frames are no return"


def test_single_frames_that_return_are_found_to_the_bit():
    frames = noisy(moving())
    frames[40] = frames[3]
    (remark,) = Frames()(frames, axes="tyx").remarks
    assert "40 with 3" in remark


def test_blank_frames_are_no_return():
    frames = noisy(moving())
    frames[3] = frames[30] = 0
    assert not any("to the bit" in remark for remark in Frames()(frames, axes="tyx").remarks)


def test_only_the_mask_is_compared():
    frames, clock = noisy(moving()), np.zeros((60, 64, 64), bool)
    frames[20:26] = frames[20]
    clock[:, :9, :9] = True
    frames[clock] += 50 * np.arange(60).repeat(81) % 97
    found = ratios(Frames()(frames, axes="tyx", mask=~clock))
    assert found["frames 20–25 among themselves"] == 0
    assert "frames 20–25 among themselves" not in {
        name for name, value in ratios(Frames()(frames, axes="tyx")).items() if value == 0
    }


def test_recorded_frames_that_fill_gaps_are_found():
    reading = Frames()(ultrasound(), axes="tyxc", rgb=True)
    found = ratios(reading)
    assert found["frames 10–11 among themselves"] == found["frames 27–28 among themselves"] == 0
    assert found["least distance of two runs apart / of neighbours"] > 2


def test_a_repeated_part_of_a_recording_is_found():
    frames = ultrasound().astype(float)
    frames[20:28] = frames[2:10]
    found = ratios(Frames()(noisy(frames), axes="tyxc", rgb=True))
    assert found["frames 20–27 after 2–9"] < 0.25


def test_curves_say_what_is_usual():
    curves = Frames()(lengthened(noisy(moving())), axes="tyx").curves
    by_plot = {
        label: [c for c in curves if c.y_label == label] for label in {c.y_label for c in curves}
    }
    assert len(by_plot) == 2
    assert all(sum(curve.is_null for curve in plot) == 1 for plot in by_plot.values())
    assert all(len(curve.x) == len(curve.y) and np.isfinite(curve.y).all() for curve in curves)


def test_running_median_leaves_out_what_is_missing():
    values = np.array([1.0, np.nan, 3.0, 5.0, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(
        running_median(values, 3), [1.0, 2.0, 4.0, 4.0, 5.0, np.nan, np.nan]
    )


def test_blank_sequences_have_nothing_to_read():
    with pytest.raises(ValueError, match="one intensity"):
        Frames()(np.zeros((5, 8, 8)), axes="tyx")
    with pytest.raises(ValueError, match="in the mask in every frame"):
        Frames()(
            noisy(moving(3)), axes="tyx", mask=np.eye(3, 64, dtype=bool)[:, None].repeat(64, 1)
        )
