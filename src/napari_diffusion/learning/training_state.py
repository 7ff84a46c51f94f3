"""Where a training stands, in memory and in a file from anyone, of which nothing is run."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.archive import about_in, archived, arrays_in, read_bytes
from napari_diffusion.filters.learned.weights_file import bytes_of, weights_in
from napari_diffusion.learning.adam import Adam
from napari_diffusion.learning.score import Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.learning.free_weights import FreeWeights

    Arrays = list[NDArray[np.float64]]

# The lists of arrays of a state, each as long as the weights.
_LISTS = ("weights", "average", "means", "squares", "best")

_MOST_SCORES, _MOST_STEPS, _MOST_NUMBER = 10_000, 10_000_000, 1e9


@dataclass(frozen=True, eq=False)
class TrainingState:
    """All that a training needs to go on, to the same bits.

    Attributes
    ----------
    weights, average, means, squares, best : list of ndarray
        The weights and the moments of `Adam`, and the best weights so far.
    errors : list of ndarray
        Of the start and of the best, on each window held out.
    scores : list of Score
    mean, used : float
        The mean error of late, and the seconds.
    steps : int
    about : dict
        What was trained from what; compared with what is asked for.
    """

    weights: Arrays
    average: Arrays
    means: Arrays
    squares: Arrays
    best: Arrays
    errors: Arrays
    scores: list[Score]
    mean: float
    used: float
    steps: int
    about: dict[str, Any]

    def adam(self) -> Adam:
        """Return the optimizer as it was."""
        made = Adam([each.copy() for each in self.weights], self.steps)
        for name in ("average", "means", "squares"):
            setattr(made, name, [each.copy() for each in getattr(self, name)])
        return made

    def in_bytes(self) -> bytes:
        """Return a file of this state."""
        arrays = {
            f"{name}_{n}": each for name in _LISTS for n, each in enumerate(getattr(self, name))
        }
        arrays["errors"] = np.array(self.errors)
        arrays["scores"] = np.array([astuple(each) for each in self.scores], np.float64)
        numbers = {"mean": self.mean, "used": self.used, "steps": self.steps}
        return archived(arrays, {"training": self.about, **numbers})

    def check(self, start: FreeWeights, held: int, about: Mapping[str, Any]) -> None:
        """Raise if this is no state of a training from a start, with so many windows held out.

        `about` says what is trained from what.
        """
        other = [name for name in about if self.about.get(name) != about[name]]
        if other:
            raise ValueError(
                f"This state is of another training, which differs in {', '.join(other)}: "
                "resume it with what it began with."
            )
        shapes = [each.shape for each in start.arrays]
        fits = all([a.shape for a in getattr(self, name)] == shapes for name in _LISTS)
        if not fits or any(each.shape != (held,) for each in self.errors):
            raise ValueError("This state is of a training with other weights or images.")
        if not _finite(self) or any((each < 0).any() for each in self.squares):
            raise ValueError("This state holds numbers that no training has.")
        # The best weights become a file; what is out of range for one is refused as such.
        weights_in(bytes_of(start.replaced(self.best).network(), {}), "The state of a training")


def read_state(path: Path) -> TrainingState:
    """Return the state in a file.

    Raises
    ------
    ValueError
        If it holds none.
    """
    name = repr(str(path))
    arrays = arrays_in(read_bytes(path), name)
    try:
        return _state(arrays)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{name} holds no state of a training: {error}.") from error


def _state(arrays: Mapping[str, NDArray[Any]]) -> TrainingState:
    about = about_in(arrays)
    if any(each.dtype != np.float64 for name, each in arrays.items() if name != "about"):
        raise ValueError("its arrays must be of float64")
    count = sum(name.startswith("weights_") for name in arrays)
    lists = {name: [arrays[f"{name}_{n}"] for n in range(count)] for name in _LISTS}
    scores, errors = arrays["scores"], arrays["errors"]
    if scores.ndim != 2 or scores.shape[1] != 4 or not 1 <= len(scores) <= _MOST_SCORES:
        raise ValueError(f"its scores have the shape {scores.shape}")
    if errors.ndim != 2 or len(errors) != 2:
        raise ValueError(f"its errors have the shape {errors.shape}")
    if not isinstance(about["training"], dict):
        raise TypeError("it does not say what was trained")
    return TrainingState(
        **lists,
        errors=list(errors),
        scores=_scores(scores),
        mean=_number(about["mean"], -_MOST_NUMBER, _MOST_NUMBER),
        used=_number(about["used"], 0, _MOST_NUMBER),
        steps=int(_number(about["steps"], 0, _MOST_STEPS)),
        about=about["training"],
    )


def _scores(rows: NDArray[np.float64]) -> list[Score]:
    # Before the first step there is no error of windows learned from.
    if not np.isfinite(np.delete(rows, 2, axis=1)).all() or (rows[:, :2] < 0).any():
        raise ValueError("its scores must be numbers")
    return [Score(float(s), int(min(n, _MOST_STEPS)), float(e), float(h)) for s, n, e, h in rows]


def _number(value: object, least: float, most: float) -> float:
    if not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{value!r} is no number from {least:g} to {most:g}")
    return float(value)


def _finite(state: TrainingState) -> bool:
    lists: Sequence[Arrays] = [getattr(state, name) for name in (*_LISTS, "errors")]
    return all(np.isfinite(each).all() for arrays in lists for each in arrays)
