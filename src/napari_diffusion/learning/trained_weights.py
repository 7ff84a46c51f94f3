"""What training makes: weights, how well they do, and where training stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.learned import weight_files
from napari_diffusion.filters.learned.weights import weights_named
from napari_diffusion.learning.score import share

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.filters.learned.weights import Weights
    from napari_diffusion.learning.score import Score
    from napari_diffusion.learning.training import Ended
    from napari_diffusion.learning.training_state import TrainingState

# The share by which errors fell is told where its standard error is at most this.
_SURE = 0.05


@dataclass(frozen=True, eq=False)
class TrainedWeights:
    """Weights of a `LearnedDiffusion` that were trained.

    Attributes
    ----------
    weights : Weights
        With their `name`, by which this program finds them while it runs:
        ``nd.filters.LearnedDiffusion(weights=trained.weights.name)``.
    scores : list of Score
        Errors on the squares learned from and on those held out, the first before training.
    is_better : bool
        Whether the weights do better than the start on squares held out, beyond chance. If not,
        they are those of the start.
    ended : {"time", "no better", "stopped"}
        Why training ended: its time was over, the held-out error had long not fallen, or it was
        stopped.
    about : dict
        What the weights were learned from, and how; it is kept in their file.
    state : TrainingState
        For ``train(…, resume=state)``.
    """

    weights: Weights
    scores: list[Score]
    is_better: bool
    ended: Ended
    about: dict[str, Any]
    state: TrainingState

    def summary(self) -> str:
        """Return whether training helped, in plain words."""
        if not self.is_better:
            return "It did not become better on squares it did not learn from; the start is kept."
        fell, error = share(*self.state.errors)
        if error > _SURE:
            return (
                "It became better on squares it did not learn from; they are too few to say by how "
                "much."
            )
        return f"On squares it did not learn from, the error fell by {fell:.0%}."

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the weights, with `about`, to a .npz file.

        Parameters
        ----------
        path : str or Path
        overwrite : bool
            Whether to replace a file.

        Returns
        -------
        Path
            For ``nd.filters.LearnedDiffusion(weights=…)``.
        """
        return weight_files.write(path, weight_files.found(self.weights.name), overwrite)

    def save_state(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write all that ``train(…, resume=path)`` needs to go on to a .npz file; see `save`."""
        return weight_files.write(path, self.state.in_bytes(), overwrite)


def kept(data: bytes) -> Weights:
    """Return the weights in a file that was made here, which this program finds from now on."""
    return weights_named(weight_files.keep(data))
