"""Undo and redo: every edit is a snapshot before and after, and undoing one is a change like any other."""

from typing import final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.state.document import Document
from app.state.store import Store


@final
class _Edit(QUndoCommand):
    """One step: restores the poses and proposals of before or after."""

    def __init__(self, store: Store, before: Document, after: Document, text: str, merge: str) -> None:
        super().__init__(text)
        self._store = store
        self._before = before
        self._after = after
        self._merge = merge
        self._first = True

    def redo(self) -> None:
        """Bring the later state."""
        document = self._store.document
        if document is not None:
            prefix = "" if self._first else "redo: "
            self._store.replace(document.restored(self._after), prefix + self.text())
            self._first = False

    def undo(self) -> None:
        """Bring the earlier state."""
        document = self._store.document
        if document is not None:
            self._store.replace(document.restored(self._before), "undo: " + self.text())

    def id(self) -> int:
        """The same for edits that may merge."""
        return hash(self._merge) & 0x7FFFFFFF if self._merge else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Join a later edit of the same gesture."""
        if not isinstance(other, _Edit) or other._merge != self._merge or not self._merge:
            return False
        self._after = other._after
        return True


@final
class History(QObject):
    """Does edits so that they can be undone.

    Signals:
        refused(): the study is open to look at only.
    """

    refused = Signal()

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.stack = QUndoStack(self)
        self.locked = False
        store.opened.connect(self._forget)

    def do(self, text: str, after: Document, *, merge: str = "") -> None:
        """Replace the document; ``merge`` joins edits of one gesture into one step of undo."""
        before = self._store.document
        if self.locked:
            self.refused.emit()
            return
        if before is not None and after is not before:
            self.stack.push(_Edit(self._store, before, after, text, merge))

    def undo(self) -> None:
        """Take the last edit back."""
        self.stack.undo()

    def redo(self) -> None:
        """Do the last undone edit again."""
        self.stack.redo()

    def _forget(self, _document: object) -> None:
        self.stack.clear()
