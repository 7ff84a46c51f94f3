"""The kernels of a recipe, compiled on a scrap of an image before they are needed.

As a program it reads one request, a line of JSON, and compiles into the cache on disk; it ends with
the process that started it, which holds its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.engine.kernel_folder import keep_kernels_in, kernel_folder
from napari_diffusion.loop.noise_scales import first_noise_scale
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from napari_diffusion.engine.threads import StopToken

# Pixels along an axis: enough for what is measured of an image.
_EXTENT = {"t": 2, "z": 12, "y": 40, "x": 40}


class Part(NamedTuple):
    """A part of a recipe whose kernels are compiled next.

    Attributes
    ----------
    name : str
        What it does, such as "noise".
    place, of : int
        Which part it is, from 1 on, of how many.
    """

    name: str
    place: int
    of: int


def warmed(
    scrap: ArrayLike, recipe: Recipe, stop: StopToken | None = None, **options: Any
) -> Iterator[Part]:
    """Yield each part of a recipe, and have its kernels compiled when the next one is asked for.

    Parameters
    ----------
    scrap : array_like
        An image with the axes and the type of those that the recipe will run on.
    recipe : Recipe
        The recipe.
    stop : StopToken, optional
        See `steps`, and for the options.
    """
    filters = [*recipe.filters, *([recipe.final_filter] if recipe.final_filter else [])]
    names = ["measuring", *(["noise"] if recipe.noise is not None else [])]
    names += ["diffusion filter"] * len(recipe.filters)
    names += ["final filter"] * (len(filters) - len(recipe.filters))
    parts = (Part(name, place + 1, len(names)) for place, name in enumerate(names))

    yield next(parts)
    source = Image.of(scrap, **options)
    resolved = recipe.resolved_on(source)
    noise_report(source, recipe, resolved)
    state = RunState.of(source, resolved, None, 0, stop, {})
    values, noise_scale = state.start, first_noise_scale(resolved, 0)
    if resolved.noise is not None:
        yield next(parts)
        values = state.add_noise(values, resolved.noise, noise_scale, 0)
    for each in resolved.filters:
        yield next(parts)
        values, _ = state.apply_filter(values, each, noise_scale)
    if resolved.final_filter is not None:
        yield next(parts)
        values, _ = state.apply_filter(values, resolved.final_filter)
    state.image(values)


def request_of(recipe: Recipe, axes: str, dtype: str, options: Mapping[str, Any]) -> str:
    """Return what the program reads.

    Parameters
    ----------
    recipe : Recipe
        A recipe without functions of the user's own: they have no text.
    axes, dtype : str
        Those of the images.
    options : mapping
        Further options of the grid, such as ``rgb``, whose values JSON knows.
    """
    return json.dumps(
        {
            "recipe": recipe.to_dict(),
            "axes": axes,
            "dtype": dtype,
            "options": dict(options),
            "folder": kernel_folder(),
        }
    )


def kinds_of(recipe: Recipe, axes: str, dtype: DTypeLike, options: Mapping[str, Any]) -> str:
    """Return what decides which kernels a recipe needs: all but the numbers in it."""
    kinds = [recipe.to_dict(), axes, np.dtype(dtype).name, dict(options)]
    return json.dumps(_without_numbers(kinds), sort_keys=True)


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_numbers(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numbers(each) for each in value]
    return 0 if isinstance(value, int | float) and not isinstance(value, bool) else value


def compile_requested(request: str) -> None:
    """Compile what a request names."""
    asked = json.loads(request)
    keep_kernels_in(asked["folder"])
    options = {**asked["options"], "axes": asked["axes"]}
    scrap = scrap_of(asked["axes"], asked["dtype"], 3 if options.get("rgb") else 2)
    # What is wrong with a recipe is said by the run.
    with contextlib.suppress(ValueError, TypeError):
        for _ in warmed(scrap, Recipe.from_dict(asked["recipe"]), **options):
            pass


def scrap_of(axes: str, dtype: DTypeLike, channels: int) -> NDArray[Any]:
    """Return a small image of some axes and type: a slope with a little noise."""
    shape = [channels if axis == "c" else _EXTENT[axis] for axis in axes]
    slope = np.linspace(0.2, 0.8, shape[axes.index("x")] if "x" in axes else shape[-1])
    along = [1] * len(shape)
    along[axes.index("x") if "x" in axes else -1] = -1
    values = np.random.default_rng(0).normal(0.0, 0.02, shape) + slope.reshape(along)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return values > 0.5
    full = min(int(np.iinfo(kind).max), 4095) if kind.kind in "ui" else 1.0
    return (full * values.clip(0, 1)).astype(kind)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Compile what the first line of the input names."""
    if hasattr(os, "nice"):
        os.nice(19)
    request = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    compile_requested(request)
    os._exit(0)  # the other thread waits for an input that does not come


if __name__ == "__main__":
    main()
