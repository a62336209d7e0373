"""A thread for short questions of which only the newest matters: similarity, pictures, surfaces."""

import sys
import threading
from collections.abc import Callable
from typing import Any, final

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal

from app.workers.priority import stand_back
from core.errors import DuoscopeError

Question = Callable[[], Any]


@final
class _AskedThread(QThread):
    """Waits for questions and answers the newest."""

    answered = Signal(int, object)
    refused = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._change = threading.Condition()
        self._asked: tuple[int, Question] | None = None
        self._over = False

    def ask(self, number: int, question: Question | None) -> None:
        with self._change:
            self._asked = None if question is None else (number, question)
            self._change.notify()

    def end(self) -> None:
        with self._change:
            self._over = True
            self._asked = None
            self._change.notify()

    def run(self) -> None:
        """Answer until told to end; an unforeseen error is announced and ends the thread, to be started anew."""
        stand_back()
        while True:
            with self._change:
                self._change.wait_for(lambda: self._over or self._asked is not None)
                if self._asked is None:
                    return
                (number, question), self._asked = self._asked, None
            self._answer(number, question)

    def _answer(self, number: int, question: Question) -> None:
        told = False
        try:
            answer = question()
            told = True
            self.answered.emit(number, answer)
        except DuoscopeError as error:
            told = True
            self.refused.emit(number, error)
        finally:
            if not told:
                self.refused.emit(number, sys.exc_info()[1])


_LEFT: list[_AskedThread] = []
"""Threads that still work on questions nobody waits for; a thread must not go before it has ended."""


@final
class Newest(QObject):
    """Answers the newest question in a thread; older questions that wait are dropped.

    Signals:
        answered(object): what the newest question returned.
        refused(object): the exception it raised.
    """

    answered = Signal(object)
    refused = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._answered = 0
        self._thread = _AskedThread()
        self._thread.answered.connect(self._on_answer)
        self._thread.refused.connect(self._on_refusal)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._answered != self._number

    def ask(self, question: Question) -> None:
        """Ask; an older question that has not begun is never answered, one that has still may be."""
        self._number += 1
        self._thread.ask(self._number, question)
        if self._thread.isFinished():
            self._thread.start()

    def forget(self) -> None:
        """Want no answer to anything asked so far."""
        self._number += 1
        self._answered = self._number
        self._thread.ask(self._number, None)

    def close(self) -> None:
        """End the thread and wait for it."""
        self.forget()
        self._thread.end()
        self._thread.wait()

    def leave(self) -> None:
        """End the thread without waiting for a long question that runs; its answer is wanted by nobody."""
        self.forget()
        self._thread.end()
        _LEFT[:] = [thread for thread in _LEFT if thread.isRunning()]
        application = QCoreApplication.instance()
        if self._thread.isRunning() and application is not None:
            _LEFT.append(self._thread)
            application.aboutToQuit.connect(self._thread.wait)

    def _on_answer(self, number: int, answer: object) -> None:
        if self._answered < number <= self._number:
            self._answered = number
            self.answered.emit(answer)

    def _on_refusal(self, number: int, error: object) -> None:
        if self._answered < number <= self._number:
            self._answered = number
            self.refused.emit(error)
