"""What was done to an image: provenance, methods text, derived images."""

from __future__ import annotations

from napari_diffusion.records.methods_text import legend, paragraph
from napari_diffusion.records.provenance import recipe_of, record

__all__ = ["legend", "paragraph", "recipe_of", "record"]
