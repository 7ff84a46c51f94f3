"""What can be made again from a record, and what an output then differs in."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
import zarr

from napari_diffusion.cli import main
from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.io import memory, read_record
from napari_diffusion.noise import NOISES
from napari_diffusion.records import provenance
from napari_diffusion.runs.verification import replay, replayed_run
from napari_diffusion.runs.verification.verdict import Verdict
from napari_diffusion.runs.verification.verification import verify

SHORT = ["--steps", "2", "--quiet"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image(shape, dtype="float32"):
    values = np.random.default_rng(0).random(shape) * 200 + 20
    return values.astype(dtype)


def verdict(path, *more):
    found = verify(path, *more)
    assert found.holds == (found.verdict in ("identical", "identical within the tolerance"))
    return found.verdict


@pytest.mark.parametrize("output", ["b.zarr", "b.ome.tif", "b.npy", "b"])
@pytest.mark.parametrize(
    ("axes", "shape", "dtype"),
    [
        ("yxc", (12, 14, 3), "uint8"),
        ("yxc", (12, 14, 4), "uint8"),
        ("cyx", (2, 12, 14), "uint16"),
        ("xyt", (14, 12, 2), "float64"),
        ("tzyx", (2, 1, 12, 14), "int16"),
    ],
)
def test_the_order_of_axes_and_the_type_do_not_matter(folder, axes, shape, dtype, output):
    np.save("a.npy", image(shape, dtype))
    words = ["--axes", axes, "--dtype", "source", *SHORT] + ["--rgb"] * (axes == "yxc")
    assert main(["run", "a.npy", output, *words]) == 0
    path = folder / output
    if not path.exists():
        path = folder / "b"  # several files hold what one cannot
    assert verdict(path) is Verdict.IDENTICAL


def test_all_formats_have_one_hash(folder):
    np.save("a.npy", image((12, 14, 3), "uint8"))
    found = set()
    for name in ("b.zarr", "b.ome.tif", "b.npy"):
        words = ["--axes", "yxc", "--rgb", "--keep", "last", *SHORT]
        assert main(["run", "a.npy", name, *words]) == 0
        record = read_record(folder / name)
        found.add((record["hashes"]["input"], record["hashes"]["output"]))
        assert verdict(folder / name) is Verdict.IDENTICAL
    assert len(found) == 1


@pytest.mark.parametrize("noise", [each.__name__ for each in NOISES if each.__name__ != "Sum"])
def test_added_noise_is_replayed(folder, noise):
    np.save("a.npy", image((12, 14)))
    assert main(["noise", "a.npy", "b.ome.tif", "--noise", noise, "--seed", "5", "--quiet"]) == 0
    assert verdict(folder / "b.ome.tif") is Verdict.IDENTICAL


@pytest.mark.parametrize("words", [["--scale", "own", "--set", "gain=0.5"], ["--scale", "7"]])
def test_noise_of_its_own_strength_is_replayed(folder, words):
    np.save("a.npy", image((12, 14), "uint16"))
    more = ["--noise", "Poisson", "--dtype", "source", "--quiet", *words]
    assert main(["noise", "a.npy", "b.npy", *more]) == 0
    assert verdict(folder / "b.npy") is Verdict.IDENTICAL


@pytest.mark.parametrize("output", ["b.zarr", "b.npy", "b.ome.tif"])
def test_a_filter_is_replayed(folder, output):
    np.save("a.npy", image((12, 14), "uint8"))
    more = ["--filter", "Median", "--dtype", "source", "--quiet"]
    assert main(["filter", "a.npy", output, *more]) == 0
    assert verdict(folder / output) is Verdict.IDENTICAL


def test_a_mask_is_given_again(folder):
    np.save("a.npy", image((12, 14)))
    mask = np.zeros((12, 14), bool)
    mask[3:9] = True
    np.save("mask.npy", mask)
    np.save("other.npy", ~mask)
    assert main(["run", "a.npy", "b.npy", "--mask", "mask.npy", *SHORT]) == 0
    assert main(["run", "a.npy", "c.npy", *SHORT]) == 0
    b, a = folder / "b.npy", folder / "a.npy"
    assert "Not replayed: the run had a mask, give it with --mask." in verify(b).findings
    assert verify(b).verdict is Verdict.INTACT
    assert verdict(b, a, folder / "mask.npy") is Verdict.IDENTICAL
    assert verdict(b, a, folder / "other.npy") is Verdict.DIFFERENT
    assert verify(b, a, folder / "other.npy").findings[-1].startswith("The mask is not that of")
    assert verdict(folder / "c.npy", a, folder / "mask.npy") is Verdict.DIFFERENT


def test_missing_values_are_the_same_bits(folder):
    values = image((12, 14))
    values[3, 4] = np.nan
    np.save("a.npy", values)
    assert main(["run", "a.npy", "b.npy", "--missing", "ignore", *SHORT]) == 0
    assert verdict(folder / "b.npy") is Verdict.IDENTICAL


# Other versions


def rewritten(path, change):
    """Change the values of a step and its hash, as another processor would have written them."""
    from napari_diffusion.core.merkle_hash import hash_of
    from napari_diffusion.io.step_record import sealed

    values = np.load(path)
    change(values)
    np.save(path, values)
    file = path.with_name(f"{path.name}.recipe.json")
    record = json.loads(file.read_text("utf-8"))
    for step, each in zip(record["steps"], values, strict=True):
        step["sha256"] = hash_of(each)
    file.write_text(json.dumps(sealed(record)), "utf-8")


def nudged(values):
    values[1, 5, 6] = np.nextafter(values[1, 5, 6], np.float32(np.inf))


def changed(values):
    values[1, 5, 6] += 0.1


def pierced(values):
    values[1, 5, 6] = np.nan


@pytest.mark.parametrize(
    ("change", "other", "expected"),
    [
        (nudged, True, Verdict.WITHIN),
        (nudged, False, Verdict.DIFFERENT),
        (changed, True, Verdict.DIFFERENT),
        (pierced, True, Verdict.DIFFERENT),
    ],
)
def test_other_versions_may_differ_a_little(folder, monkeypatch, change, other, expected):
    np.save("a.npy", image((12, 14)))
    assert main(["run", "a.npy", "b.npy", *SHORT]) == 0
    rewritten(folder / "b.npy", change)
    assert verify(folder / "b.npy").verdict is not Verdict.BROKEN
    if other:
        now = {**provenance.versions(), "numpy": "99", "processor": "abacus"}
        monkeypatch.setattr(replayed_run, "versions", lambda: now)
    found = verify(folder / "b.npy")
    assert found.verdict is expected
    assert ("replayed with numpy 99, processor abacus." in found.text()) == other
    if expected is Verdict.WITHIN:
        assert "within 1e-05 of the range of the step." in found.text()
    else:
        assert "different from step 1 on; the greatest difference" in found.text()


def test_rounded_values_may_differ_by_a_grey_level(folder, monkeypatch):
    np.save("a.npy", image((12, 14), "uint8"))
    assert main(["run", "a.npy", "b.npy", "--dtype", "source", *SHORT]) == 0
    now = {**provenance.versions(), "processor": "abacus"}
    monkeypatch.setattr(replayed_run, "versions", lambda: now)

    def added(count):
        def change(values):
            values[1, 5, 6] += count

        return change

    rewritten(folder / "b.npy", added(1))
    assert verdict(folder / "b.npy") is Verdict.WITHIN
    assert "within one grey level." in verify(folder / "b.npy").text()
    rewritten(folder / "b.npy", added(1))
    assert verdict(folder / "b.npy") is Verdict.DIFFERENT


# What is not replayed


def test_functions_run_only_if_they_may(folder):
    np.save("a.npy", image((12, 14)))
    words = ["--set", "diffusion_filter=Custom", "--set", "diffusion_filter.function=numpy:abs"]
    assert main(["run", "a.npy", "b.npy", *words, "--allow-code", *SHORT]) == 0
    with pytest.raises(CodeRefused):
        verify(folder / "b.npy")
    assert verdict(folder / "b.npy", None, None, True) is Verdict.IDENTICAL


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"first_step": 4}, "the run went on from step 4 of another one"),
        ({"grid": {"axes": "cyx"}, "channel": 0, "layers": ["a"]}, "a stack of several layers"),
        ({"layer_axes": "?yx"}, "further axes of the source were folded"),
    ],
)
def test_it_says_why_a_run_cannot_be_replayed(folder, entries, why):
    from napari_diffusion.io.step_record import sealed

    shape = (2, 12, 14) if "grid" in entries else (12, 14)
    np.save("a.npy", image(shape))
    axes = ["--axes", "cyx"] if "grid" in entries else []
    assert main(["run", "a.npy", "b.npy", *axes, *SHORT]) == 0
    file = folder / "b.npy.recipe.json"
    record = json.loads(file.read_text("utf-8"))
    more = {name: each for name, each in entries.items() if name != "grid"}
    file.write_text(json.dumps(sealed({**record, **more})), "utf-8")
    found = verify(folder / "b.npy", folder / "a.npy")
    assert (found.verdict, found.holds) == (Verdict.INTACT, True)
    assert why in found.findings[-1]


def test_a_region_is_replayed(folder):
    import napari_diffusion as nd
    from napari_diffusion.io import Output, Source

    values, region = image((12, 14)), (slice(2, 9), slice(3, 14))
    np.save("a.npy", values)
    recipe = nd.Recipe(num_steps=2, starting_noise_scale=3.0).resolved(values)
    part = Source(name="a.npy", image=values[region], axes="yx")
    grid = {"axes": "yx", "spacing": (1.0, 1.0)}
    with Output(folder / "b.zarr", part, 2, np.dtype("f4")) as output:
        for step in list(nd.steps(values, recipe, region=region))[:2]:
            made = provenance.record(recipe, step, grid, "a.npy", region=region)
            output.write(step.image, made)
    assert verdict(folder / "b.zarr") is Verdict.IDENTICAL


def test_no_file_outside_of_the_folder_is_looked_for(folder):
    (folder / "in").mkdir()
    np.save("a.npy", image((12, 14)))
    assert main(["run", "a.npy", "in/b.npy", *SHORT]) == 0
    from napari_diffusion.io.step_record import sealed

    file = folder / "in" / "b.npy.recipe.json"
    record = json.loads(file.read_text("utf-8"))
    for name in ("../a.npy", str(folder / "a.npy"), "b.npy", "", "."):
        file.write_text(json.dumps(sealed({**record, "source": name})), "utf-8")
        assert verify(folder / "in" / "b.npy").verdict is Verdict.INTACT


# Large images


def test_an_image_in_parts_is_compared_in_parts(folder, monkeypatch):
    group = zarr.create_group("a.zarr")
    stored = group.create_array("0", shape=(12, 32, 32), chunks=(4, 16, 16), dtype="f4")
    stored[...] = image((12, 32, 32))
    scale = {"type": "scale", "scale": [1.0, 1.0, 1.0]}
    level = {"path": "0", "coordinateTransformations": [scale]}
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    assert main(["run", "a.zarr", "b.zarr", *SHORT]) == 0
    monkeypatch.setattr(memory, "free_memory", lambda: 340_000)
    monkeypatch.setattr("napari_diffusion.io.ome_zarr.reader.fits", lambda *_: False)
    kinds = []
    again = replay.replayed

    def noted(source, *arguments, **options):
        kinds.append(type(source).__module__.split(".")[0])
        return again(source, *arguments, **options)

    monkeypatch.setattr(replayed_run, "replayed", noted)
    assert verdict(folder / "b.zarr") is Verdict.IDENTICAL
    assert kinds == ["dask"]


def test_a_file_that_is_no_output_is_refused(folder):
    tifffile.imwrite("a.tif", image((12, 14)))
    (folder / "empty").mkdir()
    for name in ("a.tif", "empty"):
        with pytest.raises(ValueError, match=f"{name}' is no result of napari-diffusion"):
            verify(folder / name)
    with pytest.raises(FileNotFoundError):
        verify(folder / "none.tif")
