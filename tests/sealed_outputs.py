"""Outputs with the hashes of their values and records, and the ways in which they are damaged."""

from __future__ import annotations

import json

import numpy as np
import tifffile
import zarr

from napari_diffusion.cli import main

KEY = "napari_diffusion"


#: Outputs of one run, and the options that ask for them.
KINDS = {
    "run.zarr": [],
    "stack.zarr": ["--stack"],
    "one.zarr": ["--keep", "last"],
    "folder": [],
    "run.ome.tif": [],
    "run.npy": [],
    "imagej.tif": ["--imagej"],
    "one.mrc": ["--keep", "last"],
    "one.nii": ["--keep", "last"],
}

_OPTIONS = ["--steps", "3", "--seed", "7", "--set", "final_filter=none", "--quiet"]


def write_outputs(folder):
    """Run the loop on an image once for each kind of output."""
    image = np.random.default_rng(0).random((4, 20, 24), dtype=np.float32)
    np.save(folder / "a.npy", image)
    np.save(folder / "other.npy", image + np.float32(0.5))
    for name, options in KINDS.items():
        words = ["run", str(folder / "a.npy"), str(folder / name), *options, *_OPTIONS]
        assert main(words) == 0


def step_arrays(path):
    """Return the arrays of a store, and where the steps are in each of them."""
    if (path / "steps").is_dir():
        folders = sorted(each / "0" for each in (path / "steps").glob("[0-9]*"))
        return [(folder, ()) for folder in folders]
    array = zarr.open_array(path / "0", mode="r")
    return [(path / "0", (k,)) for k in range(3)] if array.ndim == 4 else [(path / "0", ())]


def values_of(path):
    """Return the values of the steps of an output, in any file."""
    if path.suffix == ".zarr":
        return [zarr.open_array(each, mode="r")[at or ...] for each, at in step_arrays(path)]
    if path.is_dir():
        return [tifffile.imread(each) for each in sorted(path.iterdir())]
    if path.suffix == ".tif":
        return list(tifffile.imread(path))
    if path.suffix == ".npy":
        return list(np.load(path))
    data = path.read_bytes()
    shape = (4, 20, 24)
    start = 1024 if path.suffix == ".mrc" else len(data) - 4 * np.prod(shape)
    return [np.frombuffer(data[start:], np.float32).reshape(shape)]


def change_pixel(path, step):
    """Change one value of a step in the last part of its file."""
    if path.suffix == ".zarr":
        folder, at = step_arrays(path)[step]
        array = zarr.open_array(folder, mode="r+")
        array[(*at, 3, 19, 23)] += 0.25
        return
    row = np.ascontiguousarray(values_of(path)[step][3, 19]).tobytes()
    changed = np.frombuffer(row, np.float32) + np.float32(0.25)
    file = sorted(path.iterdir())[step] if path.is_dir() else path
    data = file.read_bytes()
    assert data.count(row) == 1
    file.write_bytes(data.replace(row, row[:-4] + changed.tobytes()[-4:]))


def change_record(path, before, after):
    """Change the text of every record of an output."""
    count = 0
    files = [path.with_name(f"{path.name}.recipe.json"), path]
    files += sorted(path.rglob("*.json")) + sorted(path.glob("*.tif"))
    for file in files:
        if not file.is_file():
            continue
        data = file.read_bytes()
        for quote in (b'"', b"&quot;"):
            old, new = (each.encode().replace(b'"', quote) for each in (before, after))
            assert len(old) == len(new)
            count += data.count(old)
            data = data.replace(old, new)
        file.write_bytes(data)
    assert count
    return count


def without_hashes(path):
    """Leave the hashes out of a record beside a file, as older versions did."""
    file = path.with_name(f"{path.name}.recipe.json")
    record = json.loads(file.read_text("utf-8"))
    for name in ("hashes", "record_sha256"):
        record.pop(name)
    for step in record.get("steps", []):
        step.pop("sha256")
    file.write_text(json.dumps(record), "utf-8")


def chunk(path, step, index="3/0/0"):
    """Return the file of a chunk of a step."""
    folder, at = step_arrays(path)[step]
    return folder.joinpath("c", *map(str, at), index)
