"""A stack that need not fit into memory: dask in, dask out, the same numbers."""

import dask.array as da
import numpy as np

import napari_diffusion as nd
from napari_diffusion.samples import SAMPLES

video = SAMPLES["video"]()
lazy = da.from_array(video.image, chunks=(6, 64, 64))
recipe = nd.Recipe.from_dict(video.recipe).replaced(num_steps=3).resolved(video.image, axes="tyx")

last = nd.run(lazy, recipe, axes="tyx")
print(f"nothing is computed yet: {type(last.image).__name__} in {last.image.numblocks} chunks")

in_memory = nd.run(video.image, recipe, axes="tyx")
print(f"the same as in memory: {np.array_equal(last.image.compute(), in_memory.image)}")
