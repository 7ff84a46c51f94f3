"""Stencils of tensors: weights are not negative, and they make the tensor again."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.filters.tensors import stencil


def tensors(dimensions, condition, count=500):
    rng = np.random.default_rng(dimensions)
    turned = np.linalg.qr(rng.normal(size=(count, dimensions, dimensions)))[0]
    sizes = condition ** -rng.random((count, dimensions))
    sizes[:, 0], sizes[:, -1] = 1.0, 1.0 / condition
    return np.einsum("nij,nj,nkj->nik", turned, sizes, turned)


@pytest.mark.parametrize("condition", [1.0, 2.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_stencils_make_the_tensor_again(dimensions, condition):
    given = tensors(dimensions, condition)
    weights, offsets = stencil.stencils(given)
    assert weights.min() >= 0
    made = np.einsum("nk,nki,nkj->nij", weights, offsets, offsets)
    np.testing.assert_allclose(made, given, rtol=0, atol=1e-12)
    # Of a pixel's own weights; those of neighbours that point at it come on top.
    assert (weights.sum(axis=1) <= np.trace(given, axis1=1, axis2=2) + 1e-12).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_offsets_stay_within_the_reach_of_the_condition(dimensions):
    _, offsets = stencil.stencils(tensors(dimensions, 1000.0))
    assert (np.abs(offsets).max(axis=(0, 1)) <= stencil.reach(1000.0, (1.0,) * dimensions)).all()
