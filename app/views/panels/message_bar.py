"""Messages that do not stop the work: a shape for how grave it is, a sentence, details, close."""

from enum import Enum
from typing import final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade, theme_of

_KEPT = 3
_INFO_MS = 8000


class Severity(Enum):
    """How grave a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@final
class Message(QFrame):
    """One message.

    Signals:
        closed(): a person closed it, or its time is over.
        action_requested(str): the id of the action that its button offers.
    """

    closed = Signal()
    action_requested = Signal(str)

    def __init__(
        self,
        text: str,
        severity: Severity,
        details: str = "",
        offer: tuple[str, str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        grade(self, "card")
        self.severity = severity
        self.text = text
        self._shape, self._sentence = QToolButton(), QLabel(text)
        self._shape.setEnabled(True)
        self._shape.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._shape.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._shape.setIconSize(QSize(18, 18))
        self._shape.setAccessibleName(severity.value)
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        row.addWidget(self._shape, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._sentence, 1, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX, 4, 4, 4)
        column.setSpacing(4)
        column.addLayout(row)
        if details:
            self._add_details(row, column, details)
        if offer is not None:
            button = QPushButton(offer[1])
            button.clicked.connect(lambda: self.action_requested.emit(offer[0]))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        close = QToolButton()
        set_icon(close, "close")
        close.setToolTip("Close this message")
        close.setAccessibleName("close")
        close.clicked.connect(self.closed)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._colour()

    def _add_details(self, row: QHBoxLayout, column: QVBoxLayout, details: str) -> None:
        shown = QPlainTextEdit(details)
        shown.setReadOnly(True)
        shown.setMaximumHeight(120)
        shown.hide()
        button = QPushButton("Details")
        button.setCheckable(True)
        button.toggled.connect(shown.setVisible)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column.addWidget(shown)

    def changeEvent(self, event: QEvent) -> None:
        """The shape's colour in another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_shape"):
            self._colour()

    def _colour(self) -> None:
        theme = theme_of(self)
        colour = {Severity.INFO: theme.muted, Severity.WARNING: theme.caution, Severity.ERROR: theme.bad}
        set_icon(self._shape, self.severity.value, colour[self.severity])


@final
class MessageBar(QWidget):
    """The latest messages, newest first; takes no room when there are none.

    Signals:
        action_requested(str): the action that a message offers.
    """

    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._messages: list[Message] = []
        self.hide()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is shown, newest first."""
        return tuple(self._messages)

    def show_message(
        self,
        text: str,
        severity: Severity = Severity.INFO,
        details: str = "",
        offer: tuple[str, str] | None = None,
    ) -> Message:
        """Show a sentence, newest on top; the same sentence is not shown twice.

        Args:
            text: what happened, where, and what to do.
            severity: its shape and colour; information goes by itself after some seconds.
            details: more lines behind a button.
            offer: an action's id and a label for a button.
        """
        for old in [message for message in self._messages if message.text == text]:
            self._remove(old)
        message = Message(text, severity, details, offer)
        message.closed.connect(lambda: self._remove(message))
        message.action_requested.connect(self.action_requested)
        self._messages.insert(0, message)
        self._column.insertWidget(0, message)
        for old in self._messages[_KEPT:]:
            self._remove(old)
        if severity is Severity.INFO:
            timer = QTimer(message)
            timer.setSingleShot(True)
            timer.timeout.connect(message.closed)
            timer.start(_INFO_MS)
        self.show()
        return message

    def clear(self) -> None:
        """Close all."""
        for message in list(self._messages):
            self._remove(message)

    def _remove(self, message: Message) -> None:
        if message in self._messages:
            self._messages.remove(message)
            self._column.removeWidget(message)
            message.hide()
            message.deleteLater()
        self.setVisible(bool(self._messages))
