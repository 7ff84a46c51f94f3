"""What a zarr group holds that is no image, and how to get at an image in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.attributes import dictionary, entries
from napari_diffusion.io.ome_zarr.description import KEY
from napari_diffusion.io.ome_zarr.store import opened, within

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io.ome_zarr.attributes import Attributes

_FILES = ("zarr.json", ".zarray", ".zgroup")


def without_image(path: Path, attributes: Attributes) -> str:
    """Return the sentence for a group that is no image."""
    metadata = dictionary(attributes.get("ome", attributes))
    name = f"{str(path)!r}"
    if "plate" in metadata:
        wells = _paths(dictionary(metadata["plate"]).get("wells"))
        fields = [field for well in wells[:1] for field in _fields(path, well)]
        held = f"is a plate (HCS) with {_counted(len(wells), 'well')}"
        return f"{name} {held}{_one_of(path, fields, 'its fields')}"
    if "well" in metadata:
        images = _paths(dictionary(metadata["well"]).get("images"))
        held = f"is a well of a plate (HCS), with {_counted(len(images), 'field')}"
        return f"{name} {held}{_one_of(path, images)}"
    if "labels" in metadata:
        labels = [each for each in entries(metadata["labels"]) if isinstance(each, str)]
        return f"{name} holds {_counted(len(labels), 'label image')}{_one_of(path, labels)}"
    series = _series(path)
    if KEY in attributes:
        return _of_run(path, dictionary(attributes[KEY]), series)
    if series:
        return f"{name} holds {_counted(len(series), 'image')}{_one_of(path, series)}"
    inside = sorted(each.name for each in path.iterdir() if _is_node(each))
    return f"{name} is a zarr group that contains no OME-Zarr image{_one_of(path, inside)}"


def _of_run(path: Path, record: Attributes, series: list[str]) -> str:
    if not series:
        return f"{str(path)!r} is an output that was not completed, and holds no image yet."
    if record.get("complete") is False:
        held = "the first step" if len(series) == 1 else f"the first {len(series)} steps"
        held += " of a run that was not completed"
    else:
        held = f"the {len(series)} steps of a run"
    return f"{str(path)!r} holds {held}{_one_of(path, series[-1:])}"


def _one_of(path: Path, images: list[str], what: str = "them") -> str:
    """Return the rest of the sentence, with the first image that is there."""
    for image in images:
        try:
            found = within(path, image)
        except NotReadable:
            continue
        if found.is_dir():
            return f": give one of {what}, such as {str(found)!r}."
    return "."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _fields(path: Path, well: str) -> list[str]:
    try:
        attributes = dict(opened(within(path, well)).attrs)
    except (NotReadable, OSError):
        return []
    metadata = dictionary(attributes.get("ome", attributes))
    return [f"{well}/{field}" for field in _paths(dictionary(metadata.get("well")).get("images"))]


def _paths(found: object) -> list[str]:
    paths = [dictionary(each).get("path") for each in entries(found)]
    return [each for each in paths if isinstance(each, str)]


def _series(path: Path) -> list[str]:
    """Return the images of a collection: those listed, else those that are numbered."""
    try:
        attributes = dict(opened(path / "OME").attrs) if (path / "OME").is_dir() else {}
    except (NotReadable, OSError):
        attributes = {}
    listed = entries(dictionary(attributes.get("ome", attributes)).get("series"))
    images = [each for each in listed if isinstance(each, str)]
    numbered = (each for each in path.iterdir() if each.name.isdecimal() and _is_group(each))
    return images or [each.name for each in sorted(numbered, key=lambda each: int(each.name[:9]))]


def _is_group(path: Path) -> bool:
    return _is_node(path) and not (path / ".zarray").exists() and not (path / "c").exists()


def _is_node(path: Path) -> bool:
    return any((path / name).is_file() for name in _FILES)
