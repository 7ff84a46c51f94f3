"""Total variation flow beside Chambolle's algorithm, at the same energy or a lower one.

Both go down ``E(u) = ½ Σ (u − f)² + weight · Σ |∇u|``, the energy of Rudin, Osher and Fatemi:
Chambolle's algorithm solves for its minimum and stops where it changes little, and the flow for the
time `weight` is its steepest descent without the first term, of which one implicit step would be
the minimum. So neither ends at the minimum, and a call is a unit of work: the flow's image has to
have an energy no higher than that of the image it is compared with. Slopes below EPSILON count as
flat to the flow, which Σ |∇u| does not know of.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the other library takes when nothing is given.
WEIGHT = 0.1
EPSILON = 0.02


def flow(setting: Setting) -> Iterator[Case]:
    smaller = tuple(n // 2 for n in setting.plane)
    for shape in (smaller, setting.plane):
        image = example_image(shape)
        for solver in ("explicit", "fsi"):
            chosen = nd.filters.TotalVariationFlow(time=WEIGHT, epsilon=EPSILON, solver=solver)
            yield _case(setting, image, chosen)


def _case(setting: Setting, image: np.ndarray, chosen: nd.filters.TotalVariationFlow) -> Case:
    count = chosen.sub_steps(nd.Grid.of(image.shape))
    reached = energy(chosen(image), image)
    return Case(
        "total-variation",
        f"Total variation, {count} sub-steps of solver {chosen.solver}, {name_of(image.shape)}",
        "pixel, all sub-steps",
        Side(f"TotalVariationFlow (energy {reached:.4g})", lambda: chosen(image), image.size),
        (
            *here(setting, (peers.RESTORATION, functools.partial(_chambolle, image))),
            copying(image),
        ),
    )


def energy(u: Any, image: np.ndarray) -> float:
    """Return E(u) per pixel, times 1000, with differences on one side as the other library has."""
    squares, values = np.zeros(image.shape), np.asarray(u, float)
    for axis in range(image.ndim):
        last = np.take(values, [-1], axis)
        squares += np.diff(values, axis=axis, append=last) ** 2
    fidelity = 0.5 * (values - image) ** 2
    return float(1000 * (fidelity + WEIGHT * np.sqrt(squares)).mean())


def _chambolle(image: np.ndarray) -> Side:
    def run() -> Any:
        return peers.RESTORATION.loaded.denoise_tv_chambolle(image, weight=WEIGHT)

    note = f"energy {energy(run(), image):.4g}"
    return Side("scikit-image denoise_tv_chambolle", run, image.size, note)
