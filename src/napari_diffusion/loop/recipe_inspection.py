"""What the diffusion filter of a recipe sees in an image, or in a step of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.image import is_dask
from napari_diffusion.engine.executor import executor_for
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.filters.flows.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.core.image import Image
    from napari_diffusion.filters.base import Filter
    from napari_diffusion.filters.flows.inspection import Inspection
    from napari_diffusion.loop.recipe import Recipe

Box = tuple[slice, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class PartInspection:
    """What a filter sees around a part of an image.

    Attributes
    ----------
    inspection : Inspection
        Of the part and as much around it as a sub-step reaches.
    inner : tuple of 5 slice
        Where the part lies in it, per canonical axis.
    stabilised : bool
        Whether intensities are those of the recipe's working domain.
    """

    inspection: Inspection
    inner: Box
    stabilised: bool


def inspect_part(
    source: Image, recipe: Recipe, core: Sequence[slice], shown: Image | None = None
) -> PartInspection:
    """Return what the diffusion filter of a recipe sees in a part of an image.

    Parameters
    ----------
    source : Image
        The whole source, on which ``"auto"`` is measured.
    recipe : Recipe
        Of several filters the first one with a flux is inspected.
    core : sequence of 5 slice
        The part, per canonical axis of the image that is seen.
    shown : Image, optional
        The image that is seen, such as a step of a run; without, the source.

    Raises
    ------
    TypeError
        If the recipe has no diffusion filter with a flux.
    """
    resolved = recipe.resolved_on(source)
    flows = [each for each in resolved.filters if isinstance(each, Flow)]
    chosen = next(iter([*flows, *resolved.filters]))
    seen, domain = source if shown is None else shown, resolved.working_domain
    outer, inner = with_halo(core, _reach(chosen, seen), per_axis(seen.data.shape))
    part = seen.apart(outer)
    if is_dask(part.data):
        mask = None if part.mask is None else np.asarray(part.mask)
        part = dataclasses.replace(part, data=np.ascontiguousarray(part.data), mask=mask)
    if domain is not None:
        # The loop takes steps back into the domain by another function than a noisy source.
        values = domain.stabilise if shown is None else domain.restabilise
        part = part.with_data(executor_for(part.data).mapped(values, part.data))
    return PartInspection(chosen.inspect(part), inner, domain is not None)


def _reach(chosen: Filter, seen: Image) -> Sequence[int]:
    return chosen.reach(seen.grid) if isinstance(chosen, Flow) else (0,) * 5
