"""How a source layer looks and where it lies, kept for the layers that are made from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypedDict

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import ArrayLike, NDArray

_SHOWN = (
    "rgb",
    "opacity",
    "gamma",
    "interpolation2d",
    "interpolation3d",
    "rendering",
    "depiction",
)

# Colours of layers in these modes add up, so that a step over its source would show neither.
_MIXING = ("additive", "minimum", "multiplicative")


class Placement(TypedDict):
    """Where a layer lies: keyword arguments of `napari.layers.Image`, an entry per axis."""

    scale: NDArray[np.float64]
    translate: NDArray[np.float64]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LayerStyle:
    """Place and looks of an image layer at one moment; deleting the layer does not change it.

    Attributes
    ----------
    shown : dict
        Keyword arguments of `napari.layers.Image` for looks.
    placed : Placement
        Where the layer lies.
    """

    shown: dict[str, Any]
    placed: Placement

    @classmethod
    def of(cls, layer: Image) -> Self:
        """Read a layer."""
        shown = {name: getattr(layer, name) for name in _SHOWN}
        shown["blending"] = str(layer.blending)
        if not layer.rgb:
            shown["colormap"] = layer.colormap
            shown["contrast_limits"] = tuple(float(limit) for limit in layer.contrast_limits)
        placed: Placement = {
            "scale": np.array(layer.scale),
            "translate": np.array(layer.translate),
            "rotate": np.array(layer.rotate),
            "shear": np.array(layer.shear),
            "affine": np.array(layer.affine.affine_matrix),
            "units": tuple(str(unit) for unit in layer.units),
            "axis_labels": tuple(layer.axis_labels),
        }
        return cls(shown, placed)

    @property
    def mixes(self) -> bool:
        """Whether layers beneath one of this style stay visible."""
        return self.shown["blending"] in _MIXING or self.shown["opacity"] < 1

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for a layer with the source's axes."""
        return {**self.shown, **self.placed}

    def hidden(self) -> LayerStyle:
        """Return the style of a layer that is not shown at first."""
        return replace(self, shown={**self.shown, "visible": False})

    def moved(self, start: ArrayLike) -> LayerStyle:
        """Return the style of the part of the layer that begins at a pixel of it."""
        from napari.utils.transforms import Affine

        own = {name: self.placed[name] for name in ("scale", "translate", "rotate", "shear")}
        place = np.atleast_1d(Affine(**own)(np.asarray(start, float)))
        return replace(self, placed={**self.placed, "translate": place})

    def resized(self, before: tuple[int, ...], after: tuple[int, ...]) -> LayerStyle:
        """Return the style of the same place with more pixels, along axes that have more."""
        ratio = np.minimum(np.array(before) / after, 1.0)[: len(self.placed["scale"])]
        # The first small pixel is centred in a corner of the first large one.
        moved = self.moved((ratio - 1) / 2)
        scale = self.placed["scale"] * ratio
        return replace(moved, placed={**moved.placed, "scale": scale})

    def stacked(self) -> LayerStyle:
        """Return the style of a stack of such layers along a leading axis `step`."""
        placed = self.placed
        return replace(
            self,
            placed={
                "scale": np.array([1.0, *placed["scale"]]),
                "translate": np.array([0.0, *placed["translate"]]),
                "rotate": _with_axis(placed["rotate"]),
                "shear": _shear_with_axis(placed["shear"], len(placed["scale"])),
                "affine": _with_axis(placed["affine"]),
                "units": ("pixel", *placed["units"]),
                # Labels that napari numbers itself count from the last axis, so they stay right.
                "axis_labels": ("step", *placed["axis_labels"]),
            },
        )

    def unstacked(self) -> LayerStyle:
        """Return the style of one step of a stack; the reverse of `stacked`."""
        placed = self.placed
        shear = placed["shear"]
        ndim = len(placed["scale"]) - 1
        return replace(
            self,
            placed={
                "scale": placed["scale"][1:],
                "translate": placed["translate"][1:],
                "rotate": placed["rotate"][1:, 1:],
                "shear": shear[1:, 1:] if np.ndim(shear) == 2 else shear[ndim:],
                "affine": placed["affine"][1:, 1:],
                "units": placed["units"][1:],
                "axis_labels": placed["axis_labels"][1:],
            },
        )


def _with_axis(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return a matrix for one leading axis more, which it leaves as it is."""
    larger = np.eye(len(matrix) + 1)
    larger[1:, 1:] = matrix
    return larger


def _shear_with_axis(shear: NDArray[Any], ndim: int) -> NDArray[Any]:
    """Return shears, which napari keeps as the upper triangle row by row, for one axis more."""
    if np.ndim(shear) == 2:
        return _with_axis(shear)
    return np.concatenate([np.zeros(ndim), shear])
