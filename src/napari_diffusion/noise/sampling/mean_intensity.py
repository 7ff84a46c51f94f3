"""The mean of an image, the same to the last bit in whatever order its pixels come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image, is_dask

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_of(image: Image) -> float:
    """Return the mean of all pixels inside the mask, of all frames and channels.

    Fractions of the same exponent are added up as whole numbers, which no order can change.
    """
    if is_dask(image.data):
        sums, count = _over_chunks(image)
    else:
        sums, count = _with(_nothing(), 0, image.data, image.mask)
    if not count:
        raise ValueError("The mask contains no pixels: use another mask.")
    whole, ones = _whole(sums)
    return whole / (count * ones)


def _nothing() -> NDArray[np.int64]:
    """Return sums of 0 for each exponent, of the lower and of the upper bits."""
    return np.zeros((2, 2048), np.int64)


def _with(
    sums: NDArray[np.int64], count: int, data: NDArray[Any], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], int]:
    """Return sums and count with the values inside a mask added."""
    from napari_diffusion.noise.sampling.exact_sum import add_up, add_up_narrow

    values = np.ascontiguousarray(data if mask is None else data[np.asarray(mask)]).reshape(-1)
    # Kernels never write it, but numba would compile them anew for arrays that are read-only.
    values, sums = np.require(values, requirements=["C", "W"]), sums.copy()
    if values.dtype == np.float32:
        add_up_narrow(sums, values, values.view(np.uint32))
    else:
        add_up(sums, values)
    return sums, count + values.size


def _whole(sums: NDArray[np.int64]) -> tuple[int, int]:
    """Return the sum as a whole number of the smallest parts, and how many of those make 1."""
    # An exponent of 0 has no leading one and counts as 1.
    whole = sum(
        (int(a) + (int(b) << 26)) << max(exponent, 1)
        for exponent, (a, b) in enumerate(sums.T)
        if a or b
    )
    return whole, 1 << 1075


def _over_chunks(image: Image) -> tuple[NDArray[np.int64], int]:
    import dask.array as da
    from dask.delayed import delayed

    def counted(
        so_far: tuple[NDArray[np.int64], int], block: NDArray[Any], inside: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], int]:
        sums, count = _with(*so_far, block, inside)
        if sums[:, -1].any():
            raise ValueError(
                "A chunk has NaN or infinite values: use missing='ignore' to treat them as missing."
            )
        return sums, count

    blocks = image.data.to_delayed().ravel()
    masks = [None] * len(blocks)
    if image.mask is not None:
        chunks = image.data.chunks
        mask = image.mask if is_dask(image.mask) else da.from_array(image.mask, chunks)
        masks = mask.rechunk(chunks).to_delayed().ravel()
    total = delayed((_nothing(), 0))
    for block, inside in zip(blocks, masks, strict=True):
        total = delayed(counted)(total, block, inside)
    return total.compute()
