"""Training: the weights of a `LearnedDiffusion` move to where its error on windows is small."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_diffusion.engine.threads import Threads
from napari_diffusion.learning.adam import Adam
from napari_diffusion.learning.errors import error_of
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.gradient import ScaleGradient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network
    from napari_diffusion.learning.errors import Window
    from napari_diffusion.learning.windows import Windows

# Windows that a step of training sees.
BATCH = 6

# How far weights move at most in a step: of random ones, and of those that were learned before.
FAST, GENTLE = 5e-3, 1e-3

# Steps in which the rate rises to the whole, and the share of the time after which it falls.
_RISE, _HOLD, _LAST = 50, 0.4, 0.01

# The held-out error is measured so many times; training ends where it does not fall so often.
CHECKS, PATIENCE = 20, 6


@dataclass(frozen=True)
class Score:
    """How far training has come.

    Attributes
    ----------
    seconds : float
        Of the processor, of all threads.
    steps : int
    error, held_out : float
        Mean squared errors in units of the noise: on windows learned from lately, and on those
        held out.
    """

    seconds: float
    steps: int
    error: float
    held_out: float


@dataclass(eq=False)
class Training:
    """Weights on their way, and the best of them on the windows held out.

    Attributes
    ----------
    windows : Windows
    start : Network or FreeWeights
        What training begins with.
    seconds : float
        Of the processor, at most.
    seed : int
    threads : Threads
    """

    windows: Windows
    start: FreeWeights
    seconds: float
    rate: float = FAST
    seed: int = 0
    threads: Threads = field(default_factory=Threads)

    def __post_init__(self) -> None:
        self.best = self.start.network()
        self.held_out = self.windows.held_out(self.best, self.seed)
        self.scores: list[Score] = []
        self.ended: Literal["", "time", "no better"] = ""

    @property
    def best_score(self) -> Score:
        """The least error on the windows held out."""
        return min(self.scores, key=lambda each: each.held_out)

    @property
    def is_better(self) -> bool:
        """Whether it came out better than it began, on the windows held out."""
        return self.best_score is not self.scores[0]

    def run(self, progress: Callable[[Score], None] = lambda score: None) -> Network:
        """Return the best weights; they are those of the start if none were better.

        Parameters
        ----------
        progress : callable
            Is given each score, the first before the first step.
        """
        adam, used, shown = Adam(self.start.arrays), 0.0, 0.0
        mean = self._score(self.best, 0.0, 0, np.nan, progress).held_out
        while not self.ended:
            began = time.process_time()
            error = self._step(adam, used / self.seconds)
            mean += (error - mean) * max(0.02, 1 / (adam.steps + 1))
            used += time.process_time() - began
            if used >= min(shown + self.seconds / CHECKS, self.seconds):
                shown = used
                averaged = FreeWeights(adam.average, self.start.reach, self.start.pilot).network()
                if self._score(averaged, used, adam.steps, mean, progress) is self.best_score:
                    self.best = averaged
                self.ended = self._ending(used)
        return self.best

    def _step(self, adam: Adam, done: float) -> float:
        """Move all weights once; return the error of the windows seen."""
        network = FreeWeights(adam.weights, self.start.reach, self.start.pilot).network()
        gradients = [[ScaleGradient.zeros(each) for each in network.scales] for _ in range(BATCH)]
        errors = np.zeros(BATCH)

        def learn(n: int) -> None:
            key = np.array([self.seed, (adam.steps << 8) + n], np.uint64)
            window = self.windows.drawn(np.random.Generator(np.random.Philox(key=key)), network)
            if window is None:
                raise ValueError("No window of these images is large enough to learn from.")
            errors[n] = error_of(network, window, gradients[n])

        self.threads.each(learn, [(n,) for n in range(BATCH)])
        rise = min(1.0, (adam.steps + 1) / _RISE)
        fall = 1.0 if done < _HOLD else max(_LAST, (1 - done) / (1 - _HOLD))
        adam.step(self.start.gradient(_mean(gradients)), self.rate * rise * fall)
        return float(errors.mean())

    def _score(
        self,
        network: Network,
        seconds: float,
        steps: int,
        error: float,
        progress: Callable[[Score], None],
    ) -> Score:
        errors = np.zeros(len(self.held_out))

        def measure(n: int, window: Window) -> None:
            errors[n] = error_of(network, window, None)

        self.threads.each(measure, list(enumerate(self.held_out)))
        score = Score(seconds, steps, float(error), float(errors.mean()))
        self.scores.append(score)
        progress(score)
        return score

    def _ending(self, used: float) -> Literal["", "time", "no better"]:
        if used >= self.seconds:
            return "time"
        since = len(self.scores) - 1 - self.scores.index(self.best_score)
        return "no better" if since >= PATIENCE else ""


def _mean(gradients: Sequence[list[ScaleGradient]]) -> list[ScaleGradient]:
    """Return the mean of the gradients of all windows, always added in the same order."""
    found = []
    for each in zip(*gradients, strict=True):
        parts: list[NDArray[np.float64]] = [
            sum(arrays[1:], arrays[0]) / len(gradients)
            for arrays in zip(*(one.parts() for one in each), strict=True)
        ]
        found.append(ScaleGradient(*parts))
    return found
