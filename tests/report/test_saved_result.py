"""A result on disk: its source is found and checked, and what cannot be studied is said."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from sealed_outputs import KINDS, change_pixel, write_outputs

from napari_diffusion.cli import main
from napari_diffusion.report import report_of_result, result_studies
from napari_diffusion.report.page import page_of


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write_outputs(folder)
    return folder


@pytest.fixture
def no_studies(monkeypatch):
    """Studies that are refused, so that none takes time."""

    def refused(image, recipe, **_):
        raise ValueError("The image is too small.")

    kinds = [dataclasses.replace(each, function=refused) for each in result_studies._kinds()]
    monkeypatch.setattr(result_studies, "_kinds", lambda: kinds)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore:one.mrc has no voxel size")
def test_every_kind_of_output_is_read_with_its_source(written, no_studies, name):
    found = report_of_result(written / name)
    assert found.source_name == "a.npy"
    np.testing.assert_array_equal(np.asarray(found.source), np.load(written / "a.npy"))
    assert len(found.steps) == (1 if "last" in KINDS[name] else 3)
    assert found.result.record["step"] == 2
    assert found.checks[0] == "'a.npy' has the hash of the image that the run started from."
    assert "The values of the result have the hash in its record." in found.checks
    assert not found.notes
    for anchor in ("removed", "survives", "null"):
        assert found.missing[anchor] == "Not studied: The image is too small."


def test_a_step_can_be_chosen(written):
    found = report_of_result(written / "run.zarr", studies=False, step=1)
    assert [each.record["step"] for each in found.steps] == [0, 1]
    with pytest.raises(ValueError, match=r"has no step 7; it has 0, 1, 2\."):
        report_of_result(written / "run.zarr", studies=False, step=7)


def test_another_image_is_refused_as_the_source(written):
    with pytest.raises(ValueError, match="not the image that the run started from"):
        report_of_result(written / "run.zarr", written / "other.npy")


def moved(written, tmp_path, name="run.zarr"):
    shutil.copytree(written / name, tmp_path / name)
    return tmp_path / name


def test_without_the_source_the_result_alone_is_shown(written, tmp_path):
    found = report_of_result(moved(written, tmp_path))
    assert found.source is None
    assert "give it with --source" in found.missing["source"]
    assert not found.noise
    assert not found.studies


def test_a_namesake_beside_the_result_is_not_taken_for_the_source(written, tmp_path):
    path = moved(written, tmp_path)
    np.save(tmp_path / "a.npy", np.load(written / "other.npy"))
    found = report_of_result(path)
    assert found.source is None
    assert "its hash differs" in found.missing["source"]


def test_a_changed_result_is_said_to_be_one(written, tmp_path):
    path = moved(written, tmp_path)
    change_pixel(path, 2)
    found = report_of_result(path, written / "a.npy", studies=False)
    assert found.notes == (
        "The values of the result are not as they were written: their hash differs.",
    )


def test_code_of_a_stranger_is_not_run(written, tmp_path):
    path = moved(written, tmp_path)
    loud = {"type": "Custom", "function": "os:abort"}

    def change(record):
        record["recipe"]["diffusion_filter"] = loud

    change_all(path, change)
    found = report_of_result(path, written / "a.npy")
    assert "'os:abort'" in found.missing["survives"]
    assert "--allow-code" in found.missing["survives"]
    assert not found.studies
    assert any("The record" in note and "hash differs" in note for note in found.notes)


def change_all(path, change):
    """Change every record of a store."""
    for file in path.rglob("zarr.json"):
        values = json.loads(file.read_text())
        kept = values.get("attributes", {}).get("napari_diffusion")
        if kept and "recipe" in kept:
            change(kept)
            file.write_text(json.dumps(values))


def test_a_noisy_copy_has_no_recipe_to_study(written, tmp_path):
    source, path = written / "a.npy", tmp_path / "noisy.zarr"
    assert main(["noise", str(source), str(path), "--scale", "0.1", "--quiet"]) == 0
    found = report_of_result(path, source)
    assert "a noisy copy was made without a recipe" in found.missing["survives"]
    assert found.source is not None


def test_no_result_is_refused(written):
    with pytest.raises(ValueError, match="is no result of napari-diffusion"):
        report_of_result(written / "a.npy")
    with pytest.raises(FileNotFoundError):
        report_of_result(written / "gone.zarr")


def test_a_record_of_any_length_makes_a_small_page(written, tmp_path):
    path = moved(written, tmp_path)
    tag = "<b>&" * 2_000_000

    def change(record):
        record["source"] = record["processed"] = tag
        record["noise_found"] = tag
        record["noise_warnings"] = [tag] * 3
        record["stranger"] = tag

    change_all(path, change)
    text = page_of(report_of_result(path, written / "a.npy", studies=False))
    assert len(text) < 3_000_000
    assert "<b>" not in text
    assert "The record is too long for a page" in text


def test_a_record_of_any_depth_is_no_crash(written, tmp_path):
    path = moved(written, tmp_path)

    def change(record):
        record["recipe"]["diffusion_filter"] = json.loads("[" * 900 + "]" * 900)

    change_all(path, change)
    text = page_of(report_of_result(path, written / "a.npy"))
    assert "Not studied" in text
