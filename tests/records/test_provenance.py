"""Records of what was done."""

from __future__ import annotations

import json
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.loop.recipe_units import LengthUnit, unit_of
from napari_diffusion.records import provenance
from napari_diffusion.records.provenance import content_hash, grid_of, plain, recipe_of, record

IMAGE = np.random.default_rng(3).random((12, 16))
GRID = {"axes": "yx", "spacing": (1 / 3, 0.1)}
RECIPE = nd.Recipe(
    num_steps=3,
    starting_noise_scale=1 / 3,
    diffusion_filter=nd.filters.PeronaMalik(contrast=0.125, time=1e-4),
    final_filter=nd.filters.Heat(time=65535.0 / 2**30),
    seed=2**64 - 1,
)


def made(recipe=RECIPE, **options):
    resolved = recipe.resolved(IMAGE, **(options or GRID))
    return resolved, list(nd.steps(IMAGE, resolved, **(options or GRID)))


def test_a_step_is_made_again_from_its_record_alone():
    recipe, steps = made(nd.PRESETS["explore"].replaced(num_steps=3))
    text = json.dumps(record(recipe, steps[2], GRID, "face"), allow_nan=False)
    kept = json.loads(text)
    assert recipe_of(kept) == recipe
    again = list(nd.steps(IMAGE, recipe_of(kept), **grid_of(kept)))[kept["step"]]
    np.testing.assert_array_equal(again.image, steps[2].image)


def test_the_unit_of_length_stands_with_the_grid():
    recipe, steps = made()
    kept = json.loads(json.dumps(record(recipe, steps[1], GRID, "face", unit="micrometer")))
    assert kept["grid"]["unit"] == "micrometer"
    assert "unit" not in kept
    assert grid_of(kept) == grid_of(record(recipe, steps[1], GRID, "face"))
    assert unit_of(kept) == LengthUnit("µm", 0.1)


def test_what_was_asked_for_stays_with_a_run_that_goes_on():
    recipe, steps = made(nd.PRESETS["explore"].replaced(num_steps=3))
    kept = record(recipe, steps[0], GRID, "face")
    asked = {"starting_noise_scale": "5 % of range", "diffusion_filter.contrast": "auto"}
    assert kept["asked"] == recipe_of(kept).asked == asked
    again = record(recipe_of(kept), steps[1], GRID, "face", first_step=1)
    assert again["asked"] == asked
    assert "(5 % of range) at the start" in kept["processed"]
    assert "asked" not in record(*made_first(RECIPE), GRID, "face")


def made_first(recipe):
    resolved, steps = made(recipe)
    return resolved, steps[0]


def test_numbers_are_exact():
    recipe, steps = made()
    kept = json.loads(json.dumps(record(recipe, steps[1], GRID, "face")))
    assert kept["seed"] == 2**64 - 1
    assert kept["noise_scale"] == steps[1].noise_scale
    assert kept["grid"]["spacing"] == [1 / 3, 0.1]
    assert recipe_of(kept) == recipe


def test_the_keys_are_the_ones_agreed_on():
    recipe, steps = made()
    kept = record(recipe, steps[-1], GRID, "face", first_step=1)
    assert list(kept) == [
        "schema",
        "recipe",
        "step",
        "is_final",
        "noise_scale",
        "seed",
        "grid",
        "source",
        "first_step",
        "versions",
        "processed",
    ]
    assert (kept["step"], kept["is_final"], kept["noise_scale"]) == (3, True, 0.0)
    assert (kept["source"], kept["first_step"]) == ("face", 1)
    assert list(kept["grid"]) == ["axes", "spacing", "along", "joint_channels", "rgb"]
    assert list(kept["versions"]) == [
        "napari-diffusion",
        "numpy",
        "numba",
        "scipy",
        "python",
        "processor",
    ]
    assert kept["versions"]["numpy"] == np.__version__


def test_the_grid_is_complete_even_where_the_options_are_not():
    recipe, steps = made(RECIPE, axes="yx")
    grid = record(recipe, steps[0], {}, "face")["grid"]
    assert grid == {
        "axes": "yx",
        "spacing": [1.0, 1.0],
        "along": "yx",
        "joint_channels": True,
        "rgb": False,
    }


def test_a_recipe_that_says_auto_is_refused():
    _, steps = made()
    with pytest.raises(ValueError, match=r"still has '5 % of range'.*resolved"):
        record(nd.PRESETS["explore"], steps[0], GRID, "face")


def test_numpy_numbers_become_plain_ones():
    recipe, steps = made()
    kept = record(
        recipe,
        steps[0],
        {**GRID, "joint_channels": np.True_},
        "face",
        region=(slice(np.int64(1), 2),),
    )
    assert json.loads(json.dumps(kept))["region"] == [[1, 2]]
    assert plain(np.float32(0.5)) == 0.5


def test_further_entries_that_are_none_are_left_out():
    recipe, steps = made()
    assert "cast" not in record(recipe, steps[0], GRID, "face", cast=None)


def test_a_mask_is_kept_by_its_content_and_asked_for_again():
    recipe, steps = made()
    mask = IMAGE > 0.5
    kept = record(recipe, steps[0], {**GRID, "mask": mask}, "face")
    assert kept["grid"]["mask"] == {"sha256": content_hash(mask)}
    with pytest.raises(ValueError, match="mask"):
        grid_of(kept)


def test_holes_are_kept():
    recipe, steps = made()
    kept = record(recipe, steps[0], {**GRID, "missing": "ignore"}, "face")
    assert grid_of(kept)["missing"] == "ignore"


@pytest.mark.parametrize(
    "same",
    [
        IMAGE[:, :],
        np.asfortranarray(IMAGE),
        np.ascontiguousarray(IMAGE[::-1])[::-1],
        da.from_array(IMAGE, chunks=(5, 7)),
    ],
    ids=["view", "fortran", "reversed", "dask"],
)
def test_the_hash_is_of_the_values_not_of_their_layout(same):
    assert content_hash(same) == content_hash(IMAGE)


@pytest.mark.parametrize(
    "other",
    [IMAGE.astype(np.float32), IMAGE.reshape(16, 12), np.nextafter(IMAGE, 2), IMAGE.T],
    ids=["type", "shape", "last bit", "transposed"],
)
def test_the_hash_tells_arrays_apart(other):
    assert content_hash(other) != content_hash(IMAGE)


def test_the_sentence_says_that_noise_was_added_and_how_much():
    recipe, steps = made()
    words = record(recipe, steps[1], GRID, "face")["processed"]
    assert "not raw data" in words
    assert "'face' after 2 of 3 steps" in words
    assert "Gaussian noise added on purpose (standard deviation 0.3333 at the start" in words
    assert f"random seed {2**64 - 1}" in words
    assert "Perona–Malik (time 0.0001" in words
    assert "final filter" not in words
    final = record(recipe, steps[-1], GRID, "face")["processed"]
    assert "final filter Linear diffusion (time 6.103e-05)" in final


def test_the_sentence_says_that_there_was_no_noise():
    recipe, steps = made(RECIPE.replaced(noise=None))
    words = record(recipe, steps[0], GRID, "face")["processed"]
    assert "1 of 3 steps of Perona–Malik" in words
    assert ", without added noise" in words


def test_the_sentence_says_what_a_run_went_on_from():
    recipe, steps = made()
    longer = recipe.replaced(stop_at=5)
    (on, *_) = nd.steps(steps[2].image, longer, first_step=3, **GRID)
    words = record(longer, on, GRID, "face", first_step=3)["processed"]
    assert "4 of 5 steps" in words
    assert "continued from step 3, beyond the end of the schedule" in words


def test_importing_it_is_light():
    code = (
        "import sys, napari_diffusion.records.provenance; "
        "print([n for n in ('numba', 'scipy', 'dask', 'napari', 'llvmlite') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_versions_say_when_a_library_is_missing(monkeypatch):
    import importlib.metadata

    real = importlib.metadata.version

    def version(name):
        if name == "scipy":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    provenance.versions.cache_clear()
    try:
        assert provenance.versions()["scipy"] == "unknown"
    finally:
        provenance.versions.cache_clear()
