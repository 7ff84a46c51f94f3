"""What was done to an image: provenance, words and references for a paper, derived images."""

from __future__ import annotations

from napari_diffusion.records.methods_paragraph import legend, paragraph
from napari_diffusion.records.provenance import recipe_of, record
from napari_diffusion.records.references import bibtex, references
from napari_diffusion.records.supplement import supplement

__all__ = ["bibtex", "legend", "paragraph", "recipe_of", "record", "references", "supplement"]
