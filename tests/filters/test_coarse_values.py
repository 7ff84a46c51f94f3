"""The weights of a blend where values are so few that noise is no Gaussian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.engine.block import Block
from napari_diffusion.filters import HaarDiffusion, LearnedDiffusion, NonLocalBayes
from napari_diffusion.filters.denoisers.coarse_values import is_coarse, with_noise_added


def _block(values: Any) -> Block:
    image = Image.of(values)
    return Block(image.data, image.grid)


def _coarse(values: Any, sigma: float) -> bool:
    return is_coarse([_block(values)], NoiseField((sigma,)))


def test_photons_are_coarse_while_they_are_few() -> None:
    photons = np.random.default_rng(0).poisson(1.0, (64, 64)).astype(float)
    many = np.random.default_rng(0).poisson(100.0, (64, 64)).astype(float)
    assert _coarse(photons, 1.0)
    assert not _coarse(many, 10.0)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(64, 64)),
        np.zeros((64, 64)),
        np.arange(64.0).reshape(8, 8),
    ],
    ids=["continuous", "constant", "few pixels, all different"],
)
def test_other_values_are_not(values: Any) -> None:
    assert not _coarse(values, 0.01)


def test_noise_that_differs_from_pixel_to_pixel_is_left_alone() -> None:
    photons = np.random.default_rng(0).poisson(1.0, (64, 64)).astype(float)
    field = NoiseField((1.0,), np.ones((1, 1, 1, 64, 64)))
    assert not is_coarse([_block(photons)], field)


def test_as_much_noise_is_added_as_there_is_wherever_a_block_is_cut() -> None:
    image = Image.of(np.zeros((96, 80), np.float32))
    field = NoiseField((0.7,))
    whole = with_noise_added(Block(image.data, image.grid), field).values
    assert np.std(whole) == pytest.approx(0.7, rel=0.03)
    part = Block(
        np.ascontiguousarray(image.data[..., 30:70, 11:60]), image.grid.at((0, 0, 0, 30, 11))
    )
    np.testing.assert_array_equal(with_noise_added(part, field).values, whole[..., 30:70, 11:60])


def test_few_photons_of_a_cell_are_denoised_nearly_as_well_as_by_the_best_filter() -> None:
    """Stein's estimate alone prefers what keeps the noise: 3 dB worse."""
    clean = data.cell()[202:458, 147:403] / 255
    photons = np.random.default_rng(7).poisson(2 * clean).astype(np.float32)
    widest = nd.filters.ReactionDiffusion(pilot=HaarDiffusion(levels=5), window=32, stride=8)
    members = (NonLocalBayes(pilot=LearnedDiffusion()), LearnedDiffusion(), widest)

    def error(chosen: nd.filters.Filter) -> float:
        recipe = nd.PRESETS["denoise"].replaced(diffusion_filter=chosen)
        return float(np.mean((nd.run(photons, recipe).image / 2 - clean) ** 2))

    blended = error(nd.filters.Blend(members))
    single = [error(nd.filters.Blend((each,), weights=(1.0,))) for each in members]
    assert blended < 1.5 * min(single)
    assert blended < 0.8 * single[0]
