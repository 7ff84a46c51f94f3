"""Speckle-reducing anisotropic diffusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CHOSEN, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.flows.flow import Flow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import Edges

    # conductance at the pixels, mask, joint
    Coefficients = tuple[NDArray[Any], NDArray[np.bool_] | None, bool]

# The paper's q0 falls by exp(−t/6) in a time that runs 4 times as fast in pixels.
DECAY_IN_SQUARES = 1.5


@dataclass(frozen=True)
class SpeckleReducing(Flow["Coefficients"]):
    """Smooth speckle, whose strength grows with the intensity, and keep edges.

    ``∂u/∂t = div(c(q) ∇u)``, with q the standard deviation of the neighbours of a pixel over their
    mean. Where q is at most q0, the value of pure speckle, c is 1; above it, at edges and bright
    points, ``c = 1 / (1 + (q² − q0²) / (q0² (1 + q0²)))``. Scaling the whole image changes nothing,
    so bright and dark regions are treated equally. Known as SRAD.

    Explicit sub-steps, with the mean c of two neighbours between them, preserve the mean and the
    range. q is measured on the nearest pixels whatever the pixel size, since speckle is a property
    of pixels; the flux depends on the pixel size.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units², 0 or more. The time of the paper is 4 times as
        large.
    q0 : float or "auto"
        Standard deviation over mean of the speckle, greater than 0: about 1 / √L for white speckle
        of L looks. Larger values smooth across stronger edges. "auto" is the median of q over the
        source.
    decay : float or "auto"
        Time in world units² in which q0 falls to 0.37 of its value within a step, as the speckle
        does; 0 keeps it constant. "auto" is that of the paper, 1.5 times the smallest pixel size
        squared.

    Notes
    -----
    Use it for ultrasound, radar and laser images, whose noise is stronger where they are brighter:
    on intensities or amplitudes of 0 or more. Not after a logarithm, which makes the noise uniform
    (take `PeronaMalik`), nor after background subtraction: q is meaningless for means near or below
    0, and neighbours of both signs count as an edge. Every step starts with q0 again: one long step
    keeps edges better than many short ones.

    Raises
    ------
    ValueError
        If q0 is "auto" and no pixel has neighbours with a positive mean. A q0 given as a number is
        not checked against the image.

    References
    ----------
    Yu and Acton (2002), Speckle reducing anisotropic diffusion.
    """

    display_name: ClassVar[str] = "Speckle-reducing diffusion (SRAD)"
    method_name = "speckle-reducing anisotropic diffusion (SRAD)"
    terms = in_terms(
        time="diffusion time {} per step",
        q0="speckle coefficient of variation {} at the start",
        decay="decaying over a time of {}",
    )
    estimates = measured(decay=CHOSEN)
    cites = (Cite("yu2002"),)
    shifts_with_grey: ClassVar[bool] = False

    q0: Annotated[
        float | Literal["auto"],
        {
            "above": 0.0,
            "tooltip": "Standard deviation over mean of pure speckle; stronger variation stays.",
        },
    ] = "auto"
    decay: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "world²",
            "tooltip": "Time in which q0 falls to 0.37 of its value; 0 keeps it constant.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the speckle that the image has."""
        q0 = _measured(image) if self.q0 == "auto" else self.q0
        decay = (
            DECAY_IN_SQUARES * min(image.grid.spacing) ** 2 if self.decay == "auto" else self.decay
        )
        return self.replaced(q0=q0, decay=decay)

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches: a neighbour, and that one's neighbours."""
        return per_axis(2 * each for each in super().reach(grid))

    def at(self, sub_step: int, grid: Grid) -> Self:
        """Return the equation with the q0 that has fallen so far; see `Equation.at`."""
        q0, decay, tau = self.number("q0"), self.number("decay"), self.time / self.sub_steps(grid)
        fallen = math.exp(-sub_step * tau / decay) if decay else 1.0
        return self.replaced(q0=max(q0 * fallen, 1e-300))

    def prepare(self, block: Block) -> Coefficients:
        """Return (c at the pixels, mask, joint)."""
        from napari_diffusion.filters.flows.speckle_kernels import coefficient, squared_variation

        squared = squared_variation(block)
        return coefficient(squared, self.number("q0")), block.mask, block.grid.joint_channels

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Coefficients,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step; see `Flow.advance`."""
        from napari_diffusion.filters.flows import conductance_kernels

        guide, mask, joint = coefficients
        slopes = np.ones((u.shape[1], 5), u.dtype)
        law = (conductance_kernels.CELLS, 0, 0.0)
        conductance_kernels.advance_faces(u, guide, out, mask, law, slopes, weights, joint, *rows)

    def pixel_conductance(self, coefficients: Coefficients) -> NDArray[Any]:
        """Return c at the pixels; see `Equation.pixel_conductance`."""
        return coefficients[0]

    def edges(self, block: Block, conductance: NDArray[Any]) -> Edges:
        """Return q, the standard deviation of a pixel's neighbours over their mean."""
        from napari_diffusion.filters.flows.inspection import Edges
        from napari_diffusion.filters.flows.speckle_kernels import squared_variation

        del conductance
        q = np.sqrt(squared_variation(block))
        return Edges(q, "standard deviation over mean", "", "q0", self.number("q0"))

    def write_faces(
        self, coefficients: Coefficients, faces: dict[int, NDArray[Any]], rows: tuple[int, int]
    ) -> None:
        """Write the conductance of the face below each pixel; see `Equation.write_faces`."""
        from napari_diffusion.filters.flows import conductance_kernels
        from napari_diffusion.filters.flows.face_kernels import face_rows

        guide, law = coefficients[0], (conductance_kernels.CELLS, 0, 0.0)
        slopes = np.ones((1, 5), guide.dtype)
        for axis, out in faces.items():
            face_rows(guide, law, slopes, axis, 1, out, *rows)


def _measured(image: Image) -> float:
    """Return the median of q over the pixels whose neighbours have a positive mean."""
    from napari_diffusion.engine.counting import NOT_MEASURED
    from napari_diffusion.engine.executor import measured
    from napari_diffusion.filters.flows.speckle_kernels import squared_variation

    def variation(block: Block) -> NDArray[Any]:
        q = np.sqrt(squared_variation(block))
        joint = block.grid.joint_channels
        bright = block.values.max(axis=1, keepdims=True) if joint else block.values
        return np.where(bright > 0, q, q.dtype.type(NOT_MEASURED))

    halo = tuple(int(axis in image.grid.along_axes) for axis in range(5))
    found = measured(image, variation, halo)
    if not found.total:
        raise ValueError(
            "SpeckleReducing: q0 cannot be measured on an image without positive intensities: "
            "set q0, or add the background that was subtracted."
        )
    middle = found.quantile(0.5)
    if middle > 0:
        return middle
    return found.without_zeros().quantile(0.9) or 1.0
