"""Which kernel takes an explicit sub-step of scalar diffusion: the fastest that can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        See `_kernels.advance_faces`.
    coefficients : (guide, law, slopes, mask, joint)
        See there too.
    """
    from napari_diffusion.filters.flows import conductance_kernels, joint_channels, single_channel

    guide, law, slopes, mask, joint = coefficients
    count = u.shape[1] if joint else 1
    deep = [axis for axis in (0, 2) if weights[axis]]
    axis = deep[0] if deep else None
    if mask is not None or len(deep) == 2:
        conductance_kernels.advance_faces(u, guide, out, mask, law, slopes, weights, joint, *rows)
    elif law[0] in single_channel.LAWS and guide is u and count == 1:
        single_channel.advance_single(
            single_channel.LAWS[law[0]], u, out, slopes, weights, axis, *rows
        )
    else:
        joint_channels.advance_joint(law, u, guide, out, slopes, weights, axis, count, *rows)
