"""A number with its unit: right-aligned tabular figures, two decimals, edited only on purpose."""

import math
from typing import final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSizePolicy, QWidget

from app.views.panels.theme import tabular

_LARGEST = 99999.99


@final
class NumberField(QDoubleSpinBox):
    """Shows a number to 0.01 and asks for another one.

    Signals:
        edited(float): a person typed a number and finished with Enter, Tab or a click elsewhere.
        stepped(int): the up (+1) or down (-1) key, or the wheel while the field has the focus.
    """

    edited = Signal(float)
    stepped = Signal(int)

    def __init__(self, unit: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._known = False
        self.setDecimals(2)
        self.setRange(-_LARGEST, _LARGEST)
        self.setSuffix(f" {unit}")
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(26)
        self.lineEdit().setTextMargins(0, 0, 4, 0)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(f"-0000.00 {unit}") + 20)
        self.setSpecialValueText("–")
        self.show_number(None)
        self.valueChanged.connect(self._on_value)

    def show_number(self, value: float | None) -> None:
        """Show a number; None (or one that is not finite) shows a dash.

        A number that is being typed is left alone.
        """
        known = value is not None and math.isfinite(value)
        if self._known and known and self.hasFocus() and self.lineEdit().isModified():
            return
        with QSignalBlocker(self):
            self._known = known
            self.setValue(float(value) if known and value is not None else self.minimum())

    def textFromValue(self, value: float) -> str:
        """No minus sign in front of zero."""
        return super().textFromValue(value if abs(value) >= 0.005 else 0.0)

    def stepBy(self, steps: int) -> None:
        """Ask for a step instead of making one: its size and frame are known elsewhere."""
        if self._known:
            self.stepped.emit(1 if steps > 0 else -1)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Steps in both directions, where there is a number."""
        flag = QAbstractSpinBox.StepEnabledFlag
        return flag.StepUpEnabled | flag.StepDownEnabled if self._known else flag.StepNone

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Take a comma for a point, as half the world types it."""
        return super().validate(text.replace(",", "."), position)

    def valueFromText(self, text: str) -> float:
        """Take a comma for a point."""
        return super().valueFromText(text.replace(",", "."))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel only turns a number that has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select all, so that typing replaces the number."""
        super().focusInEvent(event)
        self.selectAll()

    def _on_value(self, value: float) -> None:
        self._known = True
        self.edited.emit(value)
