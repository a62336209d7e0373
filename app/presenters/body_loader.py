"""Prepares the study's bodies in the background and tells when each is ready."""

from typing import final

from PySide6.QtCore import QObject, Signal

from app.presenters.session import Session
from app.workers.jobs import Prepared, prepare
from app.workers.runner import Runner


@final
class BodyLoader(QObject):
    """Fills the session's bodies.

    Signals:
        ready(str): a body can be drawn and registered.
        all_ready(): nothing is being prepared any more.
    """

    ready = Signal(str)
    all_ready = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = Runner(self)
        self._runner.reported.connect(self._on_prepared)
        self._runner.finished.connect(self._on_end)
        self._runner.failed.connect(lambda error: session.messages.error(f"A body could not be prepared: {error}"))

    def load(self) -> None:
        """Prepare what is missing, and drop what the study no longer has."""
        names = self._session.body_names
        for gone in set(self._session.bodies) - set(names):
            del self._session.bodies[gone]
        missing = [name for name in names if name not in self._session.bodies]
        if not missing:
            self._on_end(None)
            return
        arrays = self._session.arrays
        self._session.messages.status.emit(f"Preparing {', '.join(missing)}…")
        self._runner.start("Preparing bodies", lambda: prepare(arrays, missing), keep=lambda _report: True)

    def close(self) -> None:
        """End the thread."""
        self._runner.close()

    def _on_prepared(self, report: Prepared) -> None:
        if report.body is None:
            self._session.messages.error(f"{report.name}: {report.error}")
            return
        self._session.bodies[report.name] = report.body
        self.ready.emit(report.name)

    def _on_end(self, _result: object) -> None:
        self._session.messages.status.emit("")
        self.all_ready.emit()
