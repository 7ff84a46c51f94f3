"""Files of mixtures come from anyone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_diffusion.filters.learned.archive import archived, arrays_in
from napari_diffusion.filters.learned.weights_file import weights_in
from napari_diffusion.filters.mixture.mixture_file import _PARTS, bytes_of, mixture_in
from napari_diffusion.filters.mixture.weights import MIXTURES

from .test_mixture import mixture


def test_a_mixture_comes_back_as_it_was_and_always_in_the_same_bytes():
    model, about = mixture(), {"images": 100}
    data = bytes_of(model, about)
    assert data == bytes_of(model, about)
    found, said = mixture_in(data, "x")
    assert said == about
    for part in _PARTS:
        np.testing.assert_allclose(getattr(found, part), getattr(model, part), rtol=0, atol=1e-7)
    noisy = np.random.default_rng(0).normal(size=model.shape)
    np.testing.assert_allclose(
        found.expected(noisy, 0.5), model.expected(noisy, 0.5), rtol=0, atol=1e-5
    )


def with_part(**parts):
    data = bytes_of(mixture(), {})
    arrays = arrays_in(data, "x")
    arrays.pop("about")
    return {**arrays, **{part: change(arrays[part]) for part, change in parts.items()}}


CHANGES = {
    "a part is missing": {k: v for k, v in with_part().items() if k != "floor"},
    "one too many": {**with_part(), "more": np.ones(2)},
    "another shape": with_part(centres=lambda a: a[:, :2]),
    "another height": with_part(mean=lambda a: a.T[:, :2]),
    "not finite": with_part(mean=lambda a: a * np.nan),
    "too large to compute with": with_part(centres=lambda a: a + 1e200),
    "whole numbers": with_part(shares=lambda a: np.ones(3, int)),
    "no Gaussian": with_part(
        **{part: lambda a: a[:0] for part in ("shares", "centres", "rotations", "variances")}
    ),
    "one number for many": with_part(shares=lambda a: np.float64(1.0)),
    "shares that are none": with_part(shares=lambda a: a * 2),
    "a share of 0": with_part(shares=lambda a: np.array([0.5, 0.5, 0])),
    "no floor": with_part(floor=lambda a: a * 0),
    "variances below the floor": with_part(variances=lambda a: a * 0),
    "directions that are not apart": with_part(directions=lambda a: a[[0] * len(a)]),
    "axes that are too long": with_part(rotations=lambda a: a * np.float32(1e30)),
    "larger images than any": with_part(mean=lambda a: np.zeros((33, 33))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_no_mixture_is_refused(name):
    with pytest.raises(ValueError, match=r"^'x\.npz' holds no weights of a GaussianMixture: .*\.$"):
        mixture_in(archived(CHANGES[name], {}), "'x.npz'")


def test_the_weights_of_another_filter_are_refused(tmp_path):
    path = tmp_path / "mixture.npz"
    path.write_bytes(bytes_of(mixture(), {}))
    with pytest.raises(ValueError, match="no weights of a LearnedDiffusion"):
        weights_in(path.read_bytes(), "'x'")
    assert MIXTURES.name_of(path).startswith("sha256:")
    assert MIXTURES.named(MIXTURES.name_of(path))[0].shape == (3, 4)


DATA = bytes_of(mixture(), {"images": 100})


@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(DATA)))
@settings(max_examples=200)
def test_broken_files_are_refused_or_compute(at, what, end):
    data = (DATA[:at] + what + DATA[at + len(what) :])[: end or None]
    refusal = ""
    try:
        found, _ = mixture_in(data, "'x.npz'")
    except ValueError as error:
        refusal = str(error)
    else:
        assert np.isfinite(found.expected(np.zeros(found.shape), 0.1)).all()
    assert not refusal or refusal.startswith("'x.npz' ")
