"""The likeness of structures to the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics._base import Metric, View


@dataclass(frozen=True)
class Ssim(Metric):
    """Structural similarity to a reference, from scikit-image, the mean over planes.

    ``(2 m n + c) (2 C + d) / ((m² + n² + c) (V + W + d))`` with the means m and n, the variances V
    and W and the covariance C of both over 7 × 7 neighbours; 1 is equality.

    Notes
    -----
    Use it beside `Psnr` where the truth is known: it counts lost structure more than a shift of
    grey. A mask is not regarded.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to
    structural similarity.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = "higher"
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean similarity; NaN for planes of less than 7 × 7 samples."""
        from skimage.metrics import structural_similarity

        assert view.reference is not None
        size = float(view.reference.max()) - float(view.reference.min()) or 1.0
        if min(view.image.shape[3:]) < 7:
            return float("nan")
        planes = [view.image.reshape(-1, *view.image.shape[3:])]
        planes.append(view.reference.reshape(planes[0].shape))
        found = [
            structural_similarity(a, b.astype(a.dtype), data_range=size)
            for a, b in zip(*planes, strict=True)
        ]
        return float(sum(found) / len(found))
