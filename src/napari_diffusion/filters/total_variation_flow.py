"""Total variation flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CONTRAST, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.flows.flow import SOLVER, SOLVER_CITES, SOLVER_WORDS, Flow, Solver

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import Edges

    # guide, mask, masked, slopes, joint channels, flat
    Coefficients = tuple[NDArray[Any], NDArray[np.bool_], bool, NDArray[Any], int, bool]

# "auto": what a step takes off a peak, and the slope that is still flat, over the contrast.
PART_OF_CONTRAST = 0.1


@dataclass(frozen=True)
class TotalVariationFlow(Flow["Coefficients"]):
    """Flatten noise and fine detail while edges stay sharp and in place.

    ``∂u/∂t = div(∇u / √(|∇u|² + epsilon²))``, the steepest descent of the total variation ``∫
    √(|∇u|² + epsilon²)``. A region loses height at the rate of its perimeter over its area,
    whatever its height, so small regions vanish first and edges stay in place: the height of a disk
    of radius R falls by 2 · time / R, that of a ball by 3 · time / R, and that of a single pixel by
    up to 2 · time / spacing per axis.

    Parameters
    ----------
    time : float or "auto"
        Diffusion time per step, 0 or more, in intensity times world units, since this flow removes
        height times length: twice the time removes twice the height. "auto" is a tenth of the
        contrast of the source times the smallest pixel size squared: ten steps remove noise of
        about that height.
    epsilon : float or "auto"
        In intensity per world unit, greater than 0. Gradients below it count as flat and diffuse
        linearly. Smaller values keep corners better, turn ramps into steps and take more sub-steps.
        "auto" is a tenth of the contrast of the source, see `napari_diffusion.estimate.contrast`.
    solver : {"explicit", "fsi", "aos"}
        "explicit" takes small sub-steps, preserves the range exactly and is local. "fsi" takes
        cycles of accelerated sub-steps, fewer for long diffusion times; it may leave the range near
        edges. "aos" takes long implicit steps along each axis, the fewest of all; it preserves the
        range, needs the whole image and favours the axes slightly.

    Notes
    -----
    Use it for images of flat regions with sharp borders, and before segmentation: there is no
    contrast to choose, and edges of any height stay. Not for smooth shading and fine texture: ramps
    turn into steps, texture vanishes first, and the remaining structures lose contrast.

    References
    ----------
    Rudin, Osher and Fatemi (1992), Nonlinear total variation based noise removal algorithms.
    Andreu, Ballester, Caselles and Mazón (2001), Minimizing total variation flow.
    Hafner, Ochs, Weickert, Reißel and Grewenig (2016), FSI schemes.
    Weickert, ter Haar Romeny and Viergever (1998), Efficient and reliable schemes for nonlinear
    diffusion filtering.
    """

    method_name = "total variation flow"
    terms = in_terms(
        time="diffusion time {} per step",
        epsilon="gradients below {} regularized",
        solver=SOLVER_WORDS,
    )
    estimates = measured(time=CONTRAST, epsilon=CONTRAST)
    cites = (Cite("rudin1992"), Cite("andreu2001"), *SOLVER_CITES)

    time: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "intensity·world",
            "tooltip": "Diffusion time per step; a disk of radius R loses 2·time/R of its height.",
        },
    ] = "auto"  # type: ignore[assignment]
    epsilon: Annotated[
        float | Literal["auto"],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Gradients below this count as flat; smaller values take more sub-steps.",
        },
    ] = "auto"
    solver: Annotated[Solver, SOLVER] = "explicit"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the time and epsilon that the image's own gradients suggest."""
        if "auto" not in (self.time, self.epsilon):
            return self
        from napari_diffusion.estimate import contrast_of

        part = PART_OF_CONTRAST * contrast_of(image)
        return self.replaced(
            time=part * min(image.grid.spacing) ** 2 if self.time == "auto" else self.time,
            epsilon=part if self.epsilon == "auto" else self.epsilon,
        )

    def _epsilon(self) -> float:
        self.number("time")
        return self.number("epsilon")

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step: the conductance is at most 1 / epsilon."""
        return self._epsilon() * super().bound(grid)

    def weights(self, tau: float, grid: Grid, dtype: DTypeLike) -> NDArray[Any]:
        """Return the weights of `Flow.weights` for a conductance that is at most 1."""
        return super().weights(tau / self._epsilon(), grid, dtype)

    @property
    def own_guide(self) -> bool:
        """Slopes are those of the state itself."""
        return True

    def prepare(self, block: Block) -> Coefficients:
        """Return (guide, mask, masked, slopes, joint channels, flat) for the kernels."""
        with np.errstate(over="ignore"):
            slopes = 1.0 / (self._epsilon() * np.array(block.grid.lengths))
        slopes = np.minimum(slopes, float(np.finfo(block.dtype).max)).astype(block.dtype)
        inside = np.zeros((1,) * 5, bool) if block.mask is None else block.mask
        count = block.shape[1] if block.grid.joint_channels else 1
        flat = block.mask is None and count == 1 and tuple(sorted(block.grid.along_axes)) == (3, 4)
        return block.values, inside, block.mask is not None, slopes, count, flat

    def edges(self, block: Block, conductance: NDArray[Any]) -> Edges:
        """Return the gradient that the least conductance, ``1 / √(1 + (s/epsilon)²)``, is of."""
        from napari_diffusion.filters.flows.inspection import Edges

        del block
        steepness = np.maximum(1.0 / np.square(np.maximum(conductance, 1e-12)) - 1.0, 0.0)
        gradient = (self._epsilon() * np.sqrt(steepness)).astype(conductance.dtype)
        # Where nothing flows at all nothing was measured either.
        gradient[conductance == 0] = 0
        return Edges(gradient, "gradient", "intensity/world", "epsilon", self._epsilon())

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Coefficients,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step; see `Flow.advance`."""
        from napari_diffusion.filters.flows import total_variation_kernels, total_variation_planes

        guide, inside, masked, slopes, count, flat = coefficients
        if flat:
            total_variation_planes.advance_plane(u, out, slopes, weights, *rows)
        else:
            total_variation_kernels.advance_rows(
                u, guide, out, inside, masked, slopes, weights, count, *rows
            )

    def write_faces(
        self, coefficients: Coefficients, faces: dict[int, NDArray[Any]], rows: tuple[int, int]
    ) -> None:
        """Write the conductance of the face below each pixel; see `Flow.write_faces`."""
        from napari_diffusion.filters.flows import total_variation_kernels, total_variation_planes

        guide, inside, masked, slopes, count, flat = coefficients
        if flat and len(faces) == 2:
            total_variation_planes.plane_faces(guide, slopes, faces[3], faces[4], *rows)
            return
        for axis, out in faces.items():
            total_variation_kernels.face_rows(
                guide, inside, masked, slopes, axis, count, out, *rows
            )
