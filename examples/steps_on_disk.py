"""Steps written to an OME-Zarr as they are made, and read back with how they were made."""

from pathlib import Path

import napari_diffusion as nd
from napari_diffusion.io import Output, Source, read_image, read_record
from napari_diffusion.records import record
from napari_diffusion.samples import SAMPLES

volume = SAMPLES["phantom"]()
source = Source(
    name=volume.name,
    image=volume.image[:12, :64, :64],
    axes=volume.axes,
    lengths=dict(zip("zyx", volume.spacing, strict=True)),
    unit=volume.unit,
)
grid = {"axes": source.axes, "spacing": source.spacing}
recipe = nd.Recipe.from_dict(volume.recipe).replaced(num_steps=3).resolved(source.image, **grid)

path = Path("steps.ome.zarr")
with Output(path, source, count=4, dtype="float32", overwrite=True) as output:
    for step in nd.steps(source.image, recipe, **grid):
        output.write(step.image, record(recipe, step, grid, source.name, unit=source.unit))

last = read_image(path / "steps" / "0003")
print(f"{path}: axes {last.axes}, spacing {last.spacing} {last.unit}, {last.image.dtype}")
print(read_record(path)["processed"])
