"""What lies over a window: follows its size, and never takes part in its layout."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget


class OverWindow(QObject):
    """Calls a widget's ``place`` whenever its parent changes its size."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        parent = widget.parentWidget()
        if parent is not None:
            parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the parent."""
        if event.type() in {QEvent.Type.Resize, QEvent.Type.Show} and watched is self._widget.parentWidget():
            place = getattr(self._widget, "place", None)
            if place is not None:
                place()
        return False
