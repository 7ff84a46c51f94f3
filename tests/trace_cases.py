"""A trace with every kind of reading, and inspections with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from napari_diffusion.forensics import (
    Curve,
    Number,
    Place,
    Reading,
    Trace,
    TraceMap,
    evidence_of,
)
from napari_diffusion.forensics.inspection import inspect

SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Blocks(Trace):
    """Find two blocks.

    Parameters
    ----------
    side : int
        Of a block.
    """

    null: ClassVar = "a-contrario"
    assumes: ClassVar = f"Blocks are blocks {SCRIPT}."
    misleads: ClassVar = ("Tiled scans have blocks.", "Montages have blocks.")

    side: Annotated[int, {"min": 1, "tooltip": "Of a block."}] = 8

    def read(self, evidence):
        grid = evidence.image.grid
        axes = grid.axes.replace("c", "") if grid.rgb else grid.axes
        shape = [n for a, n in zip("tczyx", grid.shape, strict=True) if a in axes]
        values = np.linspace(-2, 2, int(np.prod(shape))).reshape(shape)
        square = np.array([[0, 0], [0, self.side], [self.side, self.side], [self.side, 0]], float)
        plane = tuple(n - 1 for n in shape[:-2])
        return Reading(
            self,
            maps=(TraceMap(f"difference {SCRIPT}", values, "intensity", (-2.0, 2.0), True),),
            curves=(
                Curve("found", "period (pixels)", "height", (1.0, 2.0, 3.0), (0.0, 5.0, 1.0)),
                Curve("chance", "period (pixels)", "height", (1.0, 3.0), (1.0, 1.0), True),
                Curve("other", "lag", "height", (1.0, 3.0), (1.0, 1.0)),
            ),
            places=(Place(square + 2, plane, -4.5, f"a block {SCRIPT}", square + 20, "", plane),),
            numbers=(Number("period (pixels)", 8.0, 7.5, 8.5, "untouched images have none"),),
            remarks=(f"Two blocks are equal {SCRIPT}.",),
        )


@dataclass(frozen=True)
class FromFile(Trace):
    """Needs the file."""

    needs: ClassVar = frozenset({"file"})

    def read(self, evidence):
        return Reading(self, remarks=("The file was seen.",))


def inspection(image=None, name="cells.tif", reference=None, **options):
    if image is None:
        image = np.random.default_rng(3).normal(100, 10, (40, 50)).astype(np.float32)
    evidence = evidence_of(image, reference, **options)
    return inspect(evidence, (Blocks(), FromFile()), name, "other.tif")
