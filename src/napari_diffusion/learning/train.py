"""Training of the weights of a `LearnedDiffusion` on images of the user."""

from __future__ import annotations

import contextlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.engine.threads import Threads, stoppable
from napari_diffusion.filters.learned.weights import name_of, weights_named
from napari_diffusion.filters.learned.weights_file import bytes_of
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.given_images import measured_images
from napari_diffusion.learning.image_planes import planes_of
from napari_diffusion.learning.trained_weights import TrainedWeights, kept
from napari_diffusion.learning.training import FAST, GENTLE, Training
from napari_diffusion.learning.training_state import TrainingState, read_state
from napari_diffusion.learning.windows import CleanWindows, FrameWindows, NoisyWindows, Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.learning.measured_image import Kind, MeasuredImage
    from napari_diffusion.learning.score import Score

#: Seconds of the processor that training may take, and steps.
MOST_SECONDS, MOST_STEPS = 480.0, 10_000

# From scratch: steps at each scale, the finest first, filters, nodes, and where influences end.
_STEPS, _FILTERS, _NODES, _REACH = (5, 4), 24, 31, 8.0

# The weights whose pilot those from scratch begin behind.
_PHOTOGRAPHS = "photographs"


def train(
    images: ArrayLike | Image | Sequence[ArrayLike | Image],
    *,
    kind: Kind = "noisy",
    noise_sigma: float | tuple[float, ...] | str = "auto",
    start: str | Path | None = _PHOTOGRAPHS,
    seconds: float = 100.0,
    steps: int | None = None,
    seed: int = 0,
    names: Sequence[str] = (),
    progress: Callable[[Score], None] | None = None,
    stop: StopToken | None = None,
    resume: TrainingState | str | Path | None = None,
    **options: Unpack[GridOptions],
) -> TrainedWeights:
    """Train the weights of a `LearnedDiffusion` on images.

    ``min Σ |u − x|²`` over squares of the images, u being the result of the filter. With "clean"
    images x is the image, and noise is added to it; with "frames" of a scene x is another frame;
    with "noisy" images alone the error is Stein's estimate ``|u − y|² + 2 σ² div u − σ²``. One
    square in eight is held out: it is never learned from, and says how well the weights do.

    Parameters
    ----------
    images : array_like or list of array_like
        One image, or several. Each plane of the last two axes is learned from by itself, each
        channel in units of its own noise.
    kind : {"noisy", "frames", "clean"}
        "noisy": images with white noise, or with photon noise, which is stabilised first.
        "frames": along t, frames of one scene that differ by their noise alone; a list of images
        without t is read as such frames. "clean": images with hardly any noise.
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise in intensity units, one per channel if many. "auto"
        measures it. Of "clean" images, that of the noise to add; "auto" adds all levels from 1 %
        to 120 % of the range of intensities.
    start : str, Path or None
        Weights to begin with: a shipped name, or a .npz file. None begins from scratch, which
        needs more time.
    seconds : float
        Of the processor, of all threads; more than 0, at most 480. The same seed does not give
        the same weights, because time decides how many steps are taken.
    steps : int, optional
        So many instead of the seconds: then the same seed gives the same weights, bit for bit.
    seed : int
        Chooses what is held out, and the order of what is learned from.
    names : sequence of str
        Of the images, for the record.
    progress : callable, optional
        Is given each `Score`, the first before training; about 20 come.
    stop : StopToken, optional
        Once set, training ends with the best weights so far.
    resume : TrainingState, str or Path, optional
        The state of a training of the same images from the same start, or its file: it goes on
        until it has taken `seconds` in all.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``, for each of the images.
        Windows with masked, missing or clipped pixels are left out.

    Returns
    -------
    TrainedWeights
        The best weights on the squares held out, or those of the start if none were better.

    Raises
    ------
    ValueError
        If the images cannot be learned from: see `refusal`.

    References
    ----------
    Chen and Pock (2017), Trainable nonlinear reaction diffusion. Ramani, Blu and Unser (2008),
    Monte-Carlo SURE. Lehtinen and others (2018), Noise2Noise. Kingma and Ba (2015), Adam.
    """
    _check_length(seconds, steps)
    begun = None if start is None else weights_named(name_of(start))
    state = resume if isinstance(resume, TrainingState | None) else read_state(Path(resume))
    with stoppable(stop):
        found = measured_images(images, kind, noise_sigma, options)
        about = _about(found, kind, names, seed)
        about["start"] = None if begun is None else begun.name
        windows = _windows(found, kind, noise_sigma, seed)
        free = _scratch(seed) if begun is None else FreeWeights.of(begun.network)
        rate = FAST if begun is None else GENTLE
        training = Training(windows, free, seconds, rate, seed, Threads(), steps)
        if state is not None:
            state.check(free, len(training.held_out), about)
            training.resume(state)
        training.run(progress or (lambda score: None))
    return _trained(training, about)


def refusal(
    images: ArrayLike | Image | Sequence[ArrayLike | Image],
    kind: Kind = "noisy",
    *,
    noise_sigma: float | tuple[float, ...] | str = "auto",
    seed: int = 0,
    **options: Unpack[GridOptions],
) -> str:
    """Return why `train` would refuse to learn from images, before any work; "" if it would not.

    Parameters
    ----------
    images, kind, noise_sigma, seed, **options
        As for `train`.
    """
    try:
        planes_of(measured_images(images, kind, noise_sigma, options), kind == "frames", seed)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def _check_length(seconds: float, steps: int | None) -> None:
    from napari_diffusion.core.whole_number import checked_whole

    checked_whole("steps", steps, 1, MOST_STEPS + 1)
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(
            f"seconds must be more than 0 and at most {MOST_SECONDS:g} (got {seconds!r})."
        )


def _windows(found: Sequence[MeasuredImage], kind: Kind, noise_sigma: Any, seed: int) -> Windows:
    planes = planes_of(found, kind == "frames", seed)
    if kind != "clean":
        return (FrameWindows if kind == "frames" else NoisyWindows)(planes)
    if noise_sigma == "auto":
        return CleanWindows(planes)
    levels = [sigma / unit for each in found for sigma in each.sigmas for unit in each.units]
    return CleanWindows(planes, (min(levels), max(levels)))


def _scratch(seed: int) -> FreeWeights:
    pilot = weights_named(_PHOTOGRAPHS).network.pilot
    return FreeWeights.random(_STEPS, _FILTERS, _NODES, _REACH, pilot, seed)


def _about(
    found: Sequence[MeasuredImage], kind: Kind, names: Sequence[str], seed: int
) -> dict[str, Any]:
    """Return what is learned from, as plain values."""
    return {
        "kind": kind,
        "seed": seed,
        "images": [
            {"name": names[n] if n < len(names) else "", **each.about()}
            for n, each in enumerate(found)
        ],
    }


def _trained(training: Training, about: dict[str, Any]) -> TrainedWeights:
    """Return what a training made, with its record."""
    better = training.is_better
    network = training.best if better else training.start.network()
    said = {
        **about,
        "is_better": better,
        "ended": training.ended,
        "seconds": round(training.used, 1),
        "steps": training.adam.steps,
        "scores": [each.numbers() for each in training.scores],
        "program": _program(),
    }
    weights = kept(bytes_of(network, said))
    return TrainedWeights(
        weights, list(training.scores), better, training.ended, said, training.state(about)
    )


def _program() -> str:
    """Return what trains, with its version where it is installed."""
    name = "napari-diffusion"
    with contextlib.suppress(PackageNotFoundError):
        return f"{name} {version(name)}"
    return name
