"""What a run has written, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.io import Output


def written(output: Output) -> str:
    """Return what was written, in words."""
    steps = [step["step"] for step in output.steps if not step["is_final"]]
    words = [f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps"] if steps else []
    if len(steps) < len(output.steps):
        words.append("the final filter's result")
    return f"{' and '.join(words)}, {output.dtype}"
