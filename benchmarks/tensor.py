"""Diffusion along directions: the cost of one sub-step, the tensors included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, here, name_of, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

UNIT = "sample and sub-step"
CONTRAST = 0.1
TIME = 1.0
ITERATIONS = 1


def edges(setting: Setting) -> Iterator[Case]:
    chosen = nd.filters.EdgeEnhancing(contrast=CONTRAST, time=TIME)
    yield from _cases(setting, "edge-enhancing", "Edge-enhancing", chosen)


def coherence(setting: Setting) -> Iterator[Case]:
    chosen = nd.filters.CoherenceEnhancing(contrast=CONTRAST, time=TIME)
    yield from _cases(setting, "coherence-enhancing", "Coherence-enhancing", chosen)


def _cases(setting: Setting, name: str, title: str, chosen: Any) -> Iterator[Case]:
    for shape in (setting.plane, setting.volumes[0]):
        image = picture(shape)
        count = chosen.sub_steps(nd.Grid.of(shape))
        yield Case(
            name,
            f"{title}, {name_of(shape)}",
            UNIT,
            Side(type(chosen).__name__, lambda i=image: chosen(i), image.size * count),
            (
                *here(setting, (peers.DIPLIB, lambda i=image: _diplib(i))),
                copying(image),
            ),
        )


def _diplib(image: np.ndarray) -> Side:
    call = peers.DIPLIB.loaded.CoherenceEnhancingDiffusion
    note = "another discretisation, which may leave the range; per iteration"

    def run() -> Any:
        return call(image, iterations=ITERATIONS, flags={"all"} if image.ndim > 2 else {"first"})

    return Side("DIPlib CoherenceEnhancingDiffusion", run, image.size * ITERATIONS, note)
