"""Colours of messages, help and the main button: readable on napari's dark and light themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

#: What a text or a button is: the name of a row, help, a warning, an error, the main button …
Role = Literal["row", "help", "warning", "error", "primary", "fold", "good"]

_PROPERTY = "role"


class Colours(NamedTuple):
    """Text colours with a contrast of at least 4.5:1 against the background of a theme."""

    help: str
    warning: str
    error: str
    good: str
    primary: str
    hover: str
    primary_text: str


DARK = Colours("#aeb4bd", "#e6b450", "#ff8880", "#7bc98a", "#2f66c9", "#3a6fd0", "#ffffff")
LIGHT = Colours("#565c66", "#7a5300", "#b3261e", "#22663a", "#2a5cb8", "#3467c4", "#ffffff")


def colours_of(theme: str) -> Colours:
    """Return the colours for a theme of napari, by how light its background is."""
    from napari.utils.theme import get_theme

    return LIGHT if lightness(get_theme(theme).background.as_rgb_tuple()) > 0.5 else DARK


def lightness(colour: tuple[float, ...]) -> float:
    """Return how light a colour of red, green and blue of 0 … 255 is, from 0 to 1."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def style_sheet(theme: str) -> str:
    """Return the rules that give every role its look in a theme of napari."""
    colours = colours_of(theme)
    return f"""
        QLabel[role="row"] {{ min-width: 7.5em; max-width: 7.5em; }}
        QLabel[role="help"] {{ color: {colours.help}; }}
        QLabel[role="warning"] {{ color: {colours.warning}; }}
        QLabel[role="error"] {{ color: {colours.error}; }}
        QLabel[role="good"] {{ color: {colours.good}; }}
        QLineEdit[role="error"] {{ border: 1px solid {colours.error}; }}
        QPushButton[role="primary"]:enabled {{
            background-color: {colours.primary}; color: {colours.primary_text}; font-weight: bold;
        }}
        QPushButton[role="primary"]:enabled:hover {{ background-color: {colours.hover}; }}
        QPushButton[role="fold"] {{ text-align: left; padding: 2px 4px; }}
    """


def give_role(widget: QWidget, role: Role | Literal[""]) -> None:
    """Give a widget a role, whose look follows the theme; an empty one takes it away."""
    if (widget.property(_PROPERTY) or "") == role:
        return
    widget.setProperty(_PROPERTY, role)
    # Rules that depend on a property are looked up when the widget is polished.
    style = widget.style()
    if style is not None:
        style.unpolish(widget)
        style.polish(widget)
