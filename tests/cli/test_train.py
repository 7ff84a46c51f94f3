"""The command `train` learns weights from files, writes them with their state, and goes on."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.filters.learned.weights import name_of, weights_named


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:130, :130]
    scene = 100 + 20 * np.sin(x / 15) * np.sin(y / 17)
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        noisy = scene + 8 * random.normal(size=scene.shape)
        tifffile.imwrite(f"{name}.tif", noisy.astype(np.float32))


def train(*words):
    return main(["train", *words, "--steps", "1", "--threads", "1"])


def test_weights_and_state_are_written_and_gone_on_with(capsys):
    assert train("a.tif", "--output", "w.npz") == 0
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first == "w.npz: weights learned from a.tif"
    assert "squares it did not learn from" in second
    assert "step" in said.err
    about = weights_named(name_of("w.npz")).about
    assert about["images"][0]["name"] == "a.tif"
    nd.filters.LearnedDiffusion(noise_sigma=8.0, weights="w.npz")(np.zeros((9, 9)))
    more = ["train", "a.tif", "--steps", "2", "--output", "w.npz", "--resume", "--quiet"]
    assert main(more) == 0
    assert weights_named(name_of("w.npz")).about["steps"] == 2
    assert capsys.readouterr().err == ""


def test_files_are_frames_of_one_scene(capsys):
    assert train("a.tif", "b.tif", "--kind", "frames", "--output", "w.npz", "--quiet") == 0
    (image,) = weights_named(name_of("w.npz")).about["images"]
    assert image["axes"] == "tyx"
    assert image["shape"] == [2, 130, 130]
    assert image["noise_sigma"] == pytest.approx([8], rel=0.05)


def test_clean_images_from_scratch(capsys):
    words = ["--kind", "clean", "--noise-sigma", "5", "--start", "none", "--seed", "4"]
    assert train("a.tif", "b.tif", *words, "--output", "w.npz") == 0
    assert "learned from 2 images" in capsys.readouterr().out
    about = weights_named(name_of("w.npz")).about
    assert (about["kind"], about["start"], about["seed"]) == ("clean", None, 4)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a.tif", "--output", "w.txt"], 2, "must end in .npz"),
        (["a.tif", "--output", "old.npz"], 1, "--overwrite replaces it"),
        (["a.tif", "--output", "w.npz", "--resume"], 2, "no training to resume"),
        (["none.tif", "--output", "w.npz"], 1, "none.tif"),
        (["a.tif", "--output", "w.npz", "--start", "odd"], 1, "weights must be"),
        (["a.tif", "--output", "w.npz", "--seconds", "500"], 1, "at most 480"),
        (["a.tif", "--output", "w.npz", "--kind", "frames"], 1, "lie along t"),
        (["flat.tif", "--output", "w.npz"], 1, "not white"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(words, code, said, capsys, monkeypatch):
    smooth = tifffile.imread("a.tif")
    tifffile.imwrite("flat.tif", (smooth + np.roll(smooth, 1, 0)) / 2)
    open("old.npz", "wb").close()
    monkeypatch.setattr("napari_diffusion.learning.training.Training.run", pytest.fail)
    assert train(*words) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_interrupted_it_writes_the_best_so_far(monkeypatch, capsys):
    import napari_diffusion.cli.train as command

    class Stopping:
        def __enter__(self):
            self.stop = __import__("threading").Event()
            return self.stop

        def __exit__(self, *_):
            return None

    stopping = Stopping()
    monkeypatch.setattr(command, "stoppable", lambda: stopping)
    plain = nd.learning.train

    def stopped(*images, progress, **options):
        return plain(
            *images, progress=lambda score: (progress(score), stopping.stop.set()), **options
        )

    monkeypatch.setattr(nd.learning, "train", stopped)
    assert train("a.tif", "--output", "w.npz") == 130
    assert weights_named(name_of("w.npz")).about["ended"] == "stopped"
    assert "Interrupted" in capsys.readouterr().err
