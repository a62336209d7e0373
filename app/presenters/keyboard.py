"""Lets fields keep the keys they need, and hides the overlays while H is held."""

from typing import final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_ARROWS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right})
_EDITING = frozenset(
    {
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_Backspace,
        Qt.Key.Key_Delete,
        Qt.Key.Key_Comma,
        Qt.Key.Key_Period,
        Qt.Key.Key_Plus,
        Qt.Key.Key_Minus,
    }
)
_TABS = frozenset({Qt.Key.Key_Tab, Qt.Key.Key_Backtab})
_TYPED_IN = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)
_WALKED_IN = (QAbstractItemView, QAbstractSlider, QComboBox)


def belongs_to_field(widget: QWidget | None, event: QKeyEvent) -> bool:
    """Whether the focused field needs a key that is also a shortcut of the window."""
    key = Qt.Key(event.key())
    if isinstance(widget, _TYPED_IN):
        return _needed_for_typing(key, event)
    if isinstance(widget, _WALKED_IN):
        return key in _ARROWS and event.modifiers() == Qt.KeyboardModifier.NoModifier
    return False


def _needed_for_typing(key: Qt.Key, event: QKeyEvent) -> bool:
    command = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    if key in _ARROWS | _EDITING | _TABS:
        return not command
    return not command and bool(event.text().strip())


@final
class Keyboard(QObject):
    """Installed on the application for one window.

    Signals:
        hide_overlays(bool): H is held down, or let go.
    """

    hide_overlays = Signal(bool)

    def __init__(self, window: QWidget, views: tuple[QWidget, ...]) -> None:
        super().__init__(window)
        self._window = window
        self._views = views
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    def close(self) -> None:
        """Look at keys no more."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys before shortcuts do."""
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        if watched is not QApplication.focusWidget() or watched.window() is not self._window:
            return False  # what a focused widget leaves alone is offered to its parents too
        if event.type() is QEvent.Type.ShortcutOverride:
            return self._override(watched, event)
        return self._hold(watched, event)

    def _override(self, focus: QWidget, event: QKeyEvent) -> bool:
        outside = not any(view is focus or view.isAncestorOf(focus) for view in self._views)
        walks = Qt.Key(event.key()) in _TABS and outside and focus is not self._window
        if walks or belongs_to_field(focus, event):
            event.accept()
            return True
        return False

    def _hold(self, focus: QWidget, event: QKeyEvent) -> bool:
        if event.key() != Qt.Key.Key_H or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        if isinstance(focus, _TYPED_IN) or event.isAutoRepeat():
            return event.isAutoRepeat() and not isinstance(focus, _TYPED_IN)
        if event.type() is QEvent.Type.KeyPress:
            self.hide_overlays.emit(True)
            return True
        if event.type() is QEvent.Type.KeyRelease:
            self.hide_overlays.emit(False)
            return True
        return False
