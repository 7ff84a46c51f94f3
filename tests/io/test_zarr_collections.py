"""Groups that are no image say what they are, and name an image in them."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from zarr_stores import IMAGE, change, store

from napari_diffusion.io import NotReadable, read_image


def test_only_the_first_of_several_multiscales_is_read(tmp_path):
    made = store(tmp_path / "a.zarr")
    change(
        made / "zarr.json",
        lambda found: found["attributes"]["ome"].update(
            multiscales=found["attributes"]["ome"]["multiscales"] * 2
        ),
    )
    with pytest.warns(UserWarning, match="2 multiscale images: only the first"):
        read_image(made)


@pytest.mark.parametrize("multiscales", [[], {}, None, [7]])
def test_no_multiscales(tmp_path, multiscales):
    made = store(tmp_path / "a.zarr")
    change(
        made / "zarr.json",
        lambda found: found["attributes"]["ome"].update(multiscales=multiscales),
    )
    with pytest.raises(NotReadable, match="describes no image"):
        read_image(made)


def group(path, **attributes):
    return zarr.create_group(path, zarr_format=2, attributes=attributes)


def test_a_plate_names_a_field(tmp_path):
    plate = tmp_path / "a.zarr"
    group(plate, plate={"wells": [{"path": "A/1"}, {"path": "A/2"}]})
    group(plate / "A" / "1", well={"images": [{"path": "0"}, {"path": "1"}]})
    store(plate / "A" / "1" / "0", version="0.4")
    with pytest.raises(
        NotReadable, match=r"plate \(HCS\) with 2 wells: give one of its fields"
    ) as e:
        read_image(plate)
    assert str(plate / "A" / "1" / "0") in str(e.value)
    with pytest.raises(NotReadable, match=r"a well of a plate \(HCS\), with 2 fields: give") as e:
        read_image(plate / "A" / "1")
    assert str(plate / "A" / "1" / "0") in str(e.value)
    assert np.array_equal(read_image(plate / "A" / "1" / "0").image, IMAGE)


@pytest.mark.parametrize("wells", [None, [], [7], [{"path": "../.."}], [{"path": "A/9"}]])
def test_a_plate_without_fields(tmp_path, wells):
    group(tmp_path / "a.zarr", plate={"wells": wells})
    with pytest.raises(NotReadable, match=r"is a plate \(HCS\) with \d wells?\."):
        read_image(tmp_path / "a.zarr")


def test_label_images(tmp_path):
    made = store(tmp_path / "a.zarr")
    group(made / "labels", labels=["nuclei"])
    store(made / "labels" / "nuclei", version="0.4", attributes={"image-label": {}})
    with pytest.raises(NotReadable, match=r"holds 1 label image: give .*nuclei"):
        read_image(made / "labels")
    assert np.array_equal(read_image(made / "labels" / "nuclei").image, IMAGE)


@pytest.mark.parametrize("listed", [True, False])
def test_a_collection_names_an_image(tmp_path, listed):
    group(tmp_path / "a.zarr", **{"bioformats2raw.layout": 3})
    names = ["b", "c"] if listed else ["0", "10"]
    for name in names:
        store(tmp_path / "a.zarr" / name, version="0.4")
    if listed:
        group(tmp_path / "a.zarr" / "OME", series=names)
    with pytest.raises(NotReadable, match="holds 2 images: give one of them, such as") as caught:
        read_image(tmp_path / "a.zarr")
    assert str(tmp_path / "a.zarr" / names[0]) in str(caught.value)


def test_a_group_of_arrays_names_one(tmp_path):
    made = group(tmp_path / "a.zarr")
    made.create_array("air", shape=(2, 2), dtype="f4")
    with pytest.raises(NotReadable, match=r"contains no OME-Zarr image: give one .*air"):
        read_image(tmp_path / "a.zarr")
