"""Diffusion along directions: the cost of one sub-step, the tensors included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator


UNIT = "pixel and sub-step"
# Little enough to find directions nearly everywhere, which costs the most.
CONTRAST = 0.02
ITERATIONS = 1


def edges(setting: Setting) -> Iterator[Case]:
    chosen = nd.filters.EdgeEnhancing(contrast=CONTRAST, time=1.0)
    yield from _cases(setting, "edge-enhancing", "Edge-enhancing", chosen)


def coherence(setting: Setting) -> Iterator[Case]:
    chosen = nd.filters.CoherenceEnhancing(contrast=CONTRAST, time=2.0)
    yield from _cases(setting, "coherence-enhancing", "Coherence-enhancing", chosen)


def _cases(setting: Setting, name: str, title: str, chosen: Any) -> Iterator[Case]:
    for shape in (setting.plane, setting.volumes[0]):
        image = example_image(shape)
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
    """DIPlib on a part of the image, for it takes long; that makes it no slower."""
    call = peers.DIPLIB.loaded.CoherenceEnhancingDiffusion
    times = 4 if image.ndim == 2 else 2
    part = np.ascontiguousarray(image[tuple(slice(0, -(-n // times)) for n in image.shape)])
    size = name_of(part.shape)
    note = f"another discretisation, which may leave the range; per iteration, on {size}"

    def run() -> Any:
        return call(part, iterations=ITERATIONS, flags={"all"} if image.ndim > 2 else {"first"})

    return Side("DIPlib CoherenceEnhancingDiffusion", run, part.size * ITERATIONS, note)
