"""Where a run in passes stands, in a file beside its output, for one that goes on."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from napari_diffusion.io.durability import write_durably

if TYPE_CHECKING:
    from pathlib import Path

_STATE = "passes.json"

Positive = Annotated[int, Field(ge=1)]

# One number for each canonical axis.
Sizes = Annotated[list[Positive], Field(min_length=5, max_length=5)]

Scale = float | list[float]


class KeptPlan(TypedDict):
    """What a run that goes on needs of a plan; see `PassPlan`."""

    passes: list[tuple[int, int, int, int]]
    tile: Sizes
    chunk: Sizes
    redundancy: float
    tile_bytes: Positive


class KeptState(TypedDict):
    """What a run that goes on needs of a state; see `State`."""

    done: Annotated[int, Field(ge=0)]
    noise_scale: Scale
    used: Scale
    plan: KeptPlan


@functools.cache
def _checked() -> TypeAdapter[KeptState]:
    return TypeAdapter(KeptState)


def keep(folder: Path, state: KeptState) -> None:
    """Note where a run stands, so that a loss of power leaves it there."""
    write_durably(folder / _STATE, json.dumps(state).encode())


def kept_state(folder: Path) -> KeptState | None:
    """Return where the run in a folder stands; None without one.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    file = folder / _STATE
    try:
        kept = _checked().validate_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError):
        kept = None
    if kept is None or kept["done"] > len(kept["plan"]["passes"]):
        raise ValueError(f"{str(file)!r} is damaged: --overwrite without --resume starts again.")
    return kept
