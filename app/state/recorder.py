"""Writes every change of stored poses into the study file at once; keeps and retries what the disk refuses."""

from collections.abc import Mapping
from typing import Protocol, final

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.document import Document, pose_changes
from core.errors import StorageError, StudyError
from core.study.values import PoseKey, PoseRecord

RETRY_MS = 5000


class Journal(Protocol):
    """The part of a study file that takes changes."""

    def record(self, changes: Mapping[PoseKey, PoseRecord | None], *, author: str, action: str) -> None:
        """Store changes in one transaction; raises StudyError when the disk refuses."""


@final
class Recorder(QObject):
    """Passes changes to the journal in their order.

    Signals:
        refused(str): the disk refused; the changes stay in memory and are tried again.
        caught_up(): everything is on the disk after it had refused.
    """

    refused = Signal(str)
    caught_up = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._journal: Journal | None = None
        self._waiting: list[tuple[dict[PoseKey, PoseRecord | None], str, str]] = []
        self._retry = QTimer(self)
        self._retry.setInterval(RETRY_MS)
        self._retry.timeout.connect(self.flush)
        self.author = ""

    @property
    def behind(self) -> int:
        """Number of changes that the disk has not taken yet."""
        return len(self._waiting)

    def attach(self, journal: Journal | None) -> None:
        """Write into another study from now on; what waited for the old one is dropped."""
        self._waiting.clear()
        self._retry.stop()
        self._journal = journal

    def take_waiting(self) -> dict[PoseKey, PoseRecord | None]:
        """All that waits, as one change, to be written elsewhere; nothing waits afterwards."""
        changes: dict[PoseKey, PoseRecord | None] = {}
        for some, _, _ in self._waiting:
            changes |= some
        self._waiting.clear()
        self._retry.stop()
        return changes

    def record(self, before: Document, after: Document, action: str) -> None:
        """Write what changed between two documents."""
        changes = pose_changes(before, after)
        if changes and self._journal is not None:
            self._waiting.append((changes, self.author, action))
            self.flush()

    def flush(self) -> bool:
        """Write what waits; returns whether everything is on the disk."""
        was_behind = self._retry.isActive()
        while self._waiting and self._journal is not None:
            changes, author, action = self._waiting[0]
            try:
                self._journal.record(changes, author=author, action=action)
            except StorageError as error:
                self._retry.start()
                self.refused.emit(str(error))
                return False
            except StudyError as error:
                self.refused.emit(str(error))
            self._waiting.pop(0)
        self._retry.stop()
        if was_behind:
            self.caught_up.emit()
        return True
