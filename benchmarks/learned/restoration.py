"""Restorations against simple methods: holes, missing pixels, larger pixels, blur, a wedge."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from napari_diffusion.measurements import Binned, Blurred, Masked, Wedge

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, SEEDS = 128, 4

# Of the means of four seeds, in dB over the simple method, as means over all images.
TARGETS = {"holes": 1.5, "70 % missing": 0.7, "4 ×": 0.1, "blur": 1.8, "wedge": 1.2}

# What a restoration of 512² may take on two cores, in seconds.
TIME = 60.0

_BLUR = 1.6


@dataclass(frozen=True)
class Task:
    """An image that was measured in part.

    Attributes
    ----------
    preset : str
        That restores it.
    measurement : Measurement
        With the noise that was added.
    source : ndarray
        What was measured.
    scored : ndarray of bool
        Where errors count: in holes, or everywhere.
    simple : callable
        Returns what the simple method makes of the source; it may know the ground truth.
    """

    preset: str
    measurement: Any
    source: Any
    scored: Any
    simple: Callable[[Any], Any]


def tasks(x: Any) -> dict[str, Task]:
    """Return all tasks of an image; noise and missing pixels are the same for every image."""
    rng, n = np.random.default_rng(5), SIDE
    whole, hole = np.ones((n, n), bool), np.zeros((n, n), bool)
    for row, column in ((20, 20), (20, 84), (56, 50), (92, 20), (92, 84)):
        hole[row : row + 14, column : column + 14] = True
    scattered = rng.random((n, n)) < 0.7
    fine, strong = rng.normal(0, 0.01, (n, n)), rng.normal(0, 0.02, (n, n))
    binned = x.reshape(n // 4, 4, n // 4, 4).mean((1, 3)) + fine[: n // 4, : n // 4]
    blurred, wedge = Blurred(0.02, psf_sigma=_BLUR), Wedge(0.04)
    tilted = _measured(wedge, x + 2 * strong)
    return {
        "holes": _missing(x + fine, hole),
        "70 % missing": _missing(x + fine, scattered),
        "4 ×": Task("enlarge", Binned(0.01, factor=4), binned, whole, _cubic),
        "blur": Task(
            "sharpen", blurred, _measured(blurred, x) + strong, whole, lambda y: _wiener(y, x)
        ),
        "wedge": Task("fill the wedge", wedge, tilted, whole, nd.filters.LearnedDiffusion(0.04)),
    }


def _missing(x: Any, hole: Any) -> Task:
    from skimage.restoration import inpaint_biharmonic

    return Task(
        "restore holes",
        Masked(0.01),
        np.where(hole, np.nan, x),
        hole,
        lambda y: inpaint_biharmonic(np.nan_to_num(y), hole),
    )


def _measured(measurement: Any, x: Any) -> Any:
    return measurement.forward(x[None, None, None].astype(float), nd.Grid.of(x.shape))[0, 0, 0]


def _cubic(y: Any) -> Any:
    from scipy import ndimage

    return ndimage.zoom(y, 4, order=3, mode="nearest", grid_mode=True)


def _wiener(y: Any, x: Any) -> Any:
    """Return the Wiener filter at the regularisation that the ground truth says is best."""
    from scipy import fft

    cycles = np.arange(SIDE) / (2 * SIDE)
    squares = cycles[:, None] ** 2 + cycles**2
    gain = np.exp(-0.5 * (2 * np.pi * _BLUR) ** 2 * squares)
    spectrum = fft.dctn(y)
    made = (
        fft.idctn(spectrum * gain / (gain**2 + weight * np.maximum(squares, 1e-6) ** power))
        for weight in 10.0 ** np.arange(-4, 3, 0.25)
        for power in (0, 1)
    )
    return min(made, key=lambda each: np.mean((each - x) ** 2))


def names() -> list[str]:
    """Return the images for reporting that are here and large enough."""
    return images.reported(SIDE, SIDE)


def measured(seeds: int) -> dict[str, Any]:
    """Return a row for each image and task, and the time of 512²; `seeds` of each, at least 1."""
    rows: list[list[Any]] = []
    for name in names():
        x = images.middle(name, SIDE)
        for kind, task in tasks(x).items():
            rows.append([name, kind, *row(task, x, seeds)])
            print(*rows[-1], flush=True)
    return {"rows": rows, "seeds": seeds, "seconds": _seconds()}


def row(task: Task, x: Any, seeds: int) -> list[float]:
    """Return PSNR of the simple method, of one seed on average, and of the mean of all seeds."""
    recipe = nd.PRESETS[task.preset].replaced(measurement=task.measurement)
    source = task.source.astype(np.float32)
    made = [
        nd.run(source, recipe.replaced(seed=seed), missing="ignore").image for seed in range(seeds)
    ]
    one = float(np.mean([_psnr(each, x, task) for each in made]))
    return [_psnr(task.simple(task.source), x, task), one, _psnr(np.mean(made, 0), x, task)]


def _psnr(found: Any, x: Any, task: Task) -> float:
    return float(-10 * np.log10(np.mean((found - x)[task.scored] ** 2)))


def _seconds() -> float:
    """Return the time of a restoration of 512², compiled before."""
    image = np.random.default_rng(0).random((512, 512), np.float32)
    recipe = nd.PRESETS["restore holes"].replaced(measurement=Masked(0.01))
    nd.run(image[:64, :64], recipe.replaced(num_steps=2))
    began = time.perf_counter()
    nd.run(image, recipe)
    return time.perf_counter() - began


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows, count = values["rows"], len({name for name, *_ in values["rows"]})
    made = [
        "## Restoration\n",
        f"{count} images of 128², all of the role *report* that are large enough: "
        f"{', '.join(dict.fromkeys(name for name, *_ in rows))}. The presets as they are, with the "
        "measurement and its noise given. Intensities from 0 to 1, noise .01 (blur: "
        f".02, wedge: .04); {values['seeds']} seeds. PSNR in dB where data are missing: in holes, "
        "elsewhere of the whole image. Simple methods: biharmonic; cubic; Wiener at the "
        "regularisation that is best for the ground truth; LearnedDiffusion for the wedge.\n",
        "| | simple | one seed | mean of seeds | gain | median | worst | wanted | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, wanted in TARGETS.items():
        figures = np.array([each[2:] for each in rows if each[1] == kind])
        gains = figures[:, 2] - figures[:, 0]
        simple, one, mean = figures.mean(0)
        verdict = "met" if gains.mean() >= wanted else "missed"
        made.append(
            f"| {kind} | {simple:.2f} | {one:.2f} | {mean:.2f} | {gains.mean():+.2f} "
            f"| {np.median(gains):+.2f} | {gains.min():+.2f} | ≥ +{wanted} | {verdict} |"
        )
    return [
        *made,
        "",
        f"512², 30 steps of 3 rounds: {values['seconds']:.0f} s (wanted: ≤ {TIME:.0f} s on two "
        "cores).",
    ]
