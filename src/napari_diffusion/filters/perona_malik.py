"""Nonlinear diffusion that stops at edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import CONTRAST, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.flows.conductance_laws import LAWS, weickert_constant
from napari_diffusion.filters.flows.flow import SOLVER, SOLVER_CITES, SOLVER_WORDS, Flow, Solver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import Edges

    # guide, law, slopes, mask, joint
    Coefficients = tuple[
        NDArray[Any], tuple[int, int, float], NDArray[Any], NDArray[np.bool_] | None, bool
    ]


Conductance = Literal[
    "rational", "exponential", "simple exponential", "charbonnier", "huber", "tukey", "weickert"
]

_PEOPLE = ("charbonnier", "huber", "tukey", "weickert")

CONDUCTANCE_WORDS = {
    name: f"{name.capitalize() if name in _PEOPLE else name} conductance" for name in LAWS
}


@dataclass(frozen=True)
class PeronaMalik(Flow["Coefficients"]):
    """Smooth inside regions and keep their edges.

    ``∂u/∂t = div(g(s) ∇u)``, with s the gradient in intensity per world unit and g the conductance,
    which is 1 at s = 0 and small where s is much larger than the contrast. With r = s / contrast:

    ====================  =================================  ==========================
    conductance           g                                  flux s·g greatest at
    ====================  =================================  ==========================
    rational              ``1 / (1 + r²)``                   s = contrast
    exponential           ``exp(−r²/2)``                     s = contrast
    simple exponential    ``exp(−r)``                        s = contrast
    tukey                 ``(1 − r²/5)²``, 0 for r² > 5      s = contrast
    weickert              ``1 − exp(−C / r^(2·sharpness))``  s = contrast
    charbonnier           ``1 / √(1 + r²)``                  grows to contrast
    huber                 ``min(1, 1/r)``                    constant from contrast on
    ====================  =================================  ==========================

    Gradients below the contrast are smoothed away; steeper ones are edges and stay. C makes the
    flux of Weickert's conductance greatest at s = contrast: exp(C) = 1 + 2·sharpness·C. Explicit
    sub-steps preserve the mean and the range.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units². Larger values smooth more inside regions.
    conductance : str
        Rational favours wide regions over small ones; the exponentials favour strong edges over
        weak ones; Tukey and Weickert do not blur edges at all and may keep isolated noisy pixels;
        Charbonnier and Huber blur edges slightly and do not turn ramps into steps.
    contrast : float, tuple of float or "auto"
        Edge threshold in intensity per world unit, greater than 0; one per channel if many. Larger
        values smooth across stronger edges. "auto" estimates it from the gradients of the source,
        see `napari_diffusion.estimate.contrast`.
    gradient : {"face", "magnitude"}
        "face" is the original scheme: s is the difference between two neighbouring pixels, over all
        joint channels together. "magnitude" takes |∇u| at the pixels and the mean conductance of
        two neighbours, which treats all directions more equally.
    smoothing : float
        Standard deviation in world units of the Gaussian applied before s is computed, 0 or more.
        It prevents noise from being treated as edges (Catté and others).
    sharpness : int
        1 to 8, for Weickert's conductance only: how abruptly it falls at the contrast.
    solver : {"explicit", "fsi", "aos"}
        "explicit" takes small sub-steps, preserves the range exactly and is local. "fsi" takes
        cycles of accelerated sub-steps, fewer for long diffusion times; it may leave the range near
        edges. "aos" takes long implicit steps along each axis, the fewest of all; it preserves the
        range, needs the whole image and favours the axes slightly.

    Notes
    -----
    Use it for images of regions with clear borders: cells, organelles, grains, faces. It is the
    filter to start with. Not for thin lines and fine texture close to the noise level, which it
    breaks up or removes; nor for isolated outliers, which are as steep as edges and stay unless you
    set `smoothing` or apply a median first. Smooth ramps turn into steps after a long time.

    References
    ----------
    Perona and Malik (1990), Scale-space and edge detection using anisotropic diffusion.
    Catté, Lions, Morel and Coll (1992), Image selective smoothing and edge detection by nonlinear
    diffusion.
    Charbonnier, Blanc-Féraud, Aubert and Barlaud (1997), Deterministic edge-preserving
    regularization in computed imaging.
    Black, Sapiro, Marimont and Heeger (1998), Robust anisotropic diffusion (Tukey, Huber).
    Weickert (1998), Anisotropic diffusion in image processing.
    Hafner, Ochs, Weickert, Reißel and Grewenig (2016), FSI schemes.
    Weickert, ter Haar Romeny and Viergever (1998), Efficient and reliable schemes for nonlinear
    diffusion filtering.
    """

    display_name: ClassVar[str] = "Perona–Malik"
    method_name = "anisotropic diffusion (Perona–Malik)"
    terms = in_terms(
        conductance=CONDUCTANCE_WORDS,
        contrast="contrast {}",
        time="diffusion time {} per step",
        smoothing="gradients pre-smoothed with σ = {}",
        gradient={"magnitude": "gradient magnitude at the pixels"},
        solver=SOLVER_WORDS,
    )
    estimates = measured(contrast=CONTRAST)
    cites = (
        Cite("perona1990"),
        Cite("catte1992", "smoothing"),
        Cite("charbonnier1997", "conductance", ("charbonnier",)),
        Cite("black1998", "conductance", ("tukey", "huber")),
        Cite("weickert1998", "conductance", ("weickert",)),
        *SOLVER_CITES,
    )

    conductance: Annotated[
        Conductance,
        {"tooltip": "Decrease of smoothing with the gradient; start with rational."},
    ] = "rational"
    contrast: Annotated[
        float | Literal["auto"] | tuple[float, ...],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Edge threshold: steeper gradients stay, weaker ones are smoothed.",
        },
    ] = "auto"
    gradient: Annotated[
        Literal["face", "magnitude"],
        {"tooltip": "Gradient: difference of two neighbours, or |∇u| at each pixel."},
    ] = "face"
    smoothing: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Blur before gradients are computed; prevents noise from being treated "
            "as edges.",
        },
    ] = 0.0
    sharpness: Annotated[
        int,
        {
            "min": 1,
            "max": 8,
            "tooltip": "Steepness of the weickert conductance at the contrast; others ignore it.",
        },
    ] = 4
    solver: Annotated[Solver, SOLVER] = "explicit"

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; the sharpness is that of one conductance."""
        weickert = self.conductance == "weickert"
        return {**self.terms, "sharpness": "sharpness {}" if weickert else ""}

    def resolved(self, image: Image) -> Self:
        """Return this filter with the contrast that the image's own gradients suggest."""
        if self.contrast != "auto":
            self.number_per_channel("contrast", image.grid)
            return self
        from napari_diffusion.estimate import contrast_of

        return self.replaced(contrast=contrast_of(image, self.smoothing))

    def _variances(self, grid: Grid) -> dict[int, float]:
        from napari_diffusion.engine.smoothing import WIDEST

        widest = self.smoothing / min(grid.spacing)
        if widest > WIDEST:
            raise ValueError(
                f"{type(self).__name__}: smoothing={self.smoothing:g} is {widest:g} pixels, more "
                f"than {WIDEST}: use a smaller value, or correct the spacing."
            )
        return grid.variances(self.smoothing)

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches: a neighbour, its gradient, and the smoothing."""
        from napari_diffusion.engine.smoothing import reach

        extra = int(self.gradient == "magnitude")
        variances = self._variances(grid)
        return per_axis(
            1 + extra + (reach(variances[axis]) if self.smoothing else 0)
            if axis in variances
            else 0
            for axis in range(5)
        )

    @property
    def own_guide(self) -> bool:
        """Whether the gradient is measured on the state itself, face by face."""
        return self.gradient == "face" and not self.smoothing

    def prepare(self, block: Block) -> Coefficients:
        """Return (guide, law, slopes, mask, joint) for the kernels."""
        from napari_diffusion.filters.flows import conductance_kernels
        from napari_diffusion.filters.flows.pixel_conductances import pixel_conductances

        law = (LAWS[self.conductance].code, self.sharpness, weickert_constant(self.sharpness))
        factor = LAWS[self.conductance].factor
        contrasts = self.number_per_channel("contrast", block.grid)
        slopes = _slopes(contrasts, factor, block.grid, block.dtype)
        guide = self._guide(block)
        if self.gradient == "magnitude":
            guide = pixel_conductances(block.with_values(guide), law, slopes)
            law = (conductance_kernels.CELLS, 0, 0.0)
        return guide, law, slopes, block.mask, block.grid.joint_channels

    def _guide(self, block: Block) -> NDArray[Any]:
        """Return the image whose gradients set the conductance."""
        from napari_diffusion.engine.smoothing import smoothed_inside

        if not self.smoothing:
            return block.values
        variances = self._variances(block.grid)
        return smoothed_inside(block.values, block.mask, variances, block.threads)

    def pixel_conductance(self, coefficients: Coefficients) -> NDArray[Any] | None:
        """Return the conductance of |∇u| at the pixels; see `Equation.pixel_conductance`."""
        return coefficients[0] if self.gradient == "magnitude" else None

    def edges(self, block: Block, conductance: NDArray[Any]) -> Edges:
        """Return the gradient: that of the steepest face of each pixel, or |∇u|."""
        from napari_diffusion.filters.flows import face_inspection

        del conductance
        contrasts = self.number_per_channel("contrast", block.grid)
        slopes = _slopes(contrasts, 1.0, block.grid, block.dtype)
        guide = block.with_values(self._guide(block))
        if self.gradient == "magnitude":
            return face_inspection.gradient_edges(guide, slopes, contrasts)
        return face_inspection.face_edges(guide, slopes, contrasts)

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Coefficients,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step; see `Flow.advance`."""
        from napari_diffusion.filters.flows import perona_malik_kernels

        perona_malik_kernels.advance(u, out, coefficients, weights, rows)

    def write_faces(
        self, coefficients: Coefficients, faces: dict[int, NDArray[Any]], rows: tuple[int, int]
    ) -> None:
        """Write the conductance of the face below each pixel; see `Equation.write_faces`."""
        from napari_diffusion.filters.flows.face_kernels import face_rows

        guide, law, slopes, _, joint = coefficients
        count = slopes.shape[0] if joint else 1
        for axis, out in faces.items():
            face_rows(guide, law, slopes, axis, count, out, *rows)


def _slopes(
    contrasts: tuple[float, ...], factor: float, grid: Grid, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return 1 / (spacing · K) per channel and canonical axis, finite in the image's type."""
    with np.errstate(over="ignore"):
        slopes = 1.0 / np.multiply.outer(factor * np.array(contrasts), np.array(grid.lengths))
    largest = float(np.finfo(np.dtype(dtype)).max)
    return np.minimum(slopes, largest).astype(dtype)
