"""Groups of similar patches, filtered by their mean and covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from napari_diffusion.core.citation import CHOSEN, NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.filters.denoisers.guided_filter import Guided, kept_without_noise
from napari_diffusion.filters.denoisers.search_extent import search_radii
from napari_diffusion.filters.tensors.axis_frame import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.engine.block import Block

# How far to look where nobody says.
RADIUS = 8


@dataclass(frozen=True)
class NonLocalBayes(Guided):
    """Filter groups of similar patches by the mean and covariance that a pilot gives them.

    ``out = m + C (C + noise_sigma²)⁻¹ (y − m)`` for each patch y of a group, with the mean m and
    the covariance C of the same patches in the result of the pilot. A group has the patches that
    are most similar to one of them in that result. Where patches overlap, their mean is taken.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values smooth more; 0 changes nothing. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all;
        0 keeps a pixel. That of a group is then the root mean square over its pixels.
    pilot : Filter or None
        The filter whose result on the same image is the guide; None uses the noisy image itself,
        and removes little.
    radius : int or "auto"
        Search radius in the planes of the last two axes, 1 to 20 pixels. Larger values find more
        similar patches and take longer. "auto" is 8; in volumes the largest value up to 8 that
        compares a patch with at most 1200 others.
    patch : int
        Patch width, 3 to 8 pixels. Larger patches smooth more and keep long structures; smaller
        ones follow fine detail.
    count : int
        How many patches a group has, 8 to 128, a multiple of 4; at most as many as there are
        within the radius. More smooth more where there is repetition.
    stride : int
        Distance between the patches around which groups are made, 1 pixel up to the patch width.
        Smaller values are smoother and slower.
    depth : int or "auto"
        Search radius along the third axis of a volume, or time, 0 to 20 pixels; 0 searches within
        planes. "auto" matches `radius` in world units, but is 0 for fewer than 4 planes or planes
        more than 8 times as far apart as the pixels in them. Patches lie in planes.

    Notes
    -----
    Use it after a good pilot such as `LearnedDiffusion`, against white noise in images with
    repeated structures: walls, lattices, filaments, frames through time. Not without a pilot, nor
    for correlated noise.

    References
    ----------
    Lebrun, Buades and Morel (2013), A nonlocal Bayesian image denoising algorithm.
    """

    display_name: ClassVar[str] = "Non-local Bayes"
    method_name = "non-local Bayes"
    terms = in_terms(
        noise_sigma="noise standard deviation {}",
        pilot="guided by {}",
        radius="search radius {} pixels",
        patch="patches of {} pixels",
        count="groups of {} patches",
        stride="placed every {} pixels",
        depth="search radius {} planes along the third axis",
    )
    estimates = measured(noise_sigma=NOISE, radius=CHOSEN, depth=CHOSEN)
    cites = (Cite("lebrun2013"),)
    building_block: ClassVar[bool] = True

    radius: Annotated[
        int | Literal["auto"],
        {"min": 1, "max": 20, "tooltip": "Search radius."},
    ] = "auto"
    patch: Annotated[int, {"min": 3, "max": 8, "tooltip": "Patch width in pixels."}] = 6
    count: Annotated[int, {"min": 8, "max": 128, "tooltip": "Patches of a group."}] = 32
    stride: Annotated[
        int,
        {
            "min": 1,
            "max": 8,
            "tooltip": "Distance between groups; smaller values are smoother and slower.",
        },
    ] = 5
    depth: Annotated[
        int | Literal["auto"],
        {
            "min": 0,
            "max": 20,
            "tooltip": "Search radius along the third axis; 0 searches within planes.",
        },
    ] = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count % 4:
            raise ValueError(f"NonLocalBayes: count must be a multiple of 4 (got {self.count}).")
        if self.stride > self.patch:
            raise ValueError(
                f"NonLocalBayes: stride must be at most patch={self.patch}, so that patches cover "
                f"the image (got {self.stride})."
            )

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; within planes there is no depth."""
        return {**self.terms, "depth": ""} if self.depth == 0 else self.terms

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise, the pilot resolved, and the extent of the search."""
        radius, depth = self.radii(image.grid)
        return super().resolved(image).replaced(radius=radius, depth=depth)

    def radii(self, grid: Grid) -> tuple[int, int]:
        """Return how far patches are looked for in the planes and along the third axis."""
        return search_radii(self.radius, self.depth, RADIUS, grid)

    def reach(self, grid: Grid) -> tuple[int, int]:
        """Return how far the groups of a pixel reach; see `Guided.reach`."""
        radius, depth = self.radii(grid)
        return 2 * (radius + self.patch - 1), 2 * depth

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block of filtered patches; see `Filter.apply`."""
        from napari_diffusion.filters.denoisers.patch_groups import Groups, filtered

        grid = block.grid
        frame, noise = Frame.of(block.shape, grid), NoiseField.of(self, grid)
        u, guide = (frame.arranged(each) for each in (block.values, self.guide(block)))
        shares = noise.variances(grid.origin, block.shape)
        variances = None if shares is None else frame.arranged(shares.astype(block.dtype))
        groups = Groups(*self.radii(grid), self.patch, self.count, self.stride)
        origin = frame.of_axes(grid.origin)[1:3]
        joint = [slice(None)] if grid.joint_channels else [
            slice(c, c + 1) for c in range(u.shape[1])
        ]  # fmt: skip
        out = u.copy()
        for t in range(len(u)):
            for c in joint:
                own = None if variances is None else variances[t, c]
                args = (noise.sigmas[c], own, groups, origin, block.threads)
                out[t, c] = filtered(u[t, c], guide[t, c], *args)
        return kept_without_noise(block, noise, frame.restored(out))
