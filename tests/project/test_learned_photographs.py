"""What the shipped weights were learned from, and what their file says about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_diffusion.filters.learned.weights_file import bytes_of, weights_in

ROOT = Path(__file__).resolve().parents[2]

# What may be passed on with the package's own licence, if its author is named.
FREE = {"CC0", "CC0-1.0", "CC-BY-1.0", "CC-BY-3.0", "CC-BY-4.0", "public domain"}


@pytest.fixture(scope="module")
def photographs():
    for folder in (ROOT, ROOT / "tools"):
        sys.path.insert(0, str(folder))
    try:
        import train_photographs

        yield train_photographs
    finally:
        for folder in (ROOT, ROOT / "tools"):
            sys.path.remove(str(folder))


def test_every_image_is_free_and_its_author_named(photographs):
    table = photographs.table()
    assert {each["licence"] for each in table} <= FREE
    assert all(each["author"] and each["stated"] and each["version"] for each in table)
    digests = [each["digest"] for each in table]
    assert len(set(digests)) == len(digests) > 50
    assert all(len(each) == 64 for each in digests)


def test_nothing_that_is_reported_on_was_learned_from(photographs):
    from benchmarks.images.table import PHOTOGRAPHS

    reported = {Path(each.path).name for each in PHOTOGRAPHS if each.role != "train"}
    assert not reported & {Path(each["file"]).name for each in photographs.table()}


def test_weights_are_written_again_with_what_is_known_of_them(photographs, tmp_path):
    from napari_diffusion.filters.learned.weights import weights_named

    network = weights_named("photographs").network
    trained, output = tmp_path / "trained.npz", tmp_path / "written.npz"
    trained.write_bytes(bytes_of(network, {}))
    photographs.with_about(trained, output, seconds=1234.5, updates=67)
    found, about = weights_in(output.read_bytes(), "written")
    assert about == json.loads(json.dumps(photographs.about(1234.5, 67)))
    assert len(about["learned_from"]) == len(photographs.table())
    assert about["levels"] == [0.01, 1.2]
    assert output.stat().st_size < 100_000
    for one, other in zip(found.scales, network.scales, strict=True):
        np.testing.assert_array_equal(one.influences, other.influences)
        np.testing.assert_allclose(one.kernels, other.kernels, rtol=0, atol=1e-7)


def test_images_are_known_by_their_hash_and_made_smaller(photographs, tmp_path, monkeypatch):
    from PIL import Image

    with pytest.raises(SystemExit, match="images are not in"):
        photographs.planes(tmp_path)
    random = np.random.default_rng(0)
    shapes = {"large.png": (1000, 1400, 3), "small.png": (500, 640, 3), "deep.png": (600, 500)}
    for name, shape in shapes.items():
        kind = np.uint16 if len(shape) == 2 else np.uint8
        values = random.integers(0, np.iinfo(kind).max, shape, kind)
        Image.fromarray(values).save(tmp_path / name)
    rows = [{"digest": photographs.digest_of(tmp_path / name)} for name in shapes]
    monkeypatch.setattr(photographs, "table", lambda: rows)
    planes = photographs.planes(tmp_path)
    assert [each.shape for each in planes] == [(643, 900), (357, 500), (309, 396), (372, 310)]
    assert all(each.min() >= 0 and each.max() <= 1 for each in planes)
