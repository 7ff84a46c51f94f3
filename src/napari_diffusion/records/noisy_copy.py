"""A noisy copy on its own: noise added to an image without the loop, and its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Unpack

from napari_diffusion.core.address import Address
from napari_diffusion.core.image import Image
from napari_diffusion.core.noise_scale import asked_scale
from napari_diffusion.estimate.asked_scale import asked_scale_of
from napari_diffusion.loop import registry
from napari_diffusion.records.provenance import (
    PROCESSED,
    SCHEMA,
    asked_entry,
    cast_words,
    component_words,
    further,
    grid_record,
    plain,
    scale_words,
    source_words,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.noise_scale import AskedScale, NoiseScale
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import FurtherEntries, StepRecord
    from napari_diffusion.noise import Noise
    from napari_diffusion.records.provenance import GridKeywords


@dataclass(frozen=True, eq=False)
class NoisyCopy:
    """An image with noise, and what was added.

    Attributes
    ----------
    image : ndarray or dask array
        The noisy image, or the region of it that was asked for.
    noise : Noise
        With a value for every "auto".
    noise_scale : float or tuple of float
        Standard deviation of the noise.
    seed : int
        Random seed.
    asked : dict
        What values were asked for as, such as ``{"noise_scale": "5 % of range"}``.
    """

    image: NDArray[Any]
    noise: Noise
    noise_scale: NoiseScale
    seed: int
    asked: Mapping[str, str] = field(default_factory=dict)


def noisy_copy(
    image: ArrayLike | Image,
    noise: Noise,
    noise_scale: AskedScale = "auto",
    seed: int = 0,
    *,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> NoisyCopy:
    """Add noise to an image; the values are those of ``noise(image, noise_scale, seed)``.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    noise : Noise
        The kind of noise.
    noise_scale : float, tuple of float, str or None
        Standard deviation in intensity units; "auto" is that of the image's own noise,
        "5 % of range" that share of its maximum minus its minimum, None the one given by the
        parameters of the noise.
    seed : int
        Random seed, 0 … 2⁶⁴ − 1.
    region : tuple of slice, optional
        One slice per axis of the image: only that part of the whole image's result is made.
    stop : StopToken, optional
        Once set, `Stopped` is raised within a tile.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    """
    source = Image.of(image, **options)
    chosen, address = noise.resolved(source), Address(seed)
    wanted = None if noise_scale is None else asked_scale(noise_scale)
    asked = {f"noise.{name}": text for name, text in noise.asked().items()}
    if isinstance(wanted, str):
        asked["noise_scale"] = wanted
        wanted = asked_scale_of(source, wanted)
    scale = chosen.scale_on(source, wanted)
    noisy = chosen.added_to(source, scale, address, region, stop)
    return NoisyCopy(noisy, chosen, scale, address.seed, asked)


def noise_record(
    copy: NoisyCopy,
    grid_options: GridKeywords,
    source_name: str,
    **more: Unpack[FurtherEntries],
) -> StepRecord:
    """Return everything needed to reproduce a noisy copy, as plain values.

    Parameters
    ----------
    copy : NoisyCopy
        The noisy copy; its image is not kept.
    grid_options : mapping
        The keywords of the image; a mask is kept by its content hash.
    source_name : str
        Name of the layer or file.
    **more
        Further plain values, such as ``region`` and ``cast``; None is left out.
    """
    return {
        "schema": SCHEMA,
        "noise": plain(registry.to_dict(copy.noise)),
        "noise_scale": plain(copy.noise_scale),
        **asked_entry(copy.asked),
        "seed": copy.seed,
        "step": 0,
        "is_final": False,
        "grid": grid_record(copy.image.shape, grid_options, more.get("unit")),
        "source": source_name,
        "versions": dict(versions()),
        "processed": (
            f"{PROCESSED} {source_name!r} with {component_words(copy.noise)} noise "
            f"added on purpose (standard deviation "
            f"{scale_words(copy.noise_scale, copy.asked.get('noise_scale'))}, "
            f"random seed {copy.seed}){cast_words(more.get('cast'))}."
            + source_words(more.get("source_processed"))
        ),
        **further(more),
    }
