"""What every presenter of one window shares: the document, the selection, what moves, and the bodies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, final

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.commands.history import History
from app.state.document import Document
from app.state.live import LivePoses, Shown, shown_pose
from app.state.preferences import Preferences
from app.state.recorder import Recorder
from app.state.selection import Selection, Selector
from app.state.store import Store
from core.registration.values import Body, Shot
from core.study.values import PoseKey, PoseRecord, Trial


class Pixels(Protocol):
    """Where pictures, usable pixels and bodies come from; safe to be asked from any thread."""

    def picture(self, trial: str, view_index: int, frame: int) -> np.ndarray:
        """One picture, h x w."""

    def shots(self, trial: str, frame: int) -> tuple[Shot, ...]:
        """The pictures of a frame with their usable pixels."""

    def body(self, name: str) -> Body:
        """A prepared body."""

    def forget(self) -> None:
        """Drop everything; another study is coming."""


class Weight(Enum):
    """How loud a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@final
class Messages(QObject):
    """Sentences for the person.

    Signals:
        said(str, Weight): show it until it is replaced or closed.
        status(str): what is happening now, in the status line.
        settled(): the trouble that was told is over.
    """

    said = Signal(str, object)
    status = Signal(str)
    settled = Signal()

    def info(self, text: str) -> None:
        """Something worth knowing."""
        self.said.emit(text, Weight.INFO)

    def warn(self, text: str) -> None:
        """Something to look at."""
        self.said.emit(text, Weight.WARNING)

    def error(self, text: str) -> None:
        """Something that did not work."""
        self.said.emit(text, Weight.ERROR)


@final
@dataclass(slots=True)
class Session:
    """The shared parts of one window, and the questions all presenters ask."""

    arrays: Pixels
    preferences: Preferences
    store: Store
    selector: Selector
    live: LivePoses
    history: History
    recorder: Recorder
    messages: Messages
    bodies: dict[str, Body] = field(default_factory=dict)
    """Prepared bodies by name; those still in preparation are missing."""

    @property
    def document(self) -> Document | None:
        """The open document."""
        return self.store.document

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return self.selector.selection

    @property
    def trial(self) -> Trial | None:
        """The selected trial."""
        document, name = self.document, self.selection.trial
        if document is None or name is None:
            return None
        return next((trial for trial in document.study.trials if trial.name == name), None)

    @property
    def body_names(self) -> tuple[str, ...]:
        """All bodies of the study, in its order."""
        document = self.document
        return () if document is None else tuple(record.name for record in document.study.bodies)

    def key_of(self, body: str) -> PoseKey | None:
        """A body in the selected frame."""
        chosen = self.selection
        if chosen.trial is None or chosen.frame is None:
            return None
        return PoseKey(chosen.trial, body, chosen.frame)

    def shown(self, body: str, frame: int | None = None) -> Shown | None:
        """Where a body is drawn in the selected (or another) frame; None while it is not ready."""
        document, key, prepared = self.document, self.key_of(body), self.bodies.get(body)
        if document is None or key is None or prepared is None:
            return None
        if frame is not None:
            key = key._replace(frame=frame)
        return shown_pose(document, self.live, key, centre_mm=prepared.pivot_mm)

    def record_here(self, body: str | None = None) -> PoseRecord | None:
        """What is proposed, else stored, for a body (by default the active one) in the selected frame."""
        document, name = self.document, self.selection.body if body is None else body
        key = None if name is None else self.key_of(name)
        if document is None or key is None:
            return None
        proposal = document.proposals.get(key)
        return document.study.poses.get(key) if proposal is None else proposal.record

    def chosen_bodies(self) -> tuple[str, ...]:
        """The chosen bodies that are ready, the active one first."""
        return tuple(name for name in self.selection.bodies if name in self.bodies)

    def colour_index(self, body: str) -> int:
        """Position of a body in the study: decides its colour."""
        return self.body_names.index(body)

    def frames_of(self, trial: Trial) -> Sequence[int]:
        """Frame numbers of a trial."""
        return trial.frames


def new_session(arrays: Pixels, preferences: Preferences, store: Store, parent: QObject | None = None) -> Session:
    """A session of a window with nothing open; its document's changes go to the recorder."""
    recorder = Recorder(parent)
    recorder.author = preferences.author
    store.changed.connect(recorder.record)
    return Session(
        arrays=arrays,
        preferences=preferences,
        store=store,
        selector=Selector(parent),
        live=LivePoses(parent),
        history=History(store, parent),
        recorder=recorder,
        messages=Messages(parent),
    )
