"""Records of every component in every place of a recipe, without running anything."""

from __future__ import annotations

import functools

import numpy as np

import napari_diffusion as nd
from napari_diffusion.denoising import denoiser
from napari_diffusion.loop.registry import COMPONENTS
from napari_diffusion.loop.step import Step
from napari_diffusion.records.noisy_copy import noise_record, noisy_copy
from napari_diffusion.records.provenance import record

GRIDS = {
    "plane": {"axes": "yx", "spacing": (0.2, 0.2)},
    "volume": {"axes": "zyx", "spacing": (1.0, 0.2, 0.2)},
    "colours": {"axes": "yxc", "rgb": True},
    "video": {"axes": "tyx", "along": "tyx", "spacing": (2.0, 0.2, 0.2)},
    "frames": {"axes": "tyx", "spacing": (0.2, 0.2)},
    "channels": {"axes": "cyx", "spacing": (0.2, 0.2), "joint_channels": False},
}


@functools.cache
def image(name):
    """Return photons of an edge, with as many axes as a grid of this name has."""
    rng = np.random.default_rng(0)
    plane = 30.0 + 100.0 * (np.add.outer(np.arange(48), np.arange(48)) > 48)
    shape = {"plane": (), "colours": ()}.get(name, (6,) if name != "channels" else (3,))
    values = rng.poisson(np.broadcast_to(plane, (*shape, 48, 48))).astype(np.float32)
    return np.stack([values, 0.8 * values, 0.6 * values], -1) if name == "colours" else values


def kept(recipe, grid="plane", *, unit="micrometer", index=None, source="cells", **more):
    """Return the record of a step, the last one by default; its image is the source's."""
    options = GRIDS[grid]
    resolved = recipe.resolved(image(grid), **options)
    final = resolved.final_filter is not None and index is None
    last = resolved.total_steps - (not final)
    at = last if index is None else index
    step = Step(at, resolved.starting_noise_scale, image(grid), final)
    return record(resolved, step, options, source, unit=unit, **more)


def noisy(noise, scale="auto"):
    """Return the record of noise added alone."""
    grid = GRIDS["plane"]
    copy = noisy_copy(image("plane"), noise, scale, seed=7, **grid)
    return noise_record(copy, grid, "cells", unit="micrometer")


SHORT = nd.Recipe(num_steps=3, starting_noise_scale=4.0, diffusion_filter=nd.filters.Heat(), seed=5)


def records():
    """Yield a name and a record for everything that a methods section may have to describe."""
    for cls in COMPONENTS["filter"]:
        yield f"{cls.__name__} in every step", kept(SHORT.replaced(diffusion_filter=cls()))
        yield f"{cls.__name__} last", kept(SHORT.replaced(final_filter=cls()))
        alone = nd.Recipe(num_steps=1, noise=None, diffusion_filter=cls())
        yield f"{cls.__name__} alone", kept(alone)
    for cls in COMPONENTS["noise"]:
        yield (
            f"{cls.__name__} noise",
            kept(SHORT.replaced(noise=cls(), starting_noise_scale="auto")),
        )
        yield f"{cls.__name__} noise added alone", noisy(cls())
    for cls in COMPONENTS["schedule"]:
        yield f"{cls.__name__} schedule", kept(SHORT.replaced(schedule=cls()))
    explore = nd.PRESETS["explore"]
    for cls in COMPONENTS["domain"]:
        yield f"{cls.__name__} domain", kept(explore.replaced(domain=cls()), "channels")
    for name, preset in nd.PRESETS.items():
        for grid in GRIDS:
            yield f"{name}, {grid}", kept(preset, grid)
    for fast in (False, True):
        yield f"typed sigma, fast {fast}", kept(denoiser(fast=fast, noise_sigma=5.0))
        yield f"stronger, fast {fast}", kept(denoiser(fast=fast, strength=1.5))
    yield from _special()


def _special():
    explore, filters = nd.PRESETS["explore"], nd.filters
    mask = {"mask": np.ones((48, 48), bool)}
    step = Step(2, 0.1, image("plane"), False)
    masked = explore.resolved(image("plane"), **GRIDS["plane"])
    yield "mask", record(masked, step, {**GRIDS["plane"], **mask, "missing": "ignore"}, "cells")
    everything = {
        "first_step": 12,
        "region": [[0, 9], [3, 8]],
        "cast": {"dtype": "uint8", "clipped": [0.0, 255.0], "rounded": True},
        "source_processed": "Processed, not raw data: 'cells' after 10 of 10 steps.",
        "noise_warnings": ["The image was JPEG-compressed."],
    }
    yield "everything else", kept(explore, source="a long name of a layer " * 9, **everything)
    yield "no unit", kept(explore, "volume", unit="pixel")
    four = tuple(filters.PeronaMalik(conductance=c) for c in ("tukey", "huber", "weickert"))
    yield "series", kept(explore.replaced(diffusion_filter=four[:2]))
    yield "long series", kept(explore.replaced(diffusion_filter=(*four, filters.Heat())))
    noises = (nd.noise.Gaussian(), nd.noise.Stripes(), nd.noise.Sum(), nd.noise.Correlated())
    yield "sum of sums", kept(explore.replaced(noise=nd.noise.Sum(components=noises)))
    blend = filters.Blend((filters.Blend(), filters.Median(), filters.ReactionDiffusion()))
    yield "blend of blends", kept(explore.replaced(diffusion_filter=blend), "colours")
