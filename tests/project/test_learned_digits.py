"""The weights *digits* are what the script makes of the file that it names."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import napari_diffusion as nd

TOOL = Path(__file__).resolve().parents[2] / "tools" / "train_digits.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("train_digits", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_weights_say_what_the_script_says(tool):
    about = nd.learning.about("digits")
    assert {key: about[key] for key in tool.ABOUT} == tool.ABOUT


def test_another_file_is_refused(tool, tmp_path):
    path = tmp_path / tool.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"0,1")
    with pytest.raises(ValueError, match="not the file that the weights were learned from"):
        tool.trained(tmp_path)
