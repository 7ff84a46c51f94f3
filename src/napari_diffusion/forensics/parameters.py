"""Parameters that several traces have."""

from __future__ import annotations

NEIGHBOURS = {
    "min": 1,
    "max": 15,
    "unit": "blocks",
    "tooltip": "Blocks averaged along y and x: more are surer and show less detail.",
}

FALSE_ALARMS = {
    "above": 0.0,
    "max": 1.0,
    "tooltip": "How many such places chance may give in this image; smaller shows fewer.",
}
