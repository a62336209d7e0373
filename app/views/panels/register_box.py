"""The register buttons of the pose panel, with method, progress, time left and cancel while something runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.action_buttons import ActionButtons, ActionHint, tooltip
from app.views.panels.icons import set_icon
from app.views.panels.theme import DARK, grade

_BUTTONS = (
    ("register.frame", "Register this frame", "register", 0, 0, 2),
    ("register.jointly", "All jointly", "jointly", 2, 0, 1),
    ("register.track_range", "Track a range…", "", 2, 1, 1),
    ("register.track_back", "Track back", "track_back", 3, 0, 1),
    ("register.track", "Track on", "track", 3, 1, 1),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """A registration method on offer."""

    id: str
    label: str
    about: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FindOption:
    """One line of the options of Find the pose; lines of one group exclude each other."""

    group: str
    label: str
    tip: str
    setting: str
    value: str | float
    chosen: bool


@final
class RegisterBox(QWidget):
    """Starts automatic work and shows how far it is.

    Signals:
        action_requested(str): the id of an action (register.frame, register.jointly, register.find,
            register.track, register.track_back, register.track_range, register.cancel).
        method_chosen(str): the id of another method.
        stop_changed(bool): tracking is to stop at the first frame in doubt, or to go on.
        find_option_chosen(str, object): the setting and value of a line of the options.
    """

    action_requested = Signal(str)
    method_chosen = Signal(str)
    stop_changed = Signal(bool)
    find_option_chosen = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons = ActionButtons(self)
        self.buttons.requested.connect(self.action_requested)
        self._target = QLabel(self)
        self._target.setWordWrap(True)
        grade(self._target, "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._target)
        column.addLayout(self._make_buttons())
        column.addLayout(self._make_choices())
        column.addWidget(self._make_progress())
        self.set_target("")
        self.set_progress(None)

    def _make_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(8)
        for action, text, name, row, column, span in _BUTTONS:
            button = QPushButton(text, self)
            if action == "register.frame":
                button.setProperty("primary", "true")
                set_icon(button, name, DARK.accent_text)
            elif name:
                set_icon(button, name)
            self.buttons.add(action, button)
            grid.addWidget(button, row, column, 1, span)
        grid.addLayout(self._make_find(), 1, 0, 1, 2)
        return grid

    def _make_find(self) -> QHBoxLayout:
        find, self._options = QPushButton("Find the pose", self), QToolButton(self)
        set_icon(find, "find")
        set_icon(self._options, "options")
        self._find_menu = QMenu(self._options)
        self._find_menu.setToolTipsVisible(True)
        self._options.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._options.setMinimumWidth(30)
        self.buttons.add("register.find", find)
        self.buttons.add("register.find_options", self._options, "Options of Find the pose")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(find, 1)
        row.addWidget(self._options)
        return row

    def _make_choices(self) -> QVBoxLayout:
        self._method, self._stop = QComboBox(self), QCheckBox("Stop tracking when lost", self)
        self._method.setAccessibleName("registration method")
        self._method.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._method.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._method.setMinimumContentsLength(6)
        self._method.activated.connect(lambda index: self.method_chosen.emit(self._method.itemData(index)))
        self._stop.setToolTip("End a track at the first frame that is in doubt, instead of going on and marking it")
        self._stop.toggled.connect(self.stop_changed)
        caption = QLabel("Method", self)
        caption.setBuddy(self._method)
        grade(caption, "muted")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(self._method, 1)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._stop)
        return column

    def _make_progress(self) -> QWidget:
        self._running = QWidget(self)
        self._bar = QProgressBar(self._running)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._stage, self._left = QLabel(self._running), QLabel(self._running)
        self._stage.setWordWrap(True)
        grade(self._left, "muted")
        cancel = QPushButton("Cancel", self._running)
        set_icon(cancel, "cancel")
        self.buttons.add("register.cancel", cancel)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self._stage)
        texts.addWidget(self._left)
        row = QHBoxLayout()
        row.addLayout(texts, 1)
        row.addWidget(cancel, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self._running)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._bar)
        column.addLayout(row)
        return self._running

    def set_methods(self, methods: Sequence[MethodRow]) -> None:
        """The methods on offer, each with its sentence as a tooltip."""
        with QSignalBlocker(self._method):
            self._method.clear()
            for index, method in enumerate(methods):
                self._method.addItem(method.label, method.id)
                self._method.setItemData(index, method.about, Qt.ItemDataRole.ToolTipRole)
        self._explain_method()

    def set_method(self, name: str) -> None:
        """The method in use."""
        with QSignalBlocker(self._method):
            self._method.setCurrentIndex(self._method.findData(name))
        self._explain_method()

    def set_stop_when_lost(self, on: bool) -> None:
        """Whether tracking stops at the first frame in doubt."""
        with QSignalBlocker(self._stop):
            self._stop.setChecked(on)

    def set_find_options(self, options: Sequence[FindOption]) -> None:
        """The lines of the options of Find the pose."""
        self._find_menu.clear()
        groups: dict[str, QActionGroup] = {}
        for option in options:
            if option.group not in groups:
                self._find_menu.addSection(option.group)
                groups[option.group] = QActionGroup(self._find_menu)
            line = self._find_menu.addAction(option.label)
            line.setCheckable(True)
            line.setChecked(option.chosen)
            line.setToolTip(option.tip)
            line.setActionGroup(groups[option.group])
            line.triggered.connect(lambda _on, one=option: self.find_option_chosen.emit(one.setting, one.value))

    def open_find_options(self) -> None:
        """Show the options below their button."""
        self._find_menu.popup(self._options.mapToGlobal(QPoint(0, self._options.height())))

    def _explain_method(self) -> None:
        about = self._method.currentData(Qt.ItemDataRole.ToolTipRole) or ""
        what = "How Register, All jointly and Track fit the bodies to the pictures"
        self._method.setToolTip(tooltip(what, "", f"{self._method.currentText()}: {about}" if about else ""))

    def set_target(self, text: str) -> None:
        """What the buttons act on, e.g. "femur and tibia, frame 12"."""
        self._target.setText(text)
        self._target.setVisible(bool(text))

    def set_progress(self, fraction: float | None, stage: str = "", left: str = "") -> None:
        """Share of the work done (0..1), its stage and the time left; None when nothing runs.

        A negative share shows work whose length is unknown.
        """
        self._running.setVisible(fraction is not None)
        if fraction is None:
            return
        self._bar.setRange(0, 0 if fraction < 0 else 1000)
        self._bar.setValue(round(1000 * min(max(fraction, 0.0), 1.0)))
        self._stage.setText(stage)
        self._left.setText(left)

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Shortcuts and tips for the tooltips."""
        self.buttons.set_hints(hints)

    def set_possible(self, actions: Iterable[str]) -> None:
        """Which buttons can be pressed now."""
        self.buttons.set_possible(actions)
