"""What a run needs, and the news that it posts."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.widgets.recipe.code_consent import allow_functions_of

if TYPE_CHECKING:
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.estimate import Evidence, NoiseModel
    from napari_diffusion.io.cast import Cast
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.layers.channels import SourceArray
    from napari_diffusion.widgets.layers.layer_axes import Fold
    from napari_diffusion.widgets.layers.mask import KeptMask, Mask
    from napari_diffusion.widgets.layers.step_records import Entries, GridKeywords


class Message(NamedTuple):
    """What the run is at, in words."""

    words: str


class Resolved(NamedTuple):
    """The recipe with every "auto" resolved."""

    recipe: Recipe


class StepReady(NamedTuple):
    """A step that has been put away, its record, and how many steps have been computed."""

    step: Step
    record: StepRecord
    done: int


class Progress(NamedTuple):
    """How many steps have been computed, the last of which is not kept."""

    done: int


class Begun(NamedTuple):
    """Of how many pieces the work is made, where that is known only after a while."""

    total: int
    unit: str


class SeedDone(NamedTuple):
    """What a layer sink shows in place of what it showed before, and how much is done."""

    what: Any
    done: int


class EvidenceReady(NamedTuple):
    """What was measured of the image to choose parameters from, and what of its noise."""

    evidence: Evidence
    report: NoiseReport


class Measured(NamedTuple):
    """What was measured of the noise."""

    model: NoiseModel


class RunError(Exception):
    """A sentence for the user, and the part of the form that it belongs to."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


@dataclass(frozen=True, eq=False)
class Origin:
    """Where steps that cannot be continued themselves came from: rounded ones, and regions.

    Attributes
    ----------
    sha256 : str
        Content hash of the source.
    first_step : int
        The step that the source itself was continued with.
    candidates : tuple of array
        Layers that may still hold the source.
    """

    sha256: str
    first_step: int
    candidates: tuple[SourceArray, ...]


@dataclass(frozen=True, eq=False)
class Job:
    """Everything a run needs; nothing in it changes when layers do.

    Attributes
    ----------
    data : array
        What the layer holds: numpy, dask or anything that numpy can read.
    fold : Fold
        How the layer's axes become the loop's.
    options : dict
        The grid keywords of the loop.
    recipe : Recipe
        What to do.
    source_name : str
        Name of the layer.
    region : tuple of slice or None
        One slice per axis of `data`.
    first_step : int
        The step to go on with, `data` being what the step before it made.
    noise_scale : float or tuple of float or None
        The noise scale of that step, where the schedule has measured it.
    keep_every : int
        Keep every n-th step and the last one; see `kept_steps`.
    only : frozenset of int or None
        The steps to keep instead.
    cast : Cast or None
        Brings steps back to the source's type.
    lazy : bool
        Leave dask arrays lazy: steps are computed where they are looked at.
    origin : Origin or None
        Start from there where it is still to be found.
    masks : tuple of Mask
        Where the image may change; of several, the first that has the hash asked for.
    mask_sha256 : str or None
        Hash of the mask of the run that is continued.
    noise_free_run : bool
        Also run the recipe without its noise.
    more : dict
        Further entries of the records.
    """

    data: Any
    fold: Fold
    options: GridKeywords
    recipe: Recipe
    source_name: str
    region: tuple[slice, ...] | None = None
    first_step: int = 0
    noise_scale: NoiseScale | None = None
    keep_every: int = 1
    only: frozenset[int] | None = None
    cast: Cast | None = None
    lazy: bool = False
    origin: Origin | None = None
    masks: tuple[Mask | KeptMask, ...] = ()
    mask_sha256: str | None = None
    noise_free_run: bool = False
    more: Entries = field(default_factory=dict)

    def __post_init__(self) -> None:
        allow_functions_of(self.recipe)

    @functools.cached_property
    def kept(self) -> frozenset[int]:
        """The indices of the steps that are kept; the final filter's is total_steps."""
        if self.only is not None:
            return self.only
        return frozenset(kept_steps(self.recipe, self.keep_every, self.first_step))
