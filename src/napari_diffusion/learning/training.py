"""Training: the weights of a `LearnedDiffusion` move to where its error on windows is small."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_diffusion.engine.threads import Stopped, Threads
from napari_diffusion.learning.adam import Adam
from napari_diffusion.learning.errors import error_of
from napari_diffusion.learning.gradient import ScaleGradient
from napari_diffusion.learning.score import Score, fall
from napari_diffusion.learning.training_state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network
    from napari_diffusion.learning.errors import Window
    from napari_diffusion.learning.free_weights import FreeWeights
    from napari_diffusion.learning.windows import Windows

# How far weights move at most in a step: of random ones, and of those that were learned before.
FAST, GENTLE = 5e-3, 1e-3

# Steps in which the rate rises to the whole, and the share of the time after which it falls.
_RISE, _HOLD, _LAST = 10, 0.4, 0.01

# The held-out error is measured so many times; training ends where it does not fall so often.
CHECKS, PATIENCE = 20, 6

#: Why training ended; "" while it has not.
Ended = Literal["", "time", "no better", "stopped"]


@dataclass(eq=False)
class Training:
    """Weights on their way, and the best of them on the windows held out.

    Attributes
    ----------
    windows : Windows
    start : FreeWeights
        What training begins with.
    seconds : float
        Of the processor, of all threads, at most.
    rate : float
        How far weights move at most in a step.
    seed : int
    threads : Threads
    steps : int or None
        So many instead of the seconds: the same bits each time.
    """

    windows: Windows
    start: FreeWeights
    seconds: float
    rate: float = FAST
    seed: int = 0
    threads: Threads = field(default_factory=Threads)
    steps: int | None = None

    def __post_init__(self) -> None:
        self.adam = Adam(_copied(self.start.arrays))
        self.best_weights = self.start
        self.best = self.start.network()
        self.held_out = self.windows.held_out(self.best, self.seed)
        self.scores: list[Score] = []
        # Of the start and of the best, on each window held out.
        self.errors: list[NDArray[np.float64]] = []
        self.mean, self.used = np.nan, 0.0
        self.ended: Ended = ""

    def resume(self, state: TrainingState) -> None:
        """Go on where another training stopped; the start is still its start."""
        self.adam = state.adam()
        self.best_weights = self.start.replaced(state.best)
        self.best = self.best_weights.network()
        self.scores, self.errors = list(state.scores), list(state.errors)
        self.mean, self.used = state.mean, state.used

    def state(self, about: Mapping[str, Any]) -> TrainingState:
        """Return where it stands; `about` says what is trained from what."""
        adam = self.adam
        return TrainingState(
            weights=_copied(adam.weights),
            average=_copied(adam.average),
            means=_copied(adam.means),
            squares=_copied(adam.squares),
            best=self.best_weights.arrays,
            errors=list(self.errors),
            scores=list(self.scores),
            mean=float(self.mean),
            used=self.used,
            steps=adam.steps,
            about=dict(about),
        )

    @property
    def best_score(self) -> Score:
        """The least error on the windows held out."""
        return min(self.scores, key=lambda each: each.held_out)

    @property
    def is_better(self) -> bool:
        """Whether the best is better than the start, on the windows held out, beyond chance."""
        return bool(self.errors) and fall(*self.errors) > 0

    def run(self, progress: Callable[[Score], None] = lambda score: None) -> Network:
        """Return the best weights; they are those of the start if none were better.

        Parameters
        ----------
        progress : callable
            Is given each score, the first before the first step.

        Raises
        ------
        Stopped
            If it was stopped before there was a score.
        """
        try:
            if not self.scores:
                self.mean = self._score(self.best_weights, np.nan, progress).held_out
            while not self.ended:
                self._go_on(progress)
        except Stopped:
            if not self.scores:
                raise
            self.ended = "stopped"
        return self.best

    @property
    def done(self) -> float:
        """How much of the training is done, from 0 to 1 or more."""
        return self.used / self.seconds if self.steps is None else self.adam.steps / self.steps

    def _go_on(self, progress: Callable[[Score], None]) -> None:
        """Measure the held-out error where it is due, else take a step."""
        began, first = time.process_time(), self.adam.steps == 0
        if self._is_due():
            self._score(self.start.replaced(self.adam.average), self.mean, progress)
            since = len(self.scores) - 1 - self.scores.index(self.best_score)
            self.ended = "time" if self.done >= 1 else "no better" if since >= PATIENCE else ""
        else:
            error = self._step()
            self.mean += (error - self.mean) * max(0.02, 1 / (self.adam.steps + 1))
        # The first step compiles, which is no time of training.
        self.used += 0.0 if first else time.process_time() - began

    def _is_due(self) -> bool:
        last = self.scores[-1]
        if self.adam.steps == last.steps:
            return False
        if self.steps is None:
            return self.used >= min(last.seconds + self.seconds / CHECKS, self.seconds)
        return self.adam.steps >= min(last.steps + max(self.steps // CHECKS, 1), self.steps)

    def _step(self) -> float:
        """Move all weights once; return the error of the windows seen."""
        adam, count = self.adam, self.windows.count
        free = self.start.replaced(adam.weights)
        network = free.network()
        gradients = [[ScaleGradient.zeros(each) for each in network.scales] for _ in range(count)]
        errors = np.zeros(count)

        def learn(n: int) -> None:
            key = np.array([self.seed, (adam.steps << 10) + n], np.uint64)
            window = self.windows.drawn(np.random.Generator(np.random.Philox(key=key)), network)
            errors[n] = error_of(network, window, gradients[n])

        self.threads.each(learn, [(n,) for n in range(count)])
        rise = min(1.0, (adam.steps + 1) / _RISE)
        falls = 1.0 if self.done < _HOLD else max(_LAST, (1 - self.done) / (1 - _HOLD))
        adam.step(free.gradient(_mean(gradients)), self.rate * rise * falls)
        return float(errors.mean())

    def _score(
        self, weights: FreeWeights, error: float, progress: Callable[[Score], None]
    ) -> Score:
        """Measure the held-out error of weights, and keep them if it is the least so far."""
        network, errors = weights.network(), np.zeros(len(self.held_out))

        def measure(n: int, window: Window) -> None:
            errors[n] = error_of(network, window, None)

        self.threads.each(measure, list(enumerate(self.held_out)))
        score = Score(self.used, self.adam.steps, float(error), float(errors.mean()))
        self.scores.append(score)
        if self.best_score is score:
            self.best_weights, self.best = (
                weights.replaced(_copied(weights.arrays)),
                network,
            )
            self.errors = [*self.errors[:1], errors] if self.errors else [errors, errors]
        progress(score)
        return score


def _copied(arrays: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    return [each.copy() for each in arrays]


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
