"""What the middle of the window shows while no study is open: what to do first, and the studies of late."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from app.views.panels.icons import set_icon
from app.views.panels.theme import DARK, GRID_PX, grade

_ACTIONS = (
    ("file.demo", "Open the demo study", "body", True),
    ("file.new", "New study…", "new", False),
    ("file.open", "Open study…", "open", False),
)
_SHOWN = 5


@final
class Welcome(QWidget):
    """Three ways to begin, and the recent studies.

    Signals:
        action_requested(str): file.demo, file.new, file.open.
        study_chosen(Path): a recent study.
    """

    action_requested = Signal(str)
    study_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        card = QFrame()
        grade(card, "card")
        card.setFixedWidth(440)
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * GRID_PX, 4 * GRID_PX, 4 * GRID_PX, 4 * GRID_PX)
        column.setSpacing(GRID_PX)
        title = QLabel("Duoscope")
        font = QFont(title.font())
        font.setPointSizeF(font.pointSizeF() * 1.8)
        font.setBold(True)
        title.setFont(font)
        said = QLabel(
            "Where the implant or bone is, in mm and degrees, from two X-ray views. "
            "Try the demo knee first, or begin with your own pictures, calibration and models."
        )
        said.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(said)
        column.addSpacing(GRID_PX)
        for action, label, name, primary in _ACTIONS:
            column.addWidget(self._button(action, label, name, primary=primary))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column.addLayout(self._recent)
        around = QVBoxLayout(self)
        around.addWidget(card, 0, Qt.AlignmentFlag.AlignCenter)

    def set_recent(self, studies: Sequence[Path]) -> None:
        """Studies opened lately, newest first."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.deleteLater()
        if studies:
            caption = QLabel("Recent studies")
            caption.setContentsMargins(0, 2 * GRID_PX, 0, 0)
            grade(caption, "caption")
            self._recent.addWidget(caption)
        for path in studies[:_SHOWN]:
            button = QPushButton(path.stem)
            button.setFlat(True)
            button.setStyleSheet("text-align: left;")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _checked=False, where=path: self.study_chosen.emit(where))
            self._recent.addWidget(button)

    def _button(self, action: str, label: str, name: str, *, primary: bool) -> QPushButton:
        button = QPushButton(label)
        button.setMinimumHeight(36)
        button.setIconSize(QSize(18, 18))
        set_icon(button, name, DARK.accent_text if primary else None)
        if primary:
            button.setProperty("primary", "true")
        button.clicked.connect(lambda _checked=False: self.action_requested.emit(action))
        return button
