"""The explicit sub-step of Perona–Malik diffusion: the fastest kernel that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.flows.conductance_kernels import advance_faces
from napari_diffusion.filters.flows.perona_malik_joint_channels import advance_joint
from napari_diffusion.filters.flows.perona_malik_single_channel import LAWS, advance_single

if TYPE_CHECKING:
    from numpy.typing import NDArray


def advance(
    u: NDArray[Any],
    out: NDArray[Any],
    coefficients: Any,
    weights: NDArray[Any],
    rows: tuple[int, int],
) -> None:
    """Write one sub-step of some site rows; see `Flow.advance`.

    Parameters
    ----------
    u, out, weights, rows
        See `conductance_kernels.advance_faces`.
    coefficients : (guide, law, slopes, mask, joint)
        See there too.
    """
    guide, law, slopes, mask, joint = coefficients
    count = u.shape[1] if joint else 1
    deep = [axis for axis in (0, 2) if weights[axis]]
    axis = deep[0] if deep else None
    if mask is not None or len(deep) == 2:
        advance_faces(u, guide, out, mask, law, slopes, weights, joint, *rows)
    elif law[0] in LAWS and guide is u and count == 1:
        advance_single(LAWS[law[0]], u, out, slopes, weights, axis, *rows)
    else:
        advance_joint(law, u, guide, out, slopes, weights, axis, count, *rows)
