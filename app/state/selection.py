"""What the person is looking at: trial, frame, bodies; not part of undo."""

from dataclasses import dataclass, replace
from typing import final

from PySide6.QtCore import QObject, Signal

from core.study.values import PoseKey, Study, Trial


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A trial, one of its frames, the bodies worked on (the first is the active one) and the view."""

    trial: str | None = None
    frame: int | None = None
    bodies: tuple[str, ...] = ()
    view: int = 0
    """Index of the view that keys act in: the one last touched."""

    @property
    def body(self) -> str | None:
        """The active body."""
        return self.bodies[0] if self.bodies else None

    @property
    def key(self) -> PoseKey | None:
        """The pose of the active body in this frame, or None where something is not chosen."""
        if self.trial is None or self.frame is None or self.body is None:
            return None
        return PoseKey(self.trial, self.body, self.frame)


@final
class Selector(QObject):
    """Holds the selection and announces (before, after)."""

    changed = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._selection = Selection()

    @property
    def selection(self) -> Selection:
        """What is selected now."""
        return self._selection

    def replace(self, after: Selection) -> None:
        """Select something else."""
        before, self._selection = self._selection, after
        if after != before:
            self.changed.emit(before, after)

    def select_trial(self, trial: Trial | None) -> None:
        """Another trial at its first frame, or none."""
        frame = None if trial is None else trial.frames[0]
        name = None if trial is None else trial.name
        self.replace(replace(self._selection, trial=name, frame=frame, view=0))

    def select_frame(self, frame: int) -> None:
        """Another frame of the trial."""
        self.replace(replace(self._selection, frame=frame))

    def select_body(self, body: str, *, also: bool = False) -> None:
        """Make a body the active one; ``also`` keeps the others chosen."""
        others = tuple(name for name in self._selection.bodies if name != body) if also else ()
        self.replace(replace(self._selection, bodies=(body, *others)))

    def select_view(self, index: int) -> None:
        """The view that keys act in."""
        self.replace(replace(self._selection, view=index))

    def fit_to(self, study: Study | None) -> None:
        """Keep what still exists in a study and choose the first of what does not."""
        if study is None:
            self.replace(Selection())
            return
        chosen = self._selection
        trial = next((t for t in study.trials if t.name == chosen.trial), study.trials[0] if study.trials else None)
        frame = None
        if trial is not None:
            frame = chosen.frame if chosen.frame in trial.frames else trial.frames[0]
        names = [body.name for body in study.bodies]
        bodies = tuple(name for name in chosen.bodies if name in names) or tuple(names[:1])
        self.replace(Selection(trial=trial.name if trial else None, frame=frame, bodies=bodies))
