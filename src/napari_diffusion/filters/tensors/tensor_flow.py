"""The base class of tensor-driven diffusion: structure tensor, diffusion tensor, exchange."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from napari_diffusion.core.grid import per_axis
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.filters.flows.flow import Flow
from napari_diffusion.filters.flows.inspection import Edges, in_contrasts, shared_fields
from napari_diffusion.filters.tensors.axis_frame import Frame, refuse_stretched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.tensors.tensor_inspection import TensorInspection
    from napari_diffusion.filters.tensors.tensor_steps import Exchange


# Sub-steps that may go by before the tensors are taken anew.
HELD = 4

# Pixels that a smoothing may be wide; it is repeated each time the tensors are taken.
WIDEST = 50

INTEGRATION = {
    "min": 0.0,
    "unit": "world",
    "tooltip": "Averaging width of directions; at least the width of the gaps to close.",
}


class TensorLaw(NamedTuple):
    """What becomes of the eigenvalues of a structure tensor; see `_tensor_laws`."""

    code: int
    power: int = 1
    constant: float = 1.0
    alpha: float = 0.0
    switch: float = -1.0


@dataclass(frozen=True)
class TensorFlow(Flow[Any]):
    """A diffusion equation ``∂u/∂t = div(D ∇u)`` whose tensor D follows the image.

    ``J = G_integration ∗ (∇v ∇vᵀ)`` with v the image smoothed by `smoothing`, summed over joint
    channels; D has the eigenvectors of J, and eigenvalues that each filter derives from those of J.
    Time beside three spatial axes diffuses separately, with a scalar diffusivity.
    """

    # Over four axes time is treated apart, and may not change places with space.
    turns: ClassVar[bool] = False

    # What "auto" is, as a fraction of `estimate.contrast`.
    auto_contrast: ClassVar[float] = 1.0

    # What is compared with the contrast.
    edge_name: ClassVar[str] = "gradient"

    contrast: Annotated[
        float | Literal["auto"] | tuple[float, ...],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Edge threshold: gradients below it are smoothed as noise.",
        },
    ] = "auto"
    smoothing: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Blur before directions are computed; prevents noise from setting them.",
        },
    ] = 1.0
    condition_limit: Annotated[
        float,
        {
            "min": 1.0,
            "max": 10_000.0,
            "tooltip": "Largest ratio of diffusion along structures to that across them.",
        },
    ] = 1000.0

    def resolved(self, image: Image) -> Self:
        """Return this filter with the contrast that the image's own gradients suggest."""
        if self.contrast != "auto":
            self.number_per_channel("contrast", image.grid)
            return self
        from napari_diffusion.estimate import contrast_of

        self._variances("smoothing", image.grid)
        return self.replaced(contrast=self.auto_contrast * contrast_of(image, self.smoothing))

    def _variances(self, name: str, grid: Grid) -> dict[int, float]:
        """Return the variances in pixels² of the Gaussian that a parameter sets."""
        sigma = getattr(self, name, 0.0)
        widest = sigma / min(grid.spacing)
        if widest > WIDEST:
            raise ValueError(
                f"{type(self).__name__}: {name}={sigma:g} is {widest:g} pixels, more than "
                f"{WIDEST}: use a smaller value, or correct the spacing."
            )
        return grid.variances(sigma)

    @abc.abstractmethod
    def law(self) -> TensorLaw:
        """Return what becomes of the eigenvalues of J."""

    def stencil_reach(self, grid: Grid) -> Shape:
        """Return how far a stencil reaches at most, per canonical axis."""
        from napari_diffusion.filters.tensors import stencil

        refuse_stretched(type(self).__name__, grid)
        inner = grid.along_axes[-3:]
        lengths = [grid.length(axis) for axis in inner]
        far = stencil.reach(self.condition_limit, lengths) if len(inner) > 1 else (1,)
        reach = dict.fromkeys(grid.along_axes, 1) | dict(zip(inner, far, strict=True))
        return per_axis(reach.get(axis, 0) for axis in range(5))

    def reach(self, grid: Grid) -> Shape:
        """Return how far a sub-step reaches that takes the tensors anew.

        Twice a stencil, for what a neighbour exchanges depends on its own neighbours' stencils,
        the gradient, and both smoothings.
        """
        from napari_diffusion.engine.smoothing import reach

        far = [2 * each for each in self.stencil_reach(grid)]
        for axis in grid.along_axes:
            far[axis] += 1
            for name in ("smoothing", "integration"):
                far[axis] += reach(self._variances(name, grid)[axis])
        return per_axis(far)

    def part_count(self, grid: Grid) -> int:
        """Return how many times the tensors are taken anew; see `Filter.part_count`."""
        return max(-(-self.sub_steps(grid) // HELD), 1)

    def part_halo(self, grid: Grid, start: int, stop: int) -> Shape:
        """Return the reach of some parts: their first sub-steps alone look at the image anew."""
        count = len(self._sub_steps_of(grid, start, stop))
        updates = stop - start if count else 0
        return per_axis(
            count * stencil + updates * (whole - stencil)
            for whole, stencil in zip(self.reach(grid), self.stencil_reach(grid), strict=True)
        )

    def _sub_steps_of(self, grid: Grid, start: int, stop: int) -> range:
        """Return the sub-steps of some parts, as many in each as evenness allows."""
        count, parts = self.sub_steps(grid), self.part_count(grid)
        return range(-(-start * count // parts), -(-stop * count // parts))

    def prepare(self, block: Block) -> NDArray[Any]:
        """Return the diffusion tensors (components, G, site rows, X) of a state, laid out."""
        frame = Frame.of(block.shape, block.grid)
        return self._tensors(frame.arranged(block.values), frame, block)

    def _tensors(self, u: NDArray[Any], frame: Frame, block: Block) -> NDArray[Any]:
        from napari_diffusion.filters.tensors import tensor_kernels

        structure = self._structure(u, frame, block)
        tensor_kernels.replace(structure, self.law(), 1.0 / self.condition_limit, block.threads)
        return structure

    def _structure(self, u: NDArray[Any], frame: Frame, block: Block) -> NDArray[Any]:
        """Return the structure tensors of a state of a block, laid out."""
        from napari_diffusion.filters.tensors import tensor_steps

        inside = None if block.mask is None else frame.arranged(block.mask)
        contrasts = self.number_per_channel("contrast", block.grid)
        sigmas = (self.smoothing, getattr(self, "integration", 0))
        return tensor_steps.structure(
            u, frame, inside, contrasts, sigmas, block.grid.joint_channels, block.threads
        )

    def coherence(self, block: Block) -> NDArray[Any]:
        """Return √(µ₁ − µ_last) of J at every pixel, in intensity per world unit."""
        from napari_diffusion.filters.tensors import tensor_kernels

        frame = Frame.of(block.shape, block.grid)
        structure = self._structure(frame.arranged(block.values), frame, block)
        tensor_kernels.replace(structure, TensorLaw(tensor_kernels.DIFFERENCE), 1.0, block.threads)
        t, _, z, y, x = frame.shape
        apart = structure[0].reshape(-1, t, z, y, x).swapaxes(0, 1)
        unit = block.dtype.type(max(self.number_per_channel("contrast", block.grid)))
        return frame.restored(np.sqrt(apart)) * unit

    def _advanced(
        self, block: Block, start: int, stop: int, core: tuple[slice, ...] | None
    ) -> NDArray[Any]:
        self.reach(block.grid)
        frame = Frame.of(block.shape, block.grid)
        u = frame.arranged(block.values)
        exchange = self._exchange(u, frame, block)
        tau = self.time / self.sub_steps(block.grid)
        weights = self.weights(tau, block.grid, np.float64)
        bands = block.threads.bands(frame.row_count, block.shape[1] * frame.shape[4])
        for part in range(start, stop):
            # What is not needed meanwhile goes first: tensors are large.
            tensors = np.empty(0)
            exchange.release()
            tensors = self._tensors(u, frame, block)
            sub_steps = self._sub_steps_of(block.grid, part, part + 1)
            for sub_step in sub_steps:
                wanted = None
                if core is not None:
                    more = sub_steps.stop - 1 - sub_step
                    wanted = frame.rows_within(self._needed(block, core, more, part + 1, stop))
                fresh = sub_step == sub_steps.start
                exchange.add_up(tensors, tau, fresh, block.threads, wanted)
                block.threads.each(
                    lambda a, b: self.advance(u, u, exchange, weights, (a, b)), bands
                )
        return frame.restored(u)

    def _exchange(self, u: NDArray[Any], frame: Frame, block: Block) -> Exchange:
        """Return the exchange between the pixels of a state, laid out."""
        from napari_diffusion.filters.tensors.tensor_steps import Exchange

        inside = None if block.mask is None else frame.arranged(block.mask)
        far = frame.of_axes(self.stencil_reach(block.grid))
        return Exchange(u, frame, inside, far, block.grid.joint_channels, block.threads)

    def edge_strength(self, eigenvalues: NDArray[Any]) -> NDArray[Any]:
        """Return the square of what is compared with the contrast, of ascending eigenvalues of J.

        Here the largest, the gradient across the strongest edge.
        """
        return np.asarray(eigenvalues[..., -1])

    def inspected(self, block: Block) -> TensorInspection:
        """Return tensors and what flows along their stencils; see `Filter.inspect`."""
        from napari_diffusion.filters.tensors import tensor_inspection

        grid, tau = block.grid, self.explicit_step(block.grid)
        self.reach(grid)
        frame = Frame.of(block.shape, grid)
        u = frame.arranged(block.values)
        structure = self._structure(u, frame, block)
        strength = self.edge_strength(tensor_inspection.eigenvalues(structure, frame))
        contrasts = self.number_per_channel("contrast", grid)
        values, threshold = in_contrasts(strength, contrasts, grid.joint_channels)
        edges = Edges(values, self.edge_name, "intensity/world", "contrast", threshold)
        exchange, tensors = self._exchange(u, frame, block), self._tensors(u, frame, block)
        exchange.add_up(tensors, tau, True, block.threads)
        shared = shared_fields(self, block, tau, edges, None)
        return tensor_inspection.inspected(shared, block, exchange, tensors)

    def _needed(
        self, block: Block, core: tuple[slice, ...], more: int, start: int, stop: int
    ) -> tuple[slice, ...]:
        """Return what `more` sub-steps and then some parts need for a core."""
        each, later = self.stencil_reach(block.grid), self.part_halo(block.grid, start, stop)
        halo = [more * n + m for n, m in zip(each, later, strict=True)]
        return with_halo(core, halo, block.shape)[0]

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Exchange,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Add what an exchange has added up to its own state."""
        del u, out, weights
        coefficients.settle(rows)
