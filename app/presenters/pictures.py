"""Loads the selected frame's pictures in the background, newest first, and hands them to whoever shows them."""

from dataclasses import dataclass
from typing import final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.presenters.session import Pixels, Session
from app.workers.newest import Newest
from core.errors import DuoscopeError


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The pictures of one frame; None with a reason where one cannot be shown."""

    trial: str
    number: int
    images: tuple[np.ndarray | None, ...]
    errors: tuple[str, ...]


def load_frame(source: Pixels, trial: str, number: int, views: int) -> Frame:
    """Read the pictures of a frame; one that cannot be read leaves the other untouched."""
    images: list[np.ndarray | None] = []
    errors = []
    for index in range(views):
        try:
            images.append(source.picture(trial, index, number))
            errors.append("")
        except DuoscopeError as error:
            images.append(None)
            errors.append(str(error))
    return Frame(trial=trial, number=number, images=tuple(images), errors=tuple(errors))


@final
class Pictures(QObject):
    """Follows the selection.

    Signals:
        shown(Frame): the selected frame's pictures have come.
        emptied(): there is nothing to show.
    """

    shown = Signal(object)
    emptied = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._newest = Newest(self)
        self._ahead = Newest(self)
        self._newest.answered.connect(self._on_frame)
        self._newest.refused.connect(lambda error: session.messages.error(f"The pictures cannot be shown: {error}"))
        self.frame: Frame | None = None
        session.selector.changed.connect(self._on_selection)

    @property
    def loading(self) -> bool:
        """Whether the selected frame is still to come."""
        return self._newest.waiting

    def load(self) -> None:
        """Load the selected frame again."""
        trial, number = self._session.trial, self._session.selection.frame
        if trial is None or number is None:
            self._newest.forget()
            self.frame = None
            self.emptied.emit()
            return
        arrays, name, views = self._session.arrays, trial.name, len(trial.views)
        self._newest.ask(lambda: load_frame(arrays, name, number, views))

    def close(self) -> None:
        """End the threads."""
        self._newest.close()
        self._ahead.close()

    def _on_selection(self, before: object, after: object) -> None:
        old = (getattr(before, "trial", None), getattr(before, "frame", None))
        if old != (getattr(after, "trial", None), getattr(after, "frame", None)):
            self.load()

    def _on_frame(self, frame: Frame) -> None:
        chosen = self._session.selection
        if (frame.trial, frame.number) != (chosen.trial, chosen.frame):
            return
        self.frame = frame
        self.shown.emit(frame)
        self._read_ahead(frame)

    def _read_ahead(self, frame: Frame) -> None:
        """Have the next frame in memory before it is asked for."""
        trial = self._session.trial
        if trial is None:
            return
        at = trial.index_of(frame.number) + 1
        if at < len(trial.frames):
            arrays, views, number = self._session.arrays, len(trial.views), trial.frames[at]
            self._ahead.ask(lambda: load_frame(arrays, trial.name, number, views))
