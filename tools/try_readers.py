"""Write OME-Zarr images, and open every one with the readers of others.

    python tools/try_readers.py .venv-readers

ome-zarr-py and bioio get an environment of their own, pinned in tools/readers.txt; the images are
written by this one. The folder of the environment may stay.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import environment

PINS = environment.ROOT / "tools" / "readers.txt"
LENGTHS = {"z": 0.3, "y": 0.1, "x": 0.2}
SHAPES = {
    "yx": (600, 300),
    "zyx": (9, 301, 40),
    "cyx": (2, 64, 48),
    "czyx": (2, 5, 300, 48),
    "tczyx": (3, 2, 4, 16, 18),
}

# Runs where the readers are; prints what they find, as JSON.
OPEN = """
import json, sys
import bioio_ome_zarr
from bioio import BioImage
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

def with_ome_zarr(path):
    node = list(Reader(parse_url(path))())[0]
    scale = node.metadata["coordinateTransformations"][0][0]["scale"]
    axes = "".join(axis["name"] for axis in node.metadata["axes"])
    sizes = {axis: size for axis, size in zip(axes, scale) if axis in "zyx"}
    names = node.metadata.get("channel_names")
    return node.data[0].compute(), sizes, names

def with_bioio(path):
    image = BioImage(path, reader=bioio_ome_zarr.Reader)
    sizes = image.physical_pixel_sizes
    sizes = {axis: getattr(sizes, axis.upper()) for axis in "zyx" if getattr(sizes, axis.upper())}
    return image.data, sizes, image.channel_names

found = {}
for path in sys.argv[1:]:
    for name, read in (("ome-zarr-py", with_ome_zarr), ("bioio", with_bioio)):
        try:
            values, sizes, names = read(path)
            said = [list(values.shape), values.astype("f8").ravel().tolist(), sizes, names]
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        found.setdefault(path, {})[name] = said
print("FOUND" + json.dumps(found))
"""


def main(folder: str) -> None:
    """Make the environment, write the images, open them, and print a table."""
    venv = Path(folder).resolve()
    environment.make(venv)
    python = environment.python_of(venv)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--requirement", str(PINS)], check=True, stdin=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="napari-diffusion-readers-") as made:
        expected = written(Path(made))
        answer = subprocess.run(
            [str(python), "-c", OPEN, *expected], check=True, capture_output=True, text=True
        )
    found = json.loads(answer.stdout.partition("FOUND")[2])
    faults = 0
    for path, wanted in expected.items():
        for reader, said in found[path].items():
            fault = difference(said, *wanted)
            faults += bool(fault)
            place = "/".join(Path(path).parts[3:])
            print(f"{place:<28} {reader:<12} {fault or 'same values, sizes and names'}")
    if faults:
        sys.exit(f"{faults} images are not read as they were written.")


def written(folder: Path) -> dict[str, tuple]:
    """Write images and a run; return the values, voxel sizes and channel names of each."""
    import numpy as np

    from napari_diffusion.io import Output, Source, step_paths
    from napari_diffusion.io.file_image import Channel

    expected = {}
    for axes, shape in SHAPES.items():
        for kind, count in (("image", 1), ("run", 2)):
            values = np.random.default_rng(0).integers(0, 4000, shape).astype("uint16")
            named = tuple(Channel(name) for name in ("DAPI", "GFP")) if "c" in axes else ()
            lengths = {axis: LENGTHS[axis] for axis in axes if axis in LENGTHS}
            source = Source(
                name="cells",
                image=values,
                axes=axes,
                lengths=lengths,
                unit="micrometer",
                place={"x": 7.0},
                channels=named,
            )
            path = folder / f"{kind}_{axes}.ome.zarr"
            with Output(path, source, count, values.dtype) as output:
                for step in range(count):
                    output.write(values, record(step, axes))
            names = [channel.name for channel in named]
            expected |= {str(each): (values, lengths, names) for each in step_paths(path)}
    return expected


def record(step: int, axes: str) -> dict:
    """Return the little of a record that the writers look at."""
    grid = {"axes": axes, "spacing": [], "along": "yx", "joint_channels": True, "rgb": False}
    return {"step": step, "noise_scale": 0.0, "is_final": False, "grid": grid}


def difference(said: list | str, values, lengths: dict, names: list) -> str:
    """Return what a reader found that was not written; nothing if all is the same."""
    import numpy as np

    if isinstance(said, str):
        return said
    shape, found, sizes, channels = said
    if [n for n in shape if n > 1] != [n for n in values.shape if n > 1]:
        return f"shape {shape}, not {values.shape}"
    if not np.array_equal(found, values.ravel()):
        return "other values"
    if sizes != lengths:
        return f"voxel sizes {sizes}, not {lengths}"
    if names and channels != names:
        return f"channels {channels}, not {names}"
    return ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FOLDER")
    main(sys.argv[1])
