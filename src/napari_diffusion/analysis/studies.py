"""All studies of a run by name: the dock, the command line and the report offer these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from napari_diffusion.analysis.feature_survival import feature_survival
from napari_diffusion.analysis.null_test import null_test
from napari_diffusion.analysis.prediction_interval import prediction_interval
from napari_diffusion.analysis.removed_structure import removed_structure
from napari_diffusion.analysis.seed_spread import seed_spread
from napari_diffusion.analysis.stability import stability
from napari_diffusion.analysis.study_result import StudyResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.metrics import Metric

#: Takes an image, a recipe, ``step, region, progress, stop``, the keywords of the grid, and options
#: of its own.
StudyFunction = Callable[..., StudyResult]


class StudyOptions(TypedDict, total=False):
    """What some studies take besides; each takes those that it names."""

    kinds: Sequence[str]
    patch: NDArray[np.generic] | tuple[slice, ...]
    dark: bool
    background: NDArray[np.bool_]
    second: ArrayLike
    halves: str
    of: str
    measure: Metric


@dataclass(frozen=True)
class StudyKind:
    """A study.

    Attributes
    ----------
    key : str
        What it is called on the command line.
    title : str
        What it is called elsewhere.
    about : str
        What it does, in a sentence or two.
    function : callable
        Makes it.
    options : tuple of str
        Which of `StudyOptions` the function takes.
    """

    key: str
    title: str
    about: str
    function: StudyFunction
    options: tuple[str, ...] = ()

    def run(
        self,
        image: ArrayLike,
        recipe: Recipe,
        options: StudyOptions,
        grid: GridOptions,
        *,
        step: int | None = None,
        region: tuple[slice, ...] | None = None,
        progress: Progress | None = None,
        stop: StopToken | None = None,
    ) -> StudyResult:
        """Make the study; options that it does not take are left out."""
        own = {name: value for name, value in options.items() if name in self.options}
        return self.function(
            image, recipe, step=step, region=region, progress=progress, stop=stop, **own, **grid
        )


#: A study more is one line here.
STUDIES: tuple[StudyKind, ...] = (
    StudyKind(
        "survival",
        "Feature survival",
        "Put known objects of several sizes and contrasts into the image, run the recipe again, "
        "and measure how much of them is left and how many are lost.",
        feature_survival,
        ("kinds", "dark", "patch"),
    ),
    StudyKind(
        "null",
        "Null test",
        "Run the recipe on pure noise of the image's kind, and count the false objects that appear "
        "in it at each step.",
        null_test,
        ("background",),
    ),
    StudyKind(
        "removed",
        "Removed structure",
        "Test whether structure was removed besides noise, and where: the residual is compared "
        "with those of runs where only noise can be removed.",
        removed_structure,
    ),
    StudyKind(
        "interval",
        "Prediction interval",
        "How far the value may be off around every pixel: of the noise-free image, or of a repeat "
        "acquisition.",
        prediction_interval,
        ("second", "halves", "of"),
    ),
    StudyKind(
        "stability",
        "Stability",
        "Follow your own measurement over the steps, random seeds and a little of every parameter: "
        "where it is stable, where it drifts, and which step to take for it.",
        stability,
        ("measure",),
    ),
    StudyKind(
        "spread",
        "Spread over seeds",
        "Run the recipe with 8 random seeds: their mean, their spread, and whether the spread is "
        "the error or only sensitivity to the noise added.",
        seed_spread,
    ),
)
