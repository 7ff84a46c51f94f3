"""napari-diffusion verify: what it prints, and its exit codes."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

import numpy as np
import pytest
from sealed_outputs import change_record

from napari_diffusion.cli import main, verify


@pytest.fixture(autouse=True)
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.random.default_rng(0).random((9, 16, 12), dtype=np.float32))
    words = ["--steps", "2", "--set", "final_filter=none", "--quiet"]
    assert main(["run", "a.npy", "b.ome.tif", *words]) == 0


def verified(*words):
    parser = argparse.ArgumentParser()
    verify.add_verify(parser)
    return verify.verify(parser.parse_args([str(word) for word in words]))


def test_it_says_what_was_checked(capsys):
    assert verified("b.ome.tif") == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 steps and the record are as they were written.",
        "Replayed from 'a.npy', which lies beside the output.",
        "Replayed: 2 steps made again with the same bits.",
        "b.ome.tif: identical.",
    ]
    assert verified("b.ome.tif", "--input", "a.npy", "--quiet") == 0
    assert capsys.readouterr().out == "b.ome.tif: identical.\n"


def test_what_differs_or_is_broken_fails(capsys):
    np.save("other.npy", np.load("a.npy") * 2)
    assert verified("b.ome.tif", "--input", "other.npy") == 1
    assert capsys.readouterr().out.endswith("b.ome.tif: different.\n")
    change_record(Path("b.ome.tif"), '"source": "a.npy"', '"source": "b.npy"')
    assert verified("b.ome.tif") == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "The record is not as it was written: its hash differs."
    assert out.endswith("b.ome.tif: not as it was written.\n")


def test_no_file_makes_a_traceback(tmp_path):
    for name in ("a.npy", "none.tif"):
        with pytest.raises((ValueError, OSError)):
            verified(name)
    data = (tmp_path / "b.ome.tif").read_bytes()
    for end in (0, 7, 100, len(data) // 2, len(data) - 1):
        (tmp_path / "b.ome.tif").write_bytes(data[:end])
        with contextlib.suppress(ValueError, OSError):  # which the command says in one line
            assert verified("b.ome.tif") == 1
