"""Every example runs, and says what its own lines say it does."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"

#: What each of them prints or leaves, beyond running at all.
TOLD = {
    "dask_stack": ["the same as in memory: True"],
    "measured_noise": ["gain 2.001,", "offset 100", "read noise 8.0", "Its noise: 31."],
    "noisy_copy": ["twice the same: True", "another step, the same: False", "a crop, the same: T"],
    "one_filter": ["noise after:  0."],
    "plausible_images": ["not a measurement: error 0.0", "the mean of 4: error 0.02"],
    "run_loop": ["step 00 · sigma 12:", "step 09 · sigma 1.2:", "final filter:"],
    "steps_on_disk": ["axes zyx, spacing (2.0, 0.5, 0.5) micrometer", "Processed, not raw data"],
    "volume_with_spacing": ["spacing (2.0, 0.5, 0.5) micrometer", "step 5: 0.0"],
}
LEFT = {"run_loop": "steps.png", "steps_on_disk": "steps.ome.zarr"}


def test_every_example_is_here():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(TOLD)


@pytest.mark.parametrize("name", sorted(TOLD))
def test_example(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    for words in TOLD[name]:
        assert words in printed
    left = [LEFT[name]] if name in LEFT else []
    assert [path.name for path in tmp_path.iterdir() if path.name != "recipes"] == left
