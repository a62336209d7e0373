"""The six rows of the pose panel: name, lock, minus, number, plus, uncertainty."""

from collections.abc import Sequence
from typing import final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from app.views.panels.action_buttons import tooltip
from app.views.panels.icons import set_icon
from app.views.panels.number_field import NumberField
from app.views.panels.theme import grade, tabular
from app.views.panels.uncertainty_table import LARGEST_DEG, LARGEST_MM

UNITS = ("mm", "mm", "mm", "deg", "deg", "deg")
NAMES = ("x", "y", "z", "rx", "ry", "rz")


@final
class AxisRows(QWidget):
    """Six degrees of freedom as numbers.

    Signals:
        value_edited(int, float): another number for a degree of freedom (0..5), in mm or deg.
        stepped(int, int): one step (+1 or -1) of a degree of freedom.
        lock_changed(int, bool): a degree of freedom is to be kept (or free again).
    """

    value_edited = Signal(int, float)
    stepped = Signal(int, int)
    lock_changed = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(3, 1)
        self._names: list[QLabel] = []
        self._locks: list[QToolButton] = []
        self._fields: list[NumberField] = []
        self._doubts: list[QLabel] = []
        self._steppers: list[tuple[QToolButton, QToolButton]] = []
        for index in range(6):
            self._add_row(grid, index + (index >= 3), index)
        grid.setRowMinimumHeight(3, 8)
        self.set_axes(NAMES)
        self.set_step_text("1")
        self.set_uncertainty(None)

    def _add_row(self, grid: QGridLayout, row: int, index: int) -> None:
        name, doubt, field, lock = QLabel(self), QLabel(self), NumberField(UNITS[index], self), QToolButton(self)
        minus, plus = self._stepper("minus", index, -1), self._stepper("plus", index, 1)
        lock.setCheckable(True)
        set_icon(lock, "free")
        grade(doubt, "muted")
        doubt.setFont(tabular(doubt.font()))
        doubt.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        doubt.setMinimumWidth(doubt.fontMetrics().horizontalAdvance("± 00.00"))
        for column, widget in enumerate((name, lock, minus, field, plus, doubt)):
            grid.addWidget(widget, row, column)
        lock.toggled.connect(lambda on: self._on_lock(index, on))
        field.edited.connect(lambda value: self.value_edited.emit(index, value))
        field.stepped.connect(lambda sign: self.stepped.emit(index, sign))
        self._names.append(name)
        self._locks.append(lock)
        self._fields.append(field)
        self._doubts.append(doubt)
        self._steppers.append((minus, plus))

    def _stepper(self, icon: str, index: int, sign: int) -> QToolButton:
        button = QToolButton(self)
        set_icon(button, icon)
        button.setAutoRepeat(True)
        button.clicked.connect(lambda: self.stepped.emit(index, sign))
        return button

    def field(self, index: int) -> NumberField:
        """The number of a degree of freedom."""
        return self._fields[index]

    def lock(self, index: int) -> QToolButton:
        """The lock of a degree of freedom."""
        return self._locks[index]

    def stepper(self, index: int, sign: int) -> QToolButton:
        """The minus (-1) or plus (+1) button of a degree of freedom."""
        return self._steppers[index][0 if sign < 0 else 1]

    def doubt(self, index: int) -> QLabel:
        """The uncertainty of a degree of freedom."""
        return self._doubts[index]

    def set_values(self, values: Sequence[float] | None) -> None:
        """Six numbers (mm, deg), or None where no pose is shown."""
        for index, field in enumerate(self._fields):
            field.show_number(None if values is None else values[index])

    def set_axes(self, names: Sequence[str], explained: Sequence[str] = ()) -> None:
        """Names of the six rows, and what each means, for the tooltips."""
        for index, (name, label) in enumerate(zip(names, self._names, strict=True)):
            plain = f"{'turn about' if index >= 3 else 'position along'} {name[-1]}"
            meaning = explained[index] if explained else plain
            label.setText(name)
            label.setToolTip(f"{meaning} ({UNITS[index]})")
            self._fields[index].setToolTip(
                tooltip(f"{meaning} ({UNITS[index]})", "", "Type a number, or step with the up and down keys")
            )
            self._fields[index].setAccessibleName(f"{meaning}, {UNITS[index]}")
            self._explain_lock(index)

    def set_step_text(self, step: str) -> None:
        """The step that the buttons make, for their tooltips."""
        for index, (minus, plus) in enumerate(self._steppers):
            minus.setToolTip(f"{self._names[index].text()} − {step} {UNITS[index]}")
            plus.setToolTip(f"{self._names[index].text()} + {step} {UNITS[index]}")

    def set_locks(self, locked: Sequence[bool]) -> None:
        """Show which degrees of freedom are kept."""
        for index, (button, on) in enumerate(zip(self._locks, locked, strict=True)):
            with QSignalBlocker(button):
                button.setChecked(on)
            self._explain_lock(index)

    def set_uncertainty(self, deviations: Sequence[float] | None) -> None:
        """Half widths of the rows' 90 % intervals (mm, deg), or None where none is known."""
        for index, label in enumerate(self._doubts):
            if deviations is None:
                label.setText("")
                label.setToolTip("")
            else:
                known = deviations[index] <= (LARGEST_MM if index < 3 else LARGEST_DEG)
                label.setText(f"± {deviations[index]:.2f}" if known else "± ?")
                half = f"{deviations[index]:.3f} {UNITS[index]}"
                label.setToolTip(f"Half of the 90 % interval: {half}" if known else f"Not seen: {half}")

    def _on_lock(self, index: int, on: bool) -> None:
        self._explain_lock(index)
        self.lock_changed.emit(index, on)

    def _explain_lock(self, index: int) -> None:
        lock, name = self._locks[index], self._names[index].text()
        set_icon(lock, "locked" if lock.isChecked() else "free")
        free = "is kept: dragging and keys leave it alone. Press to free it"
        kept = "is free. Press to keep it while dragging and with keys"
        lock.setToolTip(f"{name} {free if lock.isChecked() else kept}")
        lock.setAccessibleName(f"lock {name}")
        self._steppers[index][0].setEnabled(not lock.isChecked())
        self._steppers[index][1].setEnabled(not lock.isChecked())
        self._fields[index].setReadOnly(lock.isChecked())
