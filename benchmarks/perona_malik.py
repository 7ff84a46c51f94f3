"""Perona–Malik diffusion: the cost of one explicit sub-step."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import (
    Case,
    Setting,
    Side,
    agreement,
    copying,
    difference,
    example_image,
    here,
    name_of,
)
from napari_diffusion.core import Image
from napari_diffusion.engine import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "pixel and sub-step"
CONTRAST = 0.1
SUB_STEPS = 10
# Of a large volume, or a library this much slower, fewer are enough for a long measurement.
LARGE, FEW = 1 << 23, 2


def _count(image: np.ndarray) -> int:
    return SUB_STEPS if image.size < LARGE else 2 * FEW


def rational(setting: Setting) -> Iterator[Case]:
    yield from _cases(setting, "rational")


def exponential(setting: Setting) -> Iterator[Case]:
    yield from _cases(setting, "exponential")


def colour(setting: Setting) -> Iterator[Case]:
    """Three channels that share one conductance, per pixel."""
    image = np.stack([example_image(setting.plane)] * 3, axis=-1)
    bytes_ = np.round(255 * image).astype(np.uint8)
    options: dict[str, Any] = {"axes": "yxc", "rgb": True}
    chosen = _filter("exponential", 2, SUB_STEPS)
    pixels = image.size / 3

    def ximgproc() -> Side:
        call = peers.XIMGPROC.loaded.anisotropicDiffusion
        note = "8-bit, rounds every iteration; eight neighbours"
        return Side(
            "OpenCV ximgproc anisotropicDiffusion",
            lambda: call(bytes_, 0.1, CONTRAST, SUB_STEPS),
            pixels * SUB_STEPS,
            note,
        )

    yield Case(
        "perona-malik-colour",
        f"Perona–Malik, exponential, RGB, {name_of(setting.plane)}",
        "pixel and sub-step",
        Side("PeronaMalik", lambda: chosen(image, **options), pixels * SUB_STEPS),
        (
            *here(setting, (peers.XIMGPROC, ximgproc)),
            _apply(chosen, image, pixels * SUB_STEPS, options),
        ),
    )


def smoothed(setting: Setting) -> Iterator[Case]:
    """Steepness measured on a smoothed copy, which is made anew in every sub-step."""
    for shape in (setting.plane, setting.volumes[0]):
        image = example_image(shape)
        chosen = _filter("rational", image.ndim, SUB_STEPS).replaced(smoothing=1.0)
        blur = nd.filters.Heat(time=0.5)
        yield Case(
            "perona-malik-smoothed",
            f"Perona–Malik, rational, smoothing = 1, {name_of(shape)}",
            UNIT,
            Side("PeronaMalik", lambda c=chosen, i=image: c(i), image.size * SUB_STEPS),
            (
                Side(
                    "Heat of the same width, once",
                    lambda b=blur, i=image: b(i),
                    image.size,
                    own=True,
                ),
                copying(image),
            ),
        )


def _cases(setting: Setting, law: str) -> Iterator[Case]:
    for shape in (setting.plane, *setting.volumes):
        image = example_image(shape)
        count = _count(image)
        chosen = _filter(law, image.ndim, count)
        single = _filter(law, image.ndim, 1)
        yield Case(
            f"perona-malik-{law}",
            f"Perona–Malik, {law}, {name_of(shape)}",
            UNIT,
            Side("PeronaMalik", lambda c=chosen, i=image: c(i), image.size * count),
            (
                *here(setting, *_peers(image, law)),
                _apply(chosen, image, image.size * count, {}),
                Side(
                    "PeronaMalik, one sub-step a call",
                    lambda c=single, i=image: c(i),
                    image.size,
                    own=True,
                ),
                copying(image),
            ),
        )


def _tau(ndim: int) -> float:
    """The sub-step that a filter takes at unit spacing."""
    return 0.8 / (2 * ndim)


def _filter(law: str, ndim: int, sub_steps: int) -> nd.filters.PeronaMalik:
    made = nd.filters.PeronaMalik(conductance=law, contrast=CONTRAST, time=sub_steps * _tau(ndim))
    taken = made.sub_steps(nd.Grid.of((8,) * ndim))
    if taken != sub_steps:
        raise RuntimeError(f"The filter takes {taken} sub-steps where {sub_steps} were meant.")
    return made


def _apply(chosen: Any, image: np.ndarray, work: float, options: dict[str, Any]) -> Side:
    """The filter on an array that is already read in, and not given back."""
    read = Image.of(image, **options)
    return Side(
        "PeronaMalik, without reading in and giving back",
        lambda: chosen.apply(Block(read.data, read.grid)),
        work,
        own=True,
    )


def _peers(image: np.ndarray, law: str) -> list[Any]:
    sides = [
        (peers.MEDPY, functools.partial(_medpy, image, law)),
        (peers.DIPLIB, functools.partial(_diplib, image, law)),
        (peers.SIMPLEITK, functools.partial(_simpleitk, image)),
    ]
    if law == "rational":
        sides.append((peers.VTK, functools.partial(_vtk, image)))
    return sides


def _once(image: np.ndarray, law: str, contrast: float, tau: float) -> np.ndarray:
    """One sub-step of ours."""
    chosen = nd.filters.PeronaMalik(conductance=law, contrast=contrast, time=tau)
    return np.asarray(chosen(image))


def _k(law: str) -> float:
    """The parameter of the conductance whose flux is greatest at CONTRAST."""
    return CONTRAST * (2**0.5 if law == "exponential" else 1.0)


def _medpy(image: np.ndarray, law: str) -> Side:
    tau, option = _tau(image.ndim), 2 if law == "rational" else 1

    def run(iterations: int) -> Any:
        return peers.MEDPY.loaded.anisotropic_diffusion(
            image, niter=iterations, kappa=_k(law), gamma=tau, option=option
        )

    return Side(
        f"MedPy anisotropic_diffusion, option {option}",
        lambda: run(_count(image)),
        image.size * _count(image),
        agreement(difference(_once(image, law, CONTRAST, tau), run(1))),
    )


def _diplib(image: np.ndarray, law: str) -> Side:
    dip, tau = peers.DIPLIB.loaded, _tau(image.ndim)
    g = "quadratic" if law == "rational" else "Gauss"
    given = dip.Image(image)

    def run(iterations: int) -> Any:
        return dip.PeronaMalikDiffusion(
            given, iterations=iterations, K=_k(law), stepSizeLambda=tau, g=g
        )

    found = difference(_once(image, law, CONTRAST, tau), np.asarray(run(1)), margin=2)
    return Side(
        f"DIPlib PeronaMalikDiffusion, {g}",
        lambda: run(_count(image)),
        image.size * _count(image),
        agreement(found, " inside; other border"),
    )


def _simpleitk(image: np.ndarray) -> Side:
    sitk, tau = peers.SIMPLEITK.loaded, 0.5 ** (image.ndim + 1)
    given = sitk.GetImageFromArray(image)
    few = FEW if image.size < LARGE else 1

    def run(iterations: int, conductance: float) -> Any:
        return sitk.GradientAnisotropicDiffusion(given, tau, conductance, 1, iterations)

    plain = sitk.GetArrayFromImage(run(1, 1e6))
    found = agreement(difference(_once(image, "rational", 1e6, tau), plain))
    return Side(
        "SimpleITK GradientAnisotropicDiffusion",
        lambda: run(few, 1.0),
        image.size * few,
        f"conductance relative to the mean gradient; where it is 1, {found}",
    )


def _vtk(image: np.ndarray) -> Side:
    from vtkmodules.util import numpy_support
    from vtkmodules.vtkCommonDataModel import vtkImageData

    given = vtkImageData()
    given.SetDimensions(*image.shape[::-1], *(1,) * (3 - image.ndim))
    scalars = numpy_support.numpy_to_vtk(image.ravel(), deep=True)
    given.GetPointData().SetScalars(scalars)
    made = getattr(peers.VTK.loaded, f"vtkImageAnisotropicDiffusion{image.ndim}D")()
    made.SetInputData(given)
    made.CornersOff()
    if image.ndim == 3:
        made.EdgesOff()
    tau = _tau(image.ndim)
    # Its factor is shared among the neighbours.
    made.SetDiffusionFactor(2 * image.ndim * tau)

    def run(iterations: int, threshold: float) -> Any:
        made.SetNumberOfIterations(iterations)
        made.SetDiffusionThreshold(threshold)
        made.Modified()
        made.Update()
        return made.GetOutput()

    plain = numpy_support.vtk_to_numpy(run(1, 1e6).GetPointData().GetScalars())
    found = difference(_once(image, "rational", 1e6, tau), plain.reshape(image.shape), 2)
    return Side(
        f"VTK ImageAnisotropicDiffusion{image.ndim}D",
        lambda: run(_count(image), CONTRAST),
        image.size * _count(image),
        f"a threshold for a conductance; where it is 1, {agreement(found, ' inside')}",
    )
