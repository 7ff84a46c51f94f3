"""Reads TIFF files (plain, ImageJ, OME) with axes, pixel sizes and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.memory import fits
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.record_reader import record_beside
from napari_diffusion.io.stored.file_parts import lazy_parts
from napari_diffusion.io.stored.file_state import FileState
from napari_diffusion.io.tiff import ome_xml, storage, values
from napari_diffusion.io.tiff.calibration import (
    by_imagej,
    by_resolution,
    by_tifffile,
    resolution_of,
)
from napari_diffusion.io.tiff.nodata import warn_of_geography, warn_of_scale
from napari_diffusion.io.tiff.ome_xml import UnusableOme, record_in
from napari_diffusion.io.tiff.orientation import ORIENTATIONS, UprightValues, swaps, upright
from napari_diffusion.io.tiff.pixels import (
    check_kind,
    is_colour,
    same_kind,
    warn_of_kind,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from xml.etree.ElementTree import Element

    import tifffile

    from napari_diffusion.io.stored.file_parts import FileParts
    from napari_diffusion.io.tiff.storage import Page


_ORIENTATION = 274


def read_tiff(path: Path, lazy: bool | None = None) -> Source:
    """Read the first image of a TIFF file."""
    try:
        return _read(path, lazy, ome=True)
    except UnusableOme as error:
        warn(path.name, f"has OME-XML that {error}: the image is read without it.")
        return _read(path, lazy, ome=False)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError) as error:
        # tifffile computes with what the tags hold before it looks at it.
        raise NotReadable(
            f"{str(path)!r} is damaged: its tags contradict each other "
            f"({type(error).__name__}: {error})."
        ) from error


def _read(path: Path, lazy: bool | None, *, ome: bool) -> Source:
    import tifffile

    state = FileState.of(path)
    with storage.complaints() as said, tifffile.TiffFile(path) as file:
        remarks = storage.check_chain(file)
        if not ome:
            file.is_ome = False
        root = _ome_root(path, file)
        series = _first_series(path, file, root)
        page = series.keyframe
        check_kind(str(path), page)
        pages = storage.planes(str(path), series)
        same_kind(str(path), pages)
        lazy = _is_lazy(series, lazy)
        storage.check_size(str(path), series, pages, lazy=lazy)
        remarks += storage.check_stored(str(path), series, pages)
        remarks += storage.missing_planes(pages)
        source = _source(state, series, pages, lazy=lazy, ome=file.is_ome)
        source = source.replaced(remarks=tuple(f"{path.name} {remark}" for remark in remarks))
        for remark in remarks:
            warn(path.name, remark)
        xml = file.ome_metadata if root is not None else None
        if root is not None:
            height, width = page.imagelength, page.imagewidth
            source = ome_xml.described(source, ome_xml.image_of(root, height, width))
            source = source.replaced(record=record_in(xml or "", path.name))
        elif file.is_imagej:
            source = by_imagej(source, file.imagej_metadata or {})
            source = source.replaced(record=record_beside(path))
        else:
            source = by_tifffile(by_resolution(source), (file.shaped_metadata or ({},))[0])
    _warn_of_faults(source, said)
    return _upright(source, page)


def _ome_root(path: Path, file: tifffile.TiffFile) -> Element | None:
    """Return the root of the OME-XML; None if the file has none."""
    if not file.is_ome:
        return None
    root = ome_xml.parsed(file.ome_metadata or "")
    ome_xml.check_planes(path, root, file.pages.first.size)
    return root


def _first_series(
    path: Path, file: tifffile.TiffFile, root: Element | None
) -> tifffile.TiffPageSeries:
    try:
        found = file.series
    except Exception as error:
        if root is None:
            raise
        # tifffile takes what it needs from the text, whatever it holds.
        raise UnusableOme(f"does not describe it ({type(error).__name__} {error})") from error
    if not found:
        raise NotReadable(f"{str(path)!r} holds no image.")
    if len(found) > 1:
        warn(path.name, f"holds {len(found)} images: only the first one is read.")
    if file.is_imagej and root is None and found[0].kind != "imagej":
        _check_imagej(path, file, found[0])
    return found[0]


def _check_imagej(path: Path, file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> None:
    """Refuse a stack of ImageJ whose planes are not all there."""
    metadata = file.imagej_metadata or {}
    declared = metadata.get("images", 1)
    if isinstance(declared, int) and declared > len(series):
        raise NotReadable(
            f"{str(path)!r} is cut off: it declares {declared} planes and holds less. Copy it "
            "again from where it was made."
        )


def _is_lazy(series: tifffile.TiffPageSeries, lazy: bool | None) -> bool:
    if lazy is None:
        lazy = not fits(series.shape, series.dtype)
    return lazy and values.are_readable_in_parts(series)


def _source(
    file: FileState,
    series: tifffile.TiffPageSeries,
    pages: list[Page | None],
    *,
    lazy: bool,
    ome: bool,
) -> Source:
    """Return the image as it is stored, with its axes; pixels marked as no data are not valid."""
    page, name = series.keyframe, file.path.name
    warn_of_kind(name, page)
    warn_of_geography(name, page)
    warn_of_scale(name, page)
    letters = series.axes
    axes, shape, rgb = _axes(name, letters, tuple(series.shape), page)
    if lazy:
        found = values.in_parts(file, series, pages, shape, ome=ome)
    else:
        found = values.in_memory(file.path, series, pages, shape)
    return Source(
        name=name,
        image=found.image,
        axes=axes,
        letters=letters,
        rgb=rgb,
        resolution=resolution_of(name, page),
        valid=found.valid,
        stored=found.stored,
    )


def _axes(
    name: str, letters: str, shape: tuple[int, ...], page: tifffile.TiffPage
) -> tuple[str | None, tuple[int, ...], bool]:
    """Return (axes, shape, rgb) from TIFF's letters; unknown axes give None."""
    if "S" in letters and "C" in letters and shape[letters.index("C")] == 1:
        place = letters.index("C")
        shape = shape[:place] + shape[place + 1 :]
        letters = letters.replace("C", "")
    rgb = "S" in letters and is_colour(name, page, shape[letters.index("S")])
    axes = letters.replace("S", "C").lower()
    named = set(axes) <= set("tczyx") and len(set(axes)) == len(axes)
    return (axes, shape, rgb) if named else (None, shape, False)


def _upright(source: Source, page: tifffile.TiffPage) -> Source:
    """Return the source turned as its orientation says."""
    orientation = page.tags.valueof(_ORIENTATION, default=1)
    if orientation == 1:
        return source
    letters = source.axes or source.letters.lower()
    if orientation not in ORIENTATIONS or not {"y", "x"} <= set(letters):
        warn(source.name, f"has an unknown orientation ({orientation!r}): it is not turned.")
        return source
    y, x = letters.index("y"), letters.index("x")
    warn(
        source.name,
        f"is stored turned or mirrored (orientation {orientation}): it is turned upright.",
    )

    source = source.replaced(
        **_turned(source, orientation, y, x),
        valid=None if source.valid is None else upright(source.valid, orientation, y, x),
    )
    if not swaps(orientation):
        return source
    x_y = source.resolution
    return source.replaced(
        lengths=_exchanged(source.lengths),
        place=_exchanged(source.place),
        resolution=None if x_y is None else (x_y[1], x_y[0], x_y[2]),
    )


def _turned(source: Source, orientation: int, y: int, x: int) -> dict[str, Any]:
    if not is_dask(source.image):
        return {"image": upright(source.image, orientation, y, x)}
    stored = UprightValues(cast("FileParts", source.stored), orientation, y, x)
    return {"image": lazy_parts(stored), "stored": stored}


def _exchanged(by_axis: Mapping[str, float]) -> dict[str, float]:
    return {{"x": "y", "y": "x"}.get(axis, axis): value for axis, value in by_axis.items()}


def _warn_of_faults(source: Source, said: list[str]) -> None:
    """Warn of what tifffile logged and nothing else has told."""
    told = ["GDAL_NODATA", "read_segments", "PHOTOMETRIC", "ORIENTATION"]
    if source.remarks:
        told += ["OME series", "page offset", "corrupted tag list", "offset to page"]
    storage.warn_of_complaints(
        source.name, [each for each in said if not any(word in each for word in told)]
    )
