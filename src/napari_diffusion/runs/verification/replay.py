"""Makes the steps of a record again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.core.image import is_dask
from napari_diffusion.io import Source
from napari_diffusion.loop import registry
from napari_diffusion.loop.loop import steps
from napari_diffusion.records.noisy_copy import noisy_copy
from napari_diffusion.records.provenance import noise_scale_of
from napari_diffusion.runs.passes.tiled_steps import tiled_steps
from napari_diffusion.runs.run_input import RunInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import TypeAlias

    from numpy.typing import NDArray

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe

    #: Of numpy or of dask.
    Values: TypeAlias = NDArray[Any]


def replayed(
    source: Values,
    options: GridOptions,
    recipe: Recipe,
    wanted: Collection[int],
    *,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
) -> Iterator[tuple[int, Values]]:
    """Yield the index and the image of the wanted steps of a run, in order.

    Parameters
    ----------
    source : array
        What the run started from.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    recipe : Recipe
        Resolved.
    wanted : collection of int
        Indices of steps.
    region : tuple of slice, optional
        The part of the result that was made.
    stop : StopToken, optional
        Once set, `Stopped` is raised.
    """
    last = max(wanted, default=-1)
    if is_dask(source) and region is None:
        image = Source(name="", image=source, axes=options["axes"], rgb=options.get("rgb", False))
        made = tiled_steps(RunInput(image, options), recipe, stop)
    else:
        made = steps(source, recipe, region=region, stop=stop, **options)
    try:
        for step in made:
            if step.index in wanted:
                yield step.index, step.image
            if step.index >= last:
                return
    finally:
        made.close()


def replayed_noise(
    source: Values,
    options: GridOptions,
    record: StepRecord,
    allow_code: AllowCode = False,
    *,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
) -> Values:
    """Return the noisy copy that a record describes; see `replayed`."""
    noise = registry.from_dict("noise", record["noise"], allow_code)
    copy = noisy_copy(
        source,
        noise,
        noise_scale_of(record),
        record["seed"],
        region=region,
        stop=stop,
        **options,
    )
    return copy.image
