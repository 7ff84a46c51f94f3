"""What the filter of a recipe sees in a part of an image is a part of what it sees in all of it."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.loop.recipe_inspection import inspect_part

RANDOM = np.random.default_rng(11)
IMAGE = (100 + np.cumsum(RANDOM.normal(0, 4, (90, 100)), axis=0)).astype(np.float32)
CORE = (slice(0, 1), slice(0, 1), slice(0, 1), slice(40, 52), slice(30, 47))
HERE = CORE[3:]


def recipe(chosen, **options):
    return nd.Recipe(diffusion_filter=chosen, num_steps=2, noise=None, **options)


@pytest.mark.parametrize(
    "chosen",
    [
        nd.filters.PeronaMalik(smoothing=1.0),
        nd.filters.PeronaMalik(solver="aos"),
        nd.filters.EdgeEnhancing(condition_limit=50.0, smoothing=0.5),
        nd.filters.MinMaxCurvature(),
    ],
)
def test_a_part_is_that_of_the_whole(chosen):
    part = inspect_part(Image.of(IMAGE), recipe(chosen), CORE)
    whole = chosen.inspect(IMAGE)
    inner = part.inner[3:]
    assert part.inspection.filter == whole.filter
    np.testing.assert_allclose(
        part.inspection.change()[inner], whole.change()[HERE], rtol=1e-4, atol=1e-4
    )
    assert part.inspection.change().size < whole.change().size
    lazy = inspect_part(Image.of(da.from_array(IMAGE, chunks=40)), recipe(chosen), CORE)
    np.testing.assert_allclose(lazy.inspection.change()[inner], part.inspection.change()[inner])


def test_a_filter_sees_the_working_domain():
    photons = RANDOM.poisson(IMAGE.clip(1)).astype(np.float32)
    chosen = recipe(nd.filters.PeronaMalik(contrast=1.0), domain=nd.domains.Anscombe(gain=1.0))
    part = inspect_part(Image.of(photons), chosen, CORE)
    assert part.stabilised
    stabilised = chosen.domain.resolved(Image.of(photons)).image(Image.of(photons))
    seen = nd.filters.PeronaMalik(contrast=1.0).inspect(stabilised)
    np.testing.assert_allclose(
        part.inspection.edge_map[part.inner[3:]], seen.edge_map[HERE], rtol=1e-5, atol=1e-5
    )
    raw = nd.filters.PeronaMalik(contrast=1.0).inspect(photons)
    assert seen.edge_map.mean() < 0.5 * raw.edge_map.mean()


def test_another_image_is_seen_with_the_parameters_of_the_source():
    source, shown = Image.of(IMAGE), Image.of(nd.filters.Gaussian(sigma=2.0)(IMAGE))
    part = inspect_part(source, recipe(nd.filters.PeronaMalik()), CORE, shown)
    assert part.inspection.filter == nd.filters.PeronaMalik().resolved(source)
    seen = part.inspection.filter.inspect(shown.data[0, 0, 0])
    np.testing.assert_allclose(
        part.inspection.edge_map[part.inner[3:]], seen.edge_map[HERE], rtol=1e-5
    )


def test_of_several_filters_the_first_with_a_flux_is_seen():
    series = recipe((nd.filters.Median(), nd.filters.Heat()))
    assert inspect_part(Image.of(IMAGE), series, CORE).inspection.filter == nd.filters.Heat()
    with pytest.raises(TypeError, match="no diffusion equation"):
        inspect_part(Image.of(IMAGE), recipe(nd.filters.Median()), CORE)
