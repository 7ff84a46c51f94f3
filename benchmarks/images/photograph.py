"""What is known of an image that a package ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# train: a denoiser may learn from it; choose: constants and designs were or may be chosen by it;
# report: nothing is tuned on it, and pages report it.
Role = Literal["train", "choose", "report"]

Kind = Literal["natural", "repeated", "microscopy", "medical", "terrain"]


@dataclass(frozen=True)
class Photograph:
    """An image file that a package ships.

    Attributes
    ----------
    name : str
        Its name in benchmarks.
    package, path : str
        The package to import, and the file in its folder.
    role, kind : str
        What it may be used for; what is seen on it. Repeated: many similar structures.
    licence : str
        Of the image, as the package states it; "unknown" where it says nothing of this image.
    source : str
        Where the image comes from, as the package states it.
    digest : str
        SHA-256 of the decoded array, see `digest_of`.
    plane : tuple
        Index of one plane in the array.
    scene : str
        What was photographed, where several files show it; one scene has one role.
    """

    name: str
    package: str
    path: str
    role: Role
    kind: Kind
    licence: str
    source: str
    digest: str
    plane: Any = ()
    scene: str = ""


@dataclass(frozen=True)
class Part:
    """Where a part of 256² of a photograph begins, (y, x)."""

    photograph: str
    start: tuple[int, int]
