"""Drives a core generator in a thread of its own: progress, cancel at once, the newest job wins."""

import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, final

from PySide6.QtCore import QObject, QThread, Signal

from app.workers.priority import stand_back
from core.errors import DuoscopeError

REPORTS_PER_SECOND = 10.0

Work = Callable[[], Generator[Any, None, Any]]
"""Makes the generator; called in the thread."""


@final
class _JobThread(QThread):
    """One job: reports at most ten times a second, ends soon after it is told to."""

    reported = Signal(int, object)
    ended = Signal(int, object)
    broke = Signal(int, object)

    def __init__(self, number: int, work: Work, keep: Callable[[Any], bool]) -> None:
        super().__init__()
        self._number = number
        self._work = work
        self._keep = keep
        self.stop = threading.Event()

    def run(self) -> None:
        """Walk through the generator; an unforeseen error is announced and then goes its way to the log."""
        stand_back()
        told = False
        try:
            result = self._walk()
            told = True
            if not self.stop.is_set():
                self.ended.emit(self._number, result)
        except DuoscopeError as error:
            told = True
            self.broke.emit(self._number, error)
        finally:
            if not told:
                self.broke.emit(self._number, sys.exc_info()[1])

    def _walk(self) -> Any:  # noqa: ANN401 - whatever the generator returns
        work = self._work()
        last = 0.0
        try:
            while not self.stop.is_set():
                try:
                    report = next(work)
                except StopIteration as end:
                    return end.value
                now = time.monotonic()
                if self._keep(report) or now - last >= 1.0 / REPORTS_PER_SECOND:
                    last = now
                    self.reported.emit(self._number, report)
        finally:
            work.close()
        return None


@final
class Runner(QObject):
    """Runs one job at a time; starting another or cancelling silences the old one at once.

    Threads are owned here until they have ended, so none is destroyed while it runs.

    Signals:
        started(str): a job began; its title.
        reported(object): what the generator yielded, at most ten times a second (unless kept).
        finished(object): what the generator returned.
        failed(object): the exception that ended it.
        cancelled(): it was told to stop; nothing more will come of it.
        busy_changed(bool): whether a job runs.
    """

    started = Signal(str)
    reported = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._current: _JobThread | None = None
        self._threads: set[_JobThread] = set()

    @property
    def busy(self) -> bool:
        """Whether a job runs that has not been cancelled."""
        return self._current is not None

    def start(self, title: str, work: Work, keep: Callable[[Any], bool] = lambda _report: False) -> None:
        """Run a job; a running one is cancelled first. ``keep`` names reports that are never dropped."""
        self.cancel()
        self._number += 1
        job = _JobThread(self._number, work, keep)
        self._threads.add(job)
        job.reported.connect(self._on_report)
        job.ended.connect(self._on_end)
        job.broke.connect(self._on_broke)
        job.finished.connect(self._sweep)
        self._current = job
        self.started.emit(title)
        self.busy_changed.emit(True)
        job.start()

    def cancel(self) -> None:
        """Stop at once: nothing is heard of the job any more, its thread ends at its next step."""
        if self._current is None:
            return
        self._current.stop.set()
        self._current = None
        self._number += 1
        self.cancelled.emit()
        self.busy_changed.emit(False)

    def close(self) -> None:
        """Cancel and wait for every thread to end."""
        self.cancel()
        for job in list(self._threads):
            job.stop.set()
            job.wait()
        self._sweep()

    def _on_report(self, number: int, report: object) -> None:
        if number == self._number and self._current is not None:
            self.reported.emit(report)

    def _on_end(self, number: int, result: object) -> None:
        if number == self._number and self._current is not None:
            self._current = None
            self.busy_changed.emit(False)
            self.finished.emit(result)

    def _on_broke(self, number: int, error: object) -> None:
        if number == self._number and self._current is not None:
            self._current = None
            self.busy_changed.emit(False)
            self.failed.emit(error)

    def _sweep(self) -> None:
        for job in [thread for thread in self._threads if thread.isFinished()]:
            self._threads.discard(job)
            job.deleteLater()
