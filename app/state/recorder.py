"""Writes every change of poses and regions into the study file at once; keeps and retries what the disk refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from PySide6.QtCore import QObject, QTimer, Signal

from app.state.document import Document, pose_changes, region_changes
from core.errors import StorageError, StudyError
from core.study.values import PoseKey, PoseRecord, Region, RegionKey

RETRY_MS = 5000


class Journal(Protocol):
    """The part of a study file that takes changes."""

    def record(self, changes: Mapping[PoseKey, PoseRecord | None], *, author: str, action: str) -> None:
        """Store changes of poses in one transaction; raises StudyError when the disk refuses."""

    def set_regions(self, regions: Sequence[Region], *, author: str = "") -> None:
        """Store regions; raises StudyError when the disk refuses."""

    def remove_regions(self, keys: Sequence[RegionKey], *, author: str = "") -> None:
        """Forget regions; raises StudyError when the disk refuses."""


@final
@dataclass(slots=True, kw_only=True)
class Waiting:
    """One step that is to be written; what is written already is taken out of it."""

    author: str = ""
    action: str = ""
    poses: dict[PoseKey, PoseRecord | None] = field(default_factory=dict)
    regions: dict[RegionKey, Region | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is left to be written."""
        return bool(self.poses or self.regions)

    def write_into(self, journal: Journal) -> None:
        """Write what is left.

        Raises:
            StudyError: the disk refuses, or the study knows no such trial, body or frame.
        """
        if self.poses:
            journal.record(self.poses, author=self.author, action=self.action)
            self.poses = {}
        drawn = [region for region in self.regions.values() if region is not None]
        if drawn:
            journal.set_regions(drawn, author=self.author)
        gone = [key for key, region in self.regions.items() if region is None]
        if gone:
            journal.remove_regions(gone, author=self.author)
        self.regions = {}


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
        self._waiting: list[Waiting] = []
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

    def take_waiting(self) -> Waiting:
        """All that waits, as one change, to be written elsewhere; nothing waits afterwards."""
        every = Waiting()
        for some in self._waiting:
            every.poses |= some.poses
            every.regions |= some.regions
        self._waiting.clear()
        self._retry.stop()
        return every

    def record(self, before: Document, after: Document, action: str) -> None:
        """Write what changed between two documents."""
        changed = Waiting(
            author=self.author,
            action=action,
            poses=pose_changes(before, after),
            regions=region_changes(before, after),
        )
        if changed and self._journal is not None:
            self._waiting.append(changed)
            self.flush()

    def flush(self) -> bool:
        """Write what waits; returns whether everything is on the disk."""
        was_behind = self._retry.isActive()
        while self._waiting and self._journal is not None:
            try:
                self._waiting[0].write_into(self._journal)
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
