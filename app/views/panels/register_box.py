"""The register buttons of the pose panel, with progress, time left and cancel while something runs."""

from collections.abc import Iterable, Mapping
from typing import final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.icons import set_icon
from app.views.panels.theme import DARK, grade

_BUTTONS = (
    ("register.frame", "Register this frame", "register", 0, 0, 2),
    ("register.jointly", "All jointly", "jointly", 1, 0, 1),
    ("register.find", "Search widely", "find", 1, 1, 1),
    ("register.track_back", "Track back", "track_back", 2, 0, 1),
    ("register.track", "Track on", "track", 2, 1, 1),
    ("register.track_range", "Track a range…", "", 3, 0, 2),
)


@final
class RegisterBox(QWidget):
    """Starts automatic work and shows how far it is.

    Signals:
        action_requested(str): the id of an action (register.frame, register.jointly, register.find,
            register.track, register.track_back, register.track_range, register.cancel).
    """

    action_requested = Signal(str)

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
        return grid

    def _make_progress(self) -> QWidget:
        self._running = QWidget(self)
        self._bar = QProgressBar(self._running)
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._stage, self._left = QLabel(self._running), QLabel(self._running)
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
