"""Live similarity: follows every movement in a thread and tells the score of each view."""

from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QObject, Signal

from app.presenters.session import Session
from app.state.live import Origin
from app.workers.jobs import scores_of
from app.workers.newest import Newest
from core.geometry.rigid import Rigid
from core.registration.recipe import Recipe
from core.registration.values import Problem
from core.study.values import PoseKey


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Similarity:
    """How well the chosen bodies agree with each picture of a frame."""

    keys: tuple[PoseKey, ...]
    poses: tuple[Rigid, ...]
    view_scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """Mean over the views."""
        return sum(self.view_scores) / len(self.view_scores)


@final
class LiveSimilarity(QObject):
    """Asks for the score of what is shown; only the newest question is answered.

    Signals:
        known(Similarity): the score of the chosen bodies as they were when asked.
        unknown(): nothing to score.
    """

    known = Signal(object)
    unknown = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._newest = Newest(self)
        self._newest.answered.connect(self.known)
        self._newest.refused.connect(lambda _error: self.unknown.emit())

    def ask(self) -> None:
        """Score what is shown now; while a registration runs its own cost is shown instead."""
        names = self._session.chosen_bodies()
        shown = [item for name in names if (item := self._session.shown(name)) is not None]
        keys = tuple(key for name in names if (key := self._session.key_of(name)) is not None)
        if not shown or len(keys) != len(shown):
            self._newest.forget()
            self.unknown.emit()
            return
        if any(item.origin is Origin.RUNNING for item in shown):
            return
        poses = tuple(item.pose for item in shown)
        bodies = tuple(self._session.bodies[name] for name in names)
        arrays, first = self._session.arrays, keys[0]

        def question() -> Similarity:
            problem = Problem(bodies=bodies, shots=arrays.shots(first.trial, first.frame))
            return Similarity(keys=keys, poses=poses, view_scores=scores_of(problem, poses, Recipe()))

        self._newest.ask(question)

    def close(self) -> None:
        """End the thread."""
        self._newest.close()
