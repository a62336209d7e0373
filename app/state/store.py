"""The one place that holds the document; it replaces it and announces before and after."""

from typing import final

from PySide6.QtCore import QObject, Signal

from app.state.document import Document


@final
class Store(QObject):
    """Holds the document of the open study, or None.

    Signals:
        opened(Document | None): another study, or none, took the place.
        changed(Document, Document, str): before, after, and what was done, for the journal.
    """

    opened = Signal(object)
    changed = Signal(object, object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None

    @property
    def document(self) -> Document | None:
        """The document as it is now."""
        return self._document

    def open(self, document: Document | None) -> None:
        """Show another study, or none."""
        self._document = document
        self.opened.emit(document)

    def replace(self, after: Document, action: str) -> None:
        """Put a newer document of the same study in place."""
        before, self._document = self._document, after
        if before is None:
            self.opened.emit(after)
        elif after is not before:
            self.changed.emit(before, after, action)
