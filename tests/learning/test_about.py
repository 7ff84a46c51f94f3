"""What weights say of themselves."""

from __future__ import annotations

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.filters.learned.archive import archived


def test_shipped_weights_name_their_sources():
    for name in ("digits", "photographs"):
        for package, version, file, author, licence in nd.learning.about(name)["learned_from"]:
            assert all((package, version, file, author))
            assert licence.startswith(("CC0", "CC-BY-", "public domain"))


def test_files_and_hashes_of_both_kinds_are_read(tmp_path):
    images = np.random.default_rng(0).random((20, 4, 4))
    found = nd.learning.train_mixture(images, about={"author": "somebody"})
    path = found.save(tmp_path / "a.npz")
    assert nd.learning.about(path) == nd.learning.about(found.weights) == found.about
    recipe = nd.Recipe(1, 0.0, None, diffusion_filter=nd.filters.LearnedDiffusion())
    (chosen,) = recipe.resolved(np.eye(32)).filters
    assert chosen.weights.startswith("sha256:")
    assert nd.learning.about(chosen.weights) == nd.learning.about("photographs")


def test_what_is_no_weights_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(archived({"mean": np.zeros(3)}, {}))
    with pytest.raises(ValueError, match="holds no weights"):
        nd.learning.about(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"weights must be 'photographs', a \.npz file"):
        nd.learning.about("faces")
