"""The readers of napari and its plugins, called without a window."""

from __future__ import annotations

import numpy as np
from told_image import Told, hexadecimal


def with_plugin(path):
    """Return what napari gets through our plugin; each layer is made, as napari does it."""
    from napari.layers import Layer

    from napari_diffusion.widgets.files.reader import read_layers

    layers = [Layer.create(*each) for each in read_layers(path)]
    first, many = layers[0], len(layers) > 1
    letters = ["q" if name == "step" else name for name in first.axis_labels]
    units = dict(zip(letters, map(str, first.units), strict=True))
    values = [np.asarray(each.data) for each in layers]
    return Told(
        np.stack(values) if many else values[0],
        "c" * many + "".join(letters) + "c" * first.rgb,
        dict(zip(letters, first.scale, strict=True)),
        dict(zip(letters, first.translate, strict=True)),
        units.get("x", ""),
        units.get("t", ""),
        [each.name.partition(" ")[2] for each in layers] if many else [],
        [hexadecimal(each.colormap.colors[-1]) for each in layers] if many else [],
        first.rgb,
    )


def with_napari(path):
    """Return what napari's own reader tells: the values."""
    from napari_builtins.io import napari_get_reader

    values = napari_get_reader(str(path))(str(path))[0][0]
    return Told(np.asarray(values[0] if isinstance(values, list) else values))


def with_napari_ome_zarr(path):
    """Return what napari-ome-zarr tells: of a run its images in order."""
    from napari_ome_zarr import napari_get_reader

    layers = napari_get_reader(str(path))(str(path))
    first, many = layers[0][1], len(layers) > 1
    letters = ["q" if name == "step" else name for name in first["axis_labels"]]
    units = dict(zip(letters, first.get("units", letters), strict=True))
    sizes = dict(zip(letters, first["scale"], strict=True))
    if "channel_axis" in first:
        letters.insert(first["channel_axis"], "c")
    values = [np.asarray(levels[0]) for levels, _, _ in layers]
    return Told(
        np.stack(values) if many else values[0],
        "q" * many + "".join(letters),
        sizes,
        unit=units["x"],
        time_unit=units.get("t", ""),
        names=[name.rpartition(": ")[2] for name in first.get("name", [])],
        colours=[hexadecimal(each.colors[-1]) for each in first.get("colormap", [])],
    )
