"""What a layer holds of the steps in it: their records, and where these are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from napari_diffusion.io.step_record import checked_record
from napari_diffusion.records.provenance import described_recipe
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.unwrapped import unwrapped

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_diffusion.io.step_record import StepRecord

KEY = "napari_diffusion"

#: Where a step's layer has the mask of its run, to continue from it.
MASK_KEY = "napari_diffusion_mask"

# Where a record keeps what was measured of its step, why that is excluded from the recommendation,
# and which step was recommended.
MEASURES: Final = "measures"
DOUBTS: Final = "doubts"
RECOMMENDED: Final = "recommended"

# The records of each layer that are known to be usable, by identity.
_SEEN: WeakKeyDictionary[Layer, dict[int, Any]] = WeakKeyDictionary()

#: Further entries of a record, besides the recipe and the grid.
Entries = dict[str, Any]

#: How an array is to be read: the keywords of `GridOptions`.
GridKeywords = dict[str, Any]


def records_of(layer: Layer) -> list[StepRecord]:
    """Return the records of a layer's steps: one, as many as a stack has, or none."""
    kept = getattr(layer, "metadata", {}).get(KEY)
    if not isinstance(kept, dict):
        return []
    records, seen = kept.get("steps", [kept]), _SEEN.setdefault(unwrapped(layer), {})
    if not isinstance(records, list) or not all(_is_usable(each, seen) for each in records):
        return []
    # While a stack is made, records are there before the values.
    held = len(values(layer)) if "steps" in kept and hasattr(layer, "multiscale") else 0
    return [] if len(records) < held else list(records)


def _is_usable(record: Any, seen: dict[int, Any]) -> bool:
    """Whether a record is that of a step; any reader may have put it there."""
    if id(record) not in seen:
        try:
            if "recipe" not in checked_record(record):
                return False
            json.dumps(record)  # which is how docks tell runs apart
            known = next(iter(seen.values()), None)
            if known is None or known["recipe"] != record["recipe"]:
                described_recipe(record)
        except (ValueError, TypeError, RecursionError):
            return False
        seen[id(record)] = record  # kept, so that no other one gets its identity
    return True


def is_stack(layer: Layer) -> bool:
    """Say whether a layer holds many steps along a leading axis."""
    kept = getattr(layer, "metadata", {}).get(KEY)
    return isinstance(kept, dict) and "steps" in kept


def letters_of(record: StepRecord) -> str:
    """Return one letter per axis of what a run started from: all channels where they are many."""
    return str(record.get("layer_axes", record["grid"]["axes"]))


def layer_letters(record: StepRecord) -> str:
    """Return one letter per axis of a step's layer, which of many channels holds one."""
    letters = letters_of(record)
    return letters.replace("c", "") if "channel" in record else letters


def source_of(record: StepRecord) -> str:
    """Return the name of the layer that a step was made from: of several its own channel's."""
    if "channel" in record:
        return str(record["layers"][record["channel"]])
    return str(record["source"])
