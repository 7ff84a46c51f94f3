"""Weights are found by the hash of their file, and no recipe opens another file."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.core.method_words import MethodWords
from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.filters.learned import weight_files
from napari_diffusion.filters.learned.archive import MOST_BYTES
from napari_diffusion.filters.learned.weights import hashed, name_of, weights_named
from napari_diffusion.filters.learned.weights_file import bytes_of
from napari_diffusion.widgets.recipe.recipe_files import read_recipe

from .test_weights_file import network

IMAGE = np.random.default_rng(0).normal(size=(20, 24)).astype(np.float32)


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Let no test see what another one has named, nor the folders of this user."""
    monkeypatch.setenv("NAPARI_DIFFUSION_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(weight_files, "_given", {})
    monkeypatch.setattr(weight_files, "_beside", {})


def data(tag):
    """Return a file of weights that no other test has."""
    return bytes_of(network(), {"tag": tag})


def recipe_with(weights):
    plain = nd.Recipe(num_steps=1, noise=None, diffusion_filter=LearnedDiffusion(0.1)).to_dict()
    plain["diffusion_filter"]["weights"] = weights
    return plain


def test_shipped_weights_have_their_name_and_resolved_ones_their_hash():
    chosen = LearnedDiffusion(noise_sigma=0.1)
    assert chosen.weights == "photographs"
    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=chosen)
    resolved = recipe.resolved(IMAGE).diffusion_filter
    assert resolved.weights == hashed("photographs")
    assert re.fullmatch("sha256:[0-9a-f]{64}", resolved.weights)
    assert weights_named(resolved.weights) is weights_named("photographs")
    np.testing.assert_array_equal(resolved(IMAGE), chosen(IMAGE))
    for each in (chosen, resolved):
        words = each.method(MethodWords())
        assert f"weights photographs (SHA-256 {hashed('photographs')[7:19]}…)" in words


@pytest.mark.parametrize("where", ["named", "folder", "beside"])
def test_a_file_is_found_by_its_hash(tmp_path, where):
    name = weight_files.name_of_bytes(data(where))
    chosen = LearnedDiffusion(noise_sigma=0.1, weights=name)
    assert name[7:19] in chosen.method(MethodWords())
    with pytest.raises(ValueError, match=rf"{name} are not here: put .*weights'"):
        chosen(IMAGE)
    folder = tmp_path / ("weights" if where == "folder" else "elsewhere")
    folder.mkdir()
    (folder / "mine.npz").write_bytes(data(where))
    if where == "named":
        assert LearnedDiffusion(0.1, weights=folder / "mine.npz") == chosen
        assert LearnedDiffusion(0.1, weights=str(folder / "mine.npz")) == chosen
        (folder / "mine.npz").unlink()
    elif where == "beside":
        weight_files.look_beside(folder / "recipe.json")
    assert np.abs(chosen(IMAGE) - IMAGE).max() > 0.01


def test_other_files_are_passed_over(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "a.npz").write_bytes(b"no archive")
    (folder / "b.npz").write_bytes(bytes(MOST_BYTES + 1))
    (folder / "c.npz").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "d.npz")
    (folder / "z.npz").write_bytes(data("passed over"))
    name = weight_files.name_of_bytes(data("passed over"))
    assert weights_named(name).about == {"tag": "passed over"}


def test_what_is_found_by_a_hash_must_still_be_weights(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "x.npz").write_bytes(b"no archive")
    chosen = LearnedDiffusion(0.1, weights=weight_files.name_of_bytes(b"no archive"))
    with pytest.raises(ValueError, match="no file of weights"):
        chosen(IMAGE)


@pytest.mark.parametrize("dock", [False, True])
def test_opening_a_recipe_looks_beside_it(tmp_path, dock, capsys):
    folder = tmp_path / "from elsewhere"
    folder.mkdir()
    (folder / "w.npz").write_bytes(data(dock))
    name = weight_files.name_of_bytes(data(dock))
    path = folder / "recipe.json"
    plain = nd.Recipe.from_dict(recipe_with(name))
    path.write_text(plain.to_json())
    if dock:
        read_recipe(path)
    else:
        assert main(["recipe", str(path)]) == 0
        capsys.readouterr()
    assert weights_named(name).about == {"tag": dock}


def test_a_recipe_opens_no_file_of_its_choice(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.npz").write_bytes(data("of its choice"))
    monkeypatch.chdir(tmp_path)
    for text in ("mine.npz", str(tmp_path / "mine.npz"), r"\\host\mine.npz", 3, None, ["x"]):
        with pytest.raises(ValueError, match="must be a name"):
            nd.Recipe.from_dict(recipe_with(text))
    assert not weight_files._given
    # A user may name one on the command line.
    (tmp_path / "recipe.json").write_text(nd.Recipe.from_dict(recipe_with("photographs")).to_json())
    asked = ["recipe", "recipe.json", "--set", "diffusion_filter.weights=mine.npz"]
    assert main(asked) == 0
    assert weight_files.name_of_bytes(data("of its choice")) in capsys.readouterr().out


def test_what_names_no_weights_is_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK")
    for wrong in ("cats", "sha256:12", "sha256:" + "G" * 64, tmp_path / "y.npz", tmp_path):
        with pytest.raises(ValueError, match="weights must be 'photographs'"):
            name_of(wrong)
    with pytest.raises(ValueError, match="no file of weights"):
        LearnedDiffusion(weights=tmp_path / "x.npz")
    with pytest.raises(TypeError, match="weights must be text"):
        LearnedDiffusion(weights=3)
