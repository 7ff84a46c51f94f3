"""The RO-Crate of a Zarr output: a Process Run Crate that its library reads, beside the data."""

from __future__ import annotations

import datetime
import json
import socket

import numpy as np
import pytest
from rocrate.rocrate import ROCrate
from zarr_stores import made_up, record_of, write

from napari_diffusion.io import read_image
from napari_diffusion.io.ome_zarr.ro_crate import NAME, PROFILE, write_crate

INPUT, OUTPUT = "1" * 64, "2" * 64
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def whole_record(count):
    kept = record_of(made_up("zyx"), 0)
    listed = [{"step": k, "is_final": False, "sha256": str(3 + k) * 64} for k in range(count)]
    return {
        **kept,
        "source": "crop.tif",
        "processed": "Processed, not raw data.",
        "recipe": {"seed": 7, "num_steps": count},
        "versions": {"napari-diffusion": "1.2", "numpy": "2.0", "processor": "x"},
        "hashes": {"input": INPUT, "output": OUTPUT},
        **({"steps": listed} if count > 1 else {}),
    }


@pytest.fixture(params=[1, 3, "stack"])
def crate(request, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", None)  # no network
    source, stack = made_up("zyx"), request.param == "stack"
    count = 3 if stack else request.param
    images = [source.image + k for k in range(count)]
    path = write(tmp_path / "a.zarr", source, images, stack=stack)
    files = set(path.rglob("*"))
    write_crate(path, whole_record(count), WHEN, WHEN + datetime.timedelta(seconds=9))
    assert set(path.rglob("*")) - files == {path / NAME}
    return path


def types(entity):
    return entity.type if isinstance(entity.type, list) else [entity.type]


def hashes(entity):
    return {each["name"]: each["value"] for each in entity.get("additionalProperty", [])}


def test_it_has_what_the_profile_requires(crate):
    read = ROCrate(crate)
    root = read.root_dataset
    metadata = json.loads((crate / NAME).read_text("utf-8"))
    assert metadata["@context"] == "https://w3id.org/ro/crate/1.1/context"
    descriptor = read.dereference(NAME)
    assert descriptor["conformsTo"] == "https://w3id.org/ro/crate/1.1"
    assert descriptor["about"] is root
    assert [each.id for each in root["conformsTo"]] == [PROFILE]
    assert types(root["conformsTo"][0]) == ["CreativeWork"]
    assert root["datePublished"]
    assert (root["name"], root["description"]) == ("a.zarr", "Processed, not raw data.")
    (action,) = root["mentions"]
    assert types(action) == ["CreateAction"]
    assert types(action["instrument"]) == ["SoftwareApplication"]
    assert action["instrument"]["name"] == "napari-diffusion"
    assert action["instrument"]["softwareVersion"] == "1.2"
    assert [each["name"] for each in action["instrument"]["softwareRequirements"]] == ["numpy"]
    assert action["startTime"] == "2026-01-02T03:04:05+00:00"
    assert action["endTime"] == "2026-01-02T03:04:14+00:00"
    assert "agent" not in action


def test_it_says_what_was_made_of_what(crate):
    action = ROCrate(crate).root_dataset["mentions"][0]
    source, recipe, grid = action["object"]
    assert (source["name"], list(hashes(source).values())) == ("crop.tif", [INPUT])
    assert json.loads(recipe["value"])["seed"] == 7
    assert json.loads(grid["value"])["axes"] == "zyx"
    for result in action["result"]:
        assert "Dataset" in types(result)
        assert (crate / result.id).is_dir()
    found = [value for result in action["result"] for value in hashes(result).values()]
    several = (crate / "steps").is_dir() or "step" in str(hashes(action["result"][0]))
    assert found == (["3" * 64, "4" * 64, "5" * 64] if several else [OUTPUT])


def test_readers_of_images_are_not_disturbed(crate):
    path = crate / "steps" / "0000" if (crate / "steps").is_dir() else crate
    image = read_image(path).image
    np.testing.assert_array_equal(image[0] if image.ndim == 4 else image, made_up("zyx").image)


def test_what_is_unknown_is_left_out(tmp_path):
    path = write(tmp_path / "a.zarr", made_up("yx"))
    write_crate(path, record_of(made_up("yx"), 0), name="b.zarr")
    assert ROCrate(path).root_dataset["name"] == "b.zarr"
    action = ROCrate(path).root_dataset["mentions"][0]
    assert "startTime" not in action
    assert "endTime" not in action
    assert "additionalProperty" not in action["object"][0]
