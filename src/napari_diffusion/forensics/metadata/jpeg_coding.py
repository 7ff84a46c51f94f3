"""How a JPEG is coded: tables, sampling of colours, scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.jpeg.quality import QUALITIES, quality_of, steps_at
from napari_diffusion.forensics.metadata.file_facts import FileFacts, listed, plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL.ImageFile import ImageFile

_SIDE = 8


def jpeg_facts(file: ImageFile) -> FileFacts:
    """Return how an opened JPEG is coded; no pixel is decoded."""
    quality, said = _quality(getattr(file, "quantization", {}))
    info = file.info
    found = [
        ("quality", quality),
        ("sampling of colours", _sampling(getattr(file, "layer", ()))),
        ("scans", "progressive" if info.get("progressive") else "baseline"),
        ("markers", plain_text(" ".join(name for name, _ in getattr(file, "applist", ())[:50]))),
        ("JFIF", ".".join(map(str, info.get("jfif_version", ())))),
        ("Adobe marker", plain_text(info.get("adobe", ""))),
        ("comment", plain_text(info.get("comment", ""))),
    ]
    return FileFacts(listed("JPEG", found), (said,) if said else ())


def _quality(tables: Mapping[int, Sequence[int]]) -> tuple[str, str]:
    """Return the quality that the table of brightness stands for, and a sentence on it."""
    steps = np.asarray(tables.get(0, ()), np.int64)
    if steps.size != _SIDE * _SIDE:
        return "", ""
    steps = steps.reshape(_SIDE, _SIDE)
    if (quality := quality_of(steps)) is not None:
        return f"{quality}", f"It is a JPEG with the standard table of quality {quality}."
    near = min(
        QUALITIES, key=lambda q: float(np.abs(np.log(steps_at(q) / np.maximum(steps, 1))).sum())
    )
    return f"about {near}, not a standard table", (
        f"It is a JPEG with a table of its own, close to quality {near}: cameras, phones and some "
        "programs have such tables."
    )


def _sampling(layers: Sequence[tuple[int, int, int, int]]) -> str:
    """Return how often colours are sampled, in the notation of video."""
    if len(layers) < 3:
        return "grey" if layers else ""
    (_, across, down, _), *colours = layers[:3]
    if any(colour[1:3] != (1, 1) for colour in colours):
        return "unusual"
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0"}
    return names.get((across, down), "unusual")
