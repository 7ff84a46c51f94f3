"""One message: a sentence, what can be done about it, and details for those who ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from magicgui.widgets import Label, PushButton
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy

from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.fold import FoldToggle
from napari_diffusion.widgets.forms.theme import give_role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_diffusion.widgets.forms.theme import Role


# Details are at most this high, and a scroll bar beside them is this wide, in pixels.
_HIGHEST, _BAR = 160, 16

# Characters that stand side by side on the buttons of a narrow dock.
_ROOM = 44


class Action(NamedTuple):
    """What a button beneath a sentence does.

    Attributes
    ----------
    text : str
        What the button says.
    take : callable
        Called without arguments when it is clicked; the message is taken away before.
    """

    text: str
    take: Callable[[], object]


class Message(Box):
    """A sentence that wraps, up to a few buttons, and details that are folded at first.

    It takes no room while there is nothing to say.
    """

    def __init__(self) -> None:
        self._sentence = text_label("help")
        self._details = text_label("help")
        self._actions = Box()
        self._body = Box()
        self._fold = FoldToggle("Details", self._body)
        super().__init__(self._sentence, self._actions, self._fold, self._body)
        self._area = self._body.add_scrolled(Box(self._details))
        self._fold.toggled.connect(self._make_room)
        self.say("")

    @property
    def sentence(self) -> str:
        """The sentence in view, empty where there is none."""
        return str(self._sentence.value)

    @property
    def details(self) -> str:
        """The text behind *Details*."""
        return str(self._details.value)

    @property
    def actions(self) -> list[PushButton]:
        """The buttons in view."""
        return [each for row in self._actions for each in row]  # type: ignore[attr-defined]

    @property
    def role(self) -> str:
        """What the sentence is: help, a warning or an error."""
        return str(self._sentence.native.property("role") or "")

    def say(self, sentence: str, role: Role = "help", *actions: Action, details: str = "") -> None:
        """Show a sentence; an empty one takes the message away.

        Parameters
        ----------
        sentence : str
            The fact, the value, the cure.
        role : {"help", "good", "warning", "error"}
            What it is.
        *actions : Action
            What can be done, each a button.
        details : str
            What is shown on demand.
        """
        self._sentence.value = sentence
        self._details.value = details
        give_role(self._sentence.native, role)
        self._actions.clear()
        for row in _in_rows(actions):
            self._actions.append(Box(*map(self._button, row), layout="horizontal"))
        self._fold.open = False
        for widget, shown in (
            (self._sentence, sentence), (self._actions, actions), (self._fold, details)
        ):  # fmt: skip
            widget.visible = bool(shown)

    def _make_room(self) -> None:
        """Show details as high as they are; those that are long scroll."""
        height = self._details.native.heightForWidth(self.native.width() - _BAR)
        self._area.setFixedHeight(min(height + 4, _HIGHEST))

    def _button(self, action: Action) -> PushButton:
        def clicked() -> None:
            self.say("")
            action.take()

        button = PushButton(text=action.text)
        button.changed.connect(clicked)
        return button


def _in_rows(actions: Sequence[Action]) -> list[list[Action]]:
    """Return actions side by side, as many as a narrow dock has room for."""
    rows: list[list[Action]] = []
    for action in actions:
        if rows and sum(len(each.text) + 4 for each in [*rows[-1], action]) <= _ROOM:
            rows[-1].append(action)
        else:
            rows.append([action])
    return rows


def text_label(role: Role | Literal[""]) -> Label:
    """Return a text that wraps and can be copied."""
    label = Label(value="")
    native = label.native
    native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    native.setWordWrap(True)
    native.setTextFormat(Qt.TextFormat.PlainText)
    native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    give_role(native, role)
    return label
