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
from typing import TYPE_CHECKING

import environment

if TYPE_CHECKING:
    from napari_diffusion.io import Source

PINS = environment.ROOT / "tools" / "readers.txt"
LENGTHS = {"z": 0.3, "y": 0.1, "x": 0.2}
PLACE = {"z": -4.0, "y": 5.0, "x": 7.5}
SHAPES = {
    "yx": (600, 300),
    "zyx": (9, 301, 40),
    "cyx": (2, 64, 48),
    "czyx": (2, 5, 300, 48),
    "tczyx": (3, 2, 4, 16, 18),
    "yxc": (301, 40, 3),  # in colours
}
CHANNELS, COLOURS = ["DAPI", "GFP"], ["red", "green", "blue"]

# One image, the steps of a run as images of their own, and as one image where that can be.
COUNTS = {"image": 1, "run": 3, "stack": 3}
STACKABLE = ("yx", "zyx")

# bioio knows axes of one letter only, and opens none called "step".
UNOPENED = ("bioio", "stack")

# Runs where the readers are; prints what they find, as JSON.
OPEN = """
import json, sys
import bioio_ome_zarr
from bioio import BioImage
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

def with_ome_zarr(path):
    node = list(Reader(parse_url(path))())[0]
    scale, moved = node.metadata["coordinateTransformations"][0]
    axes = [axis["name"] for axis in node.metadata["axes"]]
    sizes = {axis: size for axis, size in zip(axes, scale["scale"]) if axis in "zyx"}
    place = {axis: start for axis, start in zip(axes, moved["translation"]) if axis in "zyx"}
    return node.data[0].compute(), sizes, node.metadata.get("channel_names"), place

def with_bioio(path):
    image = BioImage(path, reader=bioio_ome_zarr.Reader)
    sizes = image.physical_pixel_sizes
    sizes = {axis: getattr(sizes, axis.upper()) for axis in "zyx" if getattr(sizes, axis.upper())}
    return image.data, sizes, image.channel_names, None  # of the place it tells nothing

found = {}
for path in sys.argv[1:]:
    for name, read in (("ome-zarr-py", with_ome_zarr), ("bioio", with_bioio)):
        try:
            values, *more = read(path)
            said = [list(values.shape), values.astype("f8").ravel().tolist(), *more]
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
    if subprocess.call([*pip, "--requirement", str(PINS)], stdin=subprocess.DEVNULL) != 0:
        sys.exit("pip could not install the readers: the reason stands above.")
    with tempfile.TemporaryDirectory(prefix="napari-diffusion-readers-") as made:
        expected = written(Path(made))
        # Elsewhere than in the sources, so that nothing of them is imported.
        answer = subprocess.run(
            [str(python), "-I", "-c", OPEN, *expected], cwd=made, stdout=subprocess.PIPE, text=True
        )
        if answer.returncode != 0:
            sys.exit("The readers of others do not start: the reason stands above.")
    found = json.loads(answer.stdout.partition("FOUND")[2])
    faults = 0
    for path, wanted in expected.items():
        for reader, said in found[path].items():
            if (reader, path.partition("_")[0]) == UNOPENED:
                continue
            fault = difference(said, *wanted)
            faults += bool(fault)
            print(f"{path:<28} {reader:<12} {fault or 'the same'}")
    if faults:
        sys.exit(f"{faults} times an image is not read as it was written: see above.")


def written(folder: Path) -> dict[str, tuple]:
    """Write images and runs; return the values, voxel sizes, channel names and place of each."""
    expected = {}
    for axes in SHAPES:
        for kind in COUNTS if axes in STACKABLE else ("image", "run"):
            source = image(axes)
            steps = [source.image + step for step in range(COUNTS[kind])]
            for path, values in save(folder, kind, source, steps):
                names = (COLOURS if source.rgb else CHANNELS) if "c" in axes else []
                name = str(path.relative_to(folder))
                expected[name] = (values, source.lengths, names, source.place)
    return expected


def image(axes: str) -> Source:
    """Return an image with pixel sizes, a place, and channels or colours."""
    import numpy as np

    from napari_diffusion.io import Source
    from napari_diffusion.io.file_image import Channel

    rgb = axes == "yxc"
    return Source(
        name="cells",
        image=np.random.default_rng(0).integers(0, 4000, SHAPES[axes]).astype("uint16"),
        axes=axes,
        lengths={axis: LENGTHS[axis] for axis in axes if axis in LENGTHS},
        unit="micrometer",
        place={axis: PLACE[axis] for axis in axes if axis in PLACE},
        channels=tuple(map(Channel, CHANNELS)) if "c" in axes and not rgb else (),
        rgb=rgb,
    )


def save(folder: Path, kind: str, source: Source, steps: list) -> list[tuple]:
    """Write an image or a run; return the path of each image in it, and its values as written."""
    import numpy as np

    from napari_diffusion.io import Output, step_paths

    path = folder / f"{kind}_{source.axes}.ome.zarr"
    dtype, stack = source.image.dtype, kind == "stack"
    with Output(path, source, len(steps), dtype, stack=stack) as output:
        for step, values in enumerate(steps):
            output.write(values, record(step, source.axes))
    # OME-Zarr has colours before y and x.
    values = [np.moveaxis(step, -1, 0) if source.rgb else step for step in steps]
    if stack:
        return [(path, np.stack(values))]
    return list(zip(step_paths(path), values, strict=True))


def record(step: int, axes: str) -> dict:
    """Return the little of a record that the writers look at."""
    grid = {"axes": axes, "spacing": [], "along": "yx", "joint_channels": True, "rgb": False}
    return {"step": step, "noise_scale": 0.0, "is_final": False, "grid": grid}


def difference(said: list | str, values, lengths: dict, names: list, place: dict) -> str:
    """Return what a reader found that was not written; nothing if all is the same."""
    import numpy as np

    if isinstance(said, str):
        return said
    shape, found, sizes, channels, start = said
    if [n for n in shape if n > 1] != [n for n in values.shape if n > 1]:
        return f"shape {shape}, not {values.shape}"
    if not np.array_equal(found, values.ravel()):
        return "other values"
    if sizes != lengths:
        return f"voxel sizes {sizes}, not {lengths}"
    if names and channels != names:
        return f"channels {channels}, not {names}"
    if start is not None and start != place:
        return f"place {start}, not {place}"
    return ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FOLDER")
    main(sys.argv[1])
