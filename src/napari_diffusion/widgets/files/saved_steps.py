"""The steps of a run in a file or a folder, as one layer whose steps are read when looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.ome_zarr.levels import coarser_levels
from napari_diffusion.io.reader import read_image
from napari_diffusion.io.record_reader import read_record
from napari_diffusion.records.provenance import SCHEMA
from napari_diffusion.widgets.files.layer_source import channel_arguments, layer_arguments
from napari_diffusion.widgets.layers.layer_names import layer_name
from napari_diffusion.widgets.layers.step_records import KEY, layer_letters, source_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord


@dataclass(frozen=True, eq=False)
class SavedSteps:
    """The steps of one run.

    Attributes
    ----------
    first : Source
        The first step, with what the file says of its axes and pixel sizes.
    records : list of dict
        The record of each step.
    levels : list of array
        All steps along a leading axis, finest level first.
    """

    first: Source
    records: list[StepRecord]
    levels: list[NDArray[Any]]

    @classmethod
    def of_files(cls, paths: list[Path]) -> SavedSteps:
        """Return the steps of a run with an image for each of them."""
        import dask.array as da

        first = read_image(paths[0], lazy=True)
        letters = layer_letters(_record(first))
        found, records = [], []
        for path in paths:
            source, levels = _lazy_step(path, first)
            records.append(_record(source))
            found.append([cls.arranged(source.replaced(image=each), letters) for each in levels])
        shallowest = min(map(len, found))
        levels = [da.stack([each[k] for each in found]) for k in range(shallowest)]
        return cls(first, records, levels)

    @classmethod
    def of_stack(cls, source: Source) -> SavedSteps | None:
        """Return the steps of a run that are one image; None for an image that is no such stack."""
        record = source.record
        if record is None or len(record.get("steps", ())) < 2:
            return None
        common = {name: each for name, each in record.items() if name != "steps"}
        records: list[StepRecord] = [{**common, **each} for each in record["steps"]]  # type: ignore[typeddict-item]
        letters = layer_letters(records[0])
        colours = bool(records[0]["grid"]["rgb"])
        first = source.replaced(axes=_behind_steps(source, letters), rgb=colours)
        steps = [cls.arranged(first.replaced(image=each), letters) for each in source.image]
        return cls(first, records, [np.stack(steps)])

    @staticmethod
    def arranged(source: Source, letters: str) -> NDArray[Any]:
        """Return the values in the order that the layer had them in."""
        axes = source.axes or letters
        image = source.image
        for axis in [axis for axis in axes if axis not in letters]:
            image = image[tuple(0 if each == axis else slice(None) for each in axes)]
            axes = axes.replace(axis, "")
        return image.transpose([axes.index(axis) for axis in letters])

    def layer(self) -> tuple[Any, dict[str, Any], str]:
        """Return the layer with its slider: values or levels, keyword arguments, type."""
        letters = layer_letters(self.records[0])
        arguments = layer_arguments(self.first, letters)
        arguments["scale"] = [1.0, *arguments["scale"]]
        arguments["translate"] = [0.0, *arguments["translate"]]
        arguments["units"] = ["pixel", *arguments["units"]]
        arguments["axis_labels"] = ["step", *arguments["axis_labels"]]
        if not self.first.rgb:
            arguments["contrast_limits"] = self._limits()
        if len(self.first.channels) == 1:
            # Blended as usual: what it was made from may lie below.
            arguments |= {
                **channel_arguments(self.first.channels[0]),
                "blending": "translucent_no_depth",
            }
        many = len(self.levels) > 1
        name = layer_name(f"{len(self.records)} steps", source_of(self.records[0]))
        kept = {KEY: {"schema": SCHEMA, "steps": self.records}}
        arguments |= {"name": name, "metadata": kept, "multiscale": many}
        return (self.levels if many else self.levels[0]), arguments, "image"

    def _limits(self) -> tuple[float, float]:
        """Return the range of the first and the last step, read in the coarsest level."""
        shown = np.asarray(self.levels[-1][[0, -1]])
        finite = shown[np.isfinite(shown)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        return low, high if high > low else low + 1.0


def _lazy_step(path: Path, first: Source) -> tuple[Source, list[NDArray[Any]]]:
    """Return what a file says of a step, and its levels, read when they are looked at."""
    if path.is_dir():
        source = read_image(path, lazy=True)
        return source, [source.image, *coarser_levels(path, source)]
    import dask.array as da
    from dask.delayed import delayed

    # A TIFF is read whole; of all but the first the record is enough for now.
    later = delayed(_image_of)(path, first.image.shape)
    image = da.from_delayed(later, first.image.shape, first.image.dtype)
    return first.replaced(name=path.name, record=read_record(path)), [image]


def _image_of(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    image = np.asarray(read_image(path).image)
    if image.shape != shape:
        raise ValueError(f"{path.name} has the shape {image.shape}, and the first step {shape}.")
    return image


def _record(source: Source) -> StepRecord:
    if source.record is None or "recipe" not in source.record:
        raise ValueError(f"{source.name} has no record of napari-diffusion: open it as an image.")
    record: StepRecord = {**source.record}
    record.pop("steps", None)
    return record


def _behind_steps(source: Source, letters: str) -> str:
    """Return the axes of one step in a stack, in the order of the file."""
    return source.letters[1:].replace("S", "C").lower() or letters
