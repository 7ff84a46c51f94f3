"""Names of the axes of a plot that shows one thing after the other."""

from __future__ import annotations

from typing import Any


def name_axis(item: Any, side: str, name: str) -> None:
    """Name an axis of a plot of pyqtgraph, and centre the name: its length has changed."""
    item.setLabel(side, name)
    item.getAxis(side).resizeEvent()
