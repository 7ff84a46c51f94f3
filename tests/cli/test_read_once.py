"""An image is read in once: checked and brought into canonical order, whatever is done with it."""

from __future__ import annotations

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.core.image import Image

IMAGE = np.random.default_rng(0).normal(100, 5, (64, 64)).astype(np.float32)


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Return what has been read in; an Image that is passed on does not count."""
    found, of = [], Image.of.__func__

    def counted(cls, image, **options):
        if not isinstance(image, Image):
            found.append(image)
        return of(cls, image, **options)

    monkeypatch.setattr(Image, "of", classmethod(counted))
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", IMAGE)
    return found


@pytest.mark.parametrize(
    "line",
    [
        "run image.npy out.npy --steps 2",
        "run image.npy out.npy --recipe smooth --steps 1",
        "run image.npy out.npy --recipe denoise",
        "filter image.npy out.npy --filter Heat",
        "filter image.npy out.npy --filter PeronaMalik",
        "noise image.npy out.npy",
        "noise image.npy out.npy --scale 3",
        "best image.npy --recipe smooth --steps 2",
    ],
)
def test_a_command_reads_its_image_in_once(line, read):
    assert main([*line.split(), "--quiet"]) == 0
    assert len(read) == 1


@pytest.mark.parametrize("options", [{}, {"fast": True}, {"noise_sigma": 5.0}])
def test_denoise_reads_its_image_in_once(options, read):
    nd.denoise(IMAGE, **options)
    assert len(read) == 1
