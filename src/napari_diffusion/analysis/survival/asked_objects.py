"""Which kinds, sizes and contrasts of objects were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from napari_diffusion.analysis.survival.objects import Edge, Line, Patch, Shape, Spot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.analysis.study import Study

#: Kinds of objects.
Kind = Literal["spot", "line", "edge", "patch"]

#: Radii in pixels, of which volumes get the first two, and contrasts in multiples of the noise,
#: that are tried by default.
SIZES = {"spot": (0.7, 1.5, 3.0), "line": (0.7, 1.5), "edge": (0.7, 1.5)}
CONTRASTS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)

_SHAPES: dict[str, type[Shape]] = {"spot": Spot, "line": Line, "edge": Edge}

# Larger objects hardly fit into an image in any number.
_LARGEST_RADIUS, _LARGEST_PATCH = 20.0, 64

# So many sizes or contrasts are more than anyone tries.
_MOST = 32


@dataclass(frozen=True, eq=False)
class AskedObjects:
    """Objects as they were asked for.

    Attributes
    ----------
    kinds : tuple of str
    sizes : tuple of float or None
        Radii in pixels; None for those of each kind by default.
    contrasts : tuple of float
        Multiples of the standard deviation of the noise.
    patch : ndarray or tuple of slice or None
        Values, or where they lie in the image.
    """

    kinds: tuple[str, ...]
    sizes: tuple[float, ...] | None
    contrasts: tuple[float, ...]
    patch: ArrayLike | tuple[slice, ...] | None

    @classmethod
    def of(
        cls,
        kinds: Sequence[Kind] | Kind,
        sizes: Sequence[float] | None,
        contrasts: Sequence[float] | None,
        patch: ArrayLike | tuple[slice, ...] | None,
    ) -> AskedObjects:
        """Check what was asked for; see `feature_survival`."""
        radii = None if sizes is None else _numbers("sizes", sizes, 0.3, _LARGEST_RADIUS)
        heights = CONTRASTS if contrasts is None else _numbers("contrasts", contrasts, 1e-3, 1e6)
        return cls(_checked_kinds(kinds, patch), radii, heights, patch)

    def shapes(self, study: Study) -> tuple[Shape, ...]:
        """Return the shapes for an image."""
        along = study.grid.along
        dims = sum(axis in "zyx" for axis in along)
        if dims == 0:
            raise ValueError(
                f"Objects extend along z, y and x, and along={along!r} has none of these."
            )
        found: list[Shape] = []
        for kind in self.kinds:
            if kind == "patch":
                found.append(Patch.of(self._patch_values(study, dims)))
                continue
            if kind != "spot" and not {"y", "x"} <= set(along):
                raise ValueError(
                    f"Objects of the kind {kind!r} need y and x in along (got {along!r}): use "
                    "spots."
                )
            found += [
                _SHAPES[kind](size)
                for size in self.sizes or SIZES[kind][: 2 if dims == 3 else None]
            ]
        return tuple(found)

    def _patch_values(self, study: Study, dims: int) -> NDArray[Any]:
        """Return the values of the patch along the axes of the objects."""
        given = self.patch
        if isinstance(given, tuple) and all(isinstance(part, slice) for part in given):
            part = study.image.data[study.grid.canonical_slices(given)]
            objects = [axis for axis in study.grid.along_axes if axis >= 2]
            values = part.mean(axis=tuple(axis for axis in range(5) if axis not in objects))
        else:
            values = np.asarray(given, float)
        sizes = values.shape
        if len(sizes) != dims or not all(3 <= n <= _LARGEST_PATCH for n in sizes):
            raise ValueError(
                f"A patch must have {dims} axes of 3 to {_LARGEST_PATCH} pixels (got shape "
                f"{sizes})."
            )
        if not np.isfinite(values).all():
            raise ValueError("A patch must not hold NaN or infinite values: choose another one.")
        return np.asarray(values)


def _checked_kinds(kinds: Sequence[Kind] | Kind, patch: object) -> tuple[str, ...]:
    asked = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if patch is not None and "patch" not in asked:
        asked = (*asked, "patch")
    known = get_args(Kind)
    if not asked or len(set(asked)) != len(asked) or not set(asked) <= set(known):
        raise ValueError(f"kinds must be some of {', '.join(known)}, each once (got {kinds!r}).")
    if "patch" in asked and patch is None:
        raise ValueError('The kind "patch" needs patch=…: values, or slices of the image.')
    return asked


def _numbers(name: str, given: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    values = np.atleast_1d(np.asarray(given, float))
    if values.ndim != 1 or not 1 <= values.size <= _MOST:
        raise ValueError(f"{name} must be 1 to {_MOST} numbers (got {given!r}).")
    if not ((values >= low) & (values <= high)).all():
        raise ValueError(f"{name} must be from {low:g} to {high:g} (got {given!r}).")
    return tuple(float(each) for each in np.unique(values))
