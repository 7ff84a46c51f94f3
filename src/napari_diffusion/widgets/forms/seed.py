"""The seed of the noise, and a dice for another one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QToolButton

from napari_diffusion.widgets.forms.fields import Check, LineField
from napari_diffusion.widgets.forms.form_rows import GREY

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Parameter


class SeedField(LineField):
    """A whole number, and a button that draws a new one."""

    def __init__(self, parameter: Parameter, check: Check) -> None:
        super().__init__(parameter, check)
        self.dice = QToolButton()
        self.dice.setIcon(_dice_icon())
        self.dice.setToolTip("Draw a new random seed: different noise of the same kind.")
        self.dice.clicked.connect(self._roll)
        self.row.addWidget(self.dice)

    def _roll(self) -> None:
        # 32 bits are short enough to be read out and plenty to be new.
        self.set_value(secrets.randbits(32))


def _dice_icon() -> QIcon:
    size = 32
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(GREY), 2.5))
    painter.drawRoundedRect(3, 3, size - 6, size - 6, 6, 6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(QColor(GREY)))
    for x, y in ((10, 10), (22, 10), (16, 16), (10, 22), (22, 22)):
        painter.drawEllipse(QPointF(x, y), 2.6, 2.6)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Disabled)
    return icon
