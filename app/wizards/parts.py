"""Small parts of the wizard pages: a verdict with its shape, and a path that is typed or chosen."""

from enum import Enum
from pathlib import Path
from typing import final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, theme_of


class Weight(Enum):
    """How a verdict is meant; the value is the icon."""

    NOTE = "info"
    BUSY = "auto"
    GOOD = "accept"
    WARNING = "warning"
    PROBLEM = "error"


@final
class Verdict(QWidget):
    """A sentence with a shape and colour for how it is meant; takes no room while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weight = Weight.NOTE
        self._shape, self._text = QToolButton(), QLabel()
        self._shape.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._shape.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._shape.setIconSize(QSize(16, 16))
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._text.setContentsMargins(0, 3, 0, 3)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._shape, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.say("")

    @property
    def weight(self) -> Weight:
        """How it is meant."""
        return self._weight

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def say(self, text: str, weight: Weight = Weight.NOTE) -> None:
        """Another sentence; an empty one hides it."""
        self._weight = weight
        self._text.setText(text)
        self.setVisible(bool(text))
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        """The colours of another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_shape"):
            self._colour()

    def _colour(self) -> None:
        theme = theme_of(self)
        colours = {
            Weight.NOTE: theme.muted,
            Weight.BUSY: theme.muted,
            Weight.GOOD: theme.good,
            Weight.WARNING: theme.caution,
            Weight.PROBLEM: theme.bad,
        }
        set_icon(self._shape, self._weight.value, colours[self._weight])
        self._shape.setAccessibleName(self._weight.name.lower())


@final
class PathField(QWidget):
    """A path or pattern, typed, dropped or chosen.

    Signals:
        changed(str): another text.
    """

    changed = Signal(str)

    def __init__(self, title: str, kinds: str = "", *, folder: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._kinds, self._folder = title, kinds, folder
        self.start = Path.home()
        self.edit, button = QLineEdit(), QPushButton("Choose…")
        self.edit.setClearButtonEnabled(True)
        self.edit.setAccessibleName(title)
        self.edit.textChanged.connect(self.changed)
        button.setAccessibleName(f"choose: {title}")
        button.setAutoDefault(False)
        button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        row.addWidget(self.edit, 1)
        row.addWidget(button)

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self.edit.text().strip()

    def set_text(self, text: str) -> None:
        """Another path."""
        self.edit.setText(text)

    def _choose(self) -> None:
        typed = Path(self.text)
        start = typed if self.text and typed.exists() else self.start
        if self._folder:
            found = QFileDialog.getExistingDirectory(self, self._title, str(start))
        else:
            found, _ = QFileDialog.getOpenFileName(self, self._title, str(start), self._kinds)
        if found:
            self.edit.setText(found)
