"""The pose panel: which body, its six numbers in a frame of reference, steps, and the register buttons."""

from collections.abc import Iterable, Mapping, Sequence
from typing import final

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.axis_rows import AxisRows
from app.views.panels.colours import swatch
from app.views.panels.icons import set_icon
from app.views.panels.register_box import RegisterBox
from app.views.panels.theme import GRID_PX, grade
from app.views.panels.uncertainty_table import Uncertainty, UncertaintyTable

__all__ = ["PosePanel", "Uncertainty"]

STEPS = (0.1, 0.5, 1.0, 5.0)
"""Steps in mm and deg alike."""
FRAMES = (("world", "World"), ("view A", "View A"), ("view B", "View B"), ("body", "Body"))
"""Frames of reference: key and what is shown."""
EULER_ORDERS = ("ZXY", "XYZ", "XZY", "YXZ", "YZX", "ZYX")
_TOOLS = (
    ("pose.copy", "Copy pose", "copy"),
    ("pose.paste", "Paste pose", "paste"),
    ("pose.reset", "Reset", "reset"),
    ("pose.mirror", "Mirror pose", "mirror"),
    ("pose.place", "Place in the middle of the views", "centre"),
    ("pose.remove", "Remove pose", "remove"),
)


@final
class PosePanel(QScrollArea):
    """Shows and asks for the pose of the active body.

    Signals:
        body_chosen(str): another body is to be the active one.
        value_edited(int, float): a number typed for a degree of freedom (0..5), mm or deg, in the shown frame.
        stepped(int, int): one step (+1, -1) of a degree of freedom.
        step_changed(float): another step, mm and deg.
        frame_changed(str): another frame of reference: world, view A, view B, body.
        euler_changed(str): another Euler order.
        lock_changed(int, bool): keep a degree of freedom, or free it.
        action_requested(str): a button that stands for an entry of the action table; its id.
    """

    body_chosen = Signal(str)
    value_edited = Signal(int, float)
    stepped = Signal(int, int)
    step_changed = Signal(float)
    frame_changed = Signal(str)
    euler_changed = Signal(str)
    lock_changed = Signal(int, bool)
    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tools = ActionButtons(self)
        self._tools.requested.connect(self.action_requested)
        self.rows = AxisRows()
        self.rows.value_edited.connect(self.value_edited)
        self.rows.stepped.connect(self.stepped)
        self.rows.lock_changed.connect(self.lock_changed)
        self.register = RegisterBox()
        self.register.action_requested.connect(self.action_requested)
        self._content = content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, GRID_PX)
        column.setSpacing(GRID_PX)
        self._numbers = self._make_numbers()
        column.addLayout(self._make_choices())
        column.addWidget(self._numbers)
        column.addWidget(_caption("Register"))
        column.addWidget(self.register)
        column.addStretch(1)
        self.setWidget(content)
        self.setMinimumWidth(content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width())
        self.set_bodies((), None)
        self.set_step(1.0)
        self.set_pose(None)

    def sizeHint(self) -> QSize:
        """Wide enough for the numbers, tall enough for everything."""
        return self._content.sizeHint() + QSize(self.verticalScrollBar().sizeHint().width(), 0)

    def _make_choices(self) -> QGridLayout:
        self._body, self._frame, self._euler = QComboBox(), QComboBox(), QComboBox()
        self._body.activated.connect(lambda index: self.body_chosen.emit(self._body.itemData(index)))
        self._frame.activated.connect(lambda index: self.frame_changed.emit(self._frame.itemData(index)))
        self._euler.textActivated.connect(self.euler_changed)
        for key, label in FRAMES:
            self._frame.addItem(label, key)
        self._euler.addItems(EULER_ORDERS)
        self._body.setToolTip("The body that is moved")
        self._frame.setToolTip("Frame of reference: what the numbers, the steps and the locks refer to")
        self._euler.setToolTip("Order of the three turns, intrinsic: each about the axes already turned (deg)")
        grid = QGridLayout()
        grid.setSpacing(GRID_PX)
        grid.setColumnStretch(1, 1)
        for row, (text, box) in enumerate((("Body", self._body), ("Frame", self._frame), ("Euler", self._euler))):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)
            caption = QLabel(text)
            caption.setBuddy(box)
            grade(caption, "muted")
            if box is self._euler:
                grid.addWidget(caption, 1, 2)
                grid.addWidget(box, 1, 3)
            else:
                grid.addWidget(caption, row, 0)
                grid.addWidget(box, row, 1, 1, 1 if box is self._frame else 3)
        return grid

    def _make_numbers(self) -> QWidget:
        self._origin, self._certainty = QLabel(), UncertaintyTable()
        self._origin.setWordWrap(True)
        grade(self._origin, "muted")
        numbers = QWidget()
        column = QVBoxLayout(numbers)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self._origin)
        column.addWidget(self.rows)
        column.addWidget(self._certainty)
        column.addLayout(self._make_steps())
        column.addLayout(self._make_tools())
        return numbers

    def _make_steps(self) -> QHBoxLayout:
        self._steps = QButtonGroup(self)
        self._steps.setExclusive(True)
        row = QHBoxLayout()
        row.setSpacing(4)
        caption = QLabel("Step")
        grade(caption, "muted")
        row.addWidget(caption)
        for index, step in enumerate(STEPS):
            button = QPushButton(f"{step:g}")
            button.setCheckable(True)
            button.setMinimumWidth(32)
            button.setStyleSheet("padding: 2px 4px;")
            self._steps.addButton(button, index)
            row.addWidget(button, 1)
        unit = QLabel("mm, deg")
        grade(unit, "muted")
        row.addWidget(unit)
        self._steps.idClicked.connect(lambda index: self._on_step(STEPS[index]))
        return row

    def _make_tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for action, label, name in _TOOLS:
            button = QToolButton()
            button.setIconSize(QSize(18, 18))
            set_icon(button, name)
            self._tools.add(action, button, label)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _on_step(self, step: float) -> None:
        self.rows.set_step_text(f"{step:g}")
        self.step_changed.emit(step)

    def set_bodies(self, bodies: Sequence[tuple[str, str]], active: str | None) -> None:
        """Names and colours of the bodies, and the active one."""
        with QSignalBlocker(self._body):
            self._body.clear()
            for name, colour in bodies:
                self._body.addItem(swatch(colour), name, name)
            self._body.setCurrentIndex(self._body.findData(active) if active is not None else -1)
        self._body.setPlaceholderText("Choose a body" if bodies else "No body yet")
        self._body.setEnabled(bool(bodies))

    def set_pose(self, values: Sequence[float] | None, origin: str = "") -> None:
        """Six numbers (mm, deg) and where they come from, in words; None where nothing is shown."""
        self.rows.set_values(values)
        self._numbers.setEnabled(values is not None)
        self._origin.setText(origin)
        self._origin.setVisible(bool(origin))

    def set_axes(self, names: Sequence[str], explained: Sequence[str] = ()) -> None:
        """Names of the six rows in this frame of reference, and what each means."""
        self.rows.set_axes(names, explained)

    def set_uncertainty(self, doubt: Uncertainty | None, why_not: str = "") -> None:
        """Half widths of 90 % intervals; None where none is known, with the reason if that is worth saying."""
        self.rows.set_uncertainty(None if doubt is None else doubt.rows)
        self._certainty.show_uncertainty(doubt, why_not)

    def set_step(self, step: float) -> None:
        """The step in mm and deg; one that is not on offer leaves no button pressed."""
        self._steps.setExclusive(False)
        for index, offered in enumerate(STEPS):
            button = self._steps.button(index)
            with QSignalBlocker(button):
                button.setChecked(abs(offered - step) < 1e-9)
        self._steps.setExclusive(True)
        self.rows.set_step_text(f"{step:g}")

    def set_frames(self, frames: Sequence[tuple[str, str]]) -> None:
        """The frames of reference on offer (a trial with one view has no view B)."""
        chosen = self._frame.currentData()
        with QSignalBlocker(self._frame):
            self._frame.clear()
            for key, label in frames:
                self._frame.addItem(label, key)
            self._frame.setCurrentIndex(max(0, self._frame.findData(chosen)))

    def set_frame(self, frame: str) -> None:
        """The frame of reference in use."""
        with QSignalBlocker(self._frame):
            self._frame.setCurrentIndex(self._frame.findData(frame))

    def set_euler(self, order: str) -> None:
        """The Euler order in use."""
        with QSignalBlocker(self._euler):
            self._euler.setCurrentText(order)

    def set_locks(self, locked: Sequence[bool]) -> None:
        """Which of the six degrees of freedom are kept."""
        self.rows.set_locks(locked)

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Labels, shortcuts and tips of the action table, for the tooltips."""
        self._tools.set_hints(hints)
        self.register.set_hints(hints)
        smaller, larger = hints.get("pose.smaller"), hints.get("pose.larger")
        for index, step in enumerate(STEPS):
            keys = f"\nSmaller: {smaller.keys}   larger: {larger.keys}" if smaller and larger else ""
            self._steps.button(index).setToolTip(f"Steps of {step:g} mm and {step:g} deg{keys}")

    def set_possible(self, actions: Iterable[str]) -> None:
        """Ids of the actions that are possible now; the other buttons are greyed."""
        possible = frozenset(actions)
        self._tools.set_possible(possible)
        self.register.set_possible(possible)


def _caption(text: str) -> QLabel:
    label = QLabel(text)
    grade(label, "caption")
    return label
