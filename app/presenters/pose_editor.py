"""Moves the active body by hand: drags, gizmo, keys and numbers end as one undoable edit each."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from PySide6.QtCore import QObject, Signal

from app.commands.edits import moved_by_hand, without_poses
from app.presenters.session import Session
from app.state.live import Origin, nearest_pose, placed_in_the_middle
from core.geometry.rigid import Rigid
from core.registration.candidates import mirrored_pose
from core.study.values import PoseKey

Vector = Float[np.ndarray, "3"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Gesture:
    """A drag in progress."""

    key: PoseKey
    base: Rigid
    pivot_mm: Vector
    """In the world, at the start."""


@final
class PoseEditor(QObject):
    """Sets poses of the selected frame.

    Signals:
        began(PoseKey): a person takes hold of a body.
        pivot_changed(): another point is turned about.
    """

    began = Signal(object)
    pivot_changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._gesture: _Gesture | None = None
        self._pivots: dict[str, Vector] = {}
        self._copied: Rigid | None = None

    @property
    def has_copy(self) -> bool:
        """Whether a pose was copied."""
        return self._copied is not None

    @property
    def dragging(self) -> bool:
        """Whether a gesture is in progress."""
        return self._gesture is not None

    @property
    def base(self) -> Rigid | None:
        """The pose at the start of the gesture."""
        return None if self._gesture is None else self._gesture.base

    @property
    def base_pivot_mm(self) -> Vector | None:
        """The pivot in the world at the start of the gesture."""
        return None if self._gesture is None else self._gesture.pivot_mm

    def pivot_body_mm(self, body: str) -> Vector | None:
        """The point that a body turns about, in its own frame."""
        prepared = self._session.bodies.get(body)
        if prepared is None:
            return None
        return self._pivots.get(body, prepared.pivot_mm)

    def pivot_world_mm(self, body: str) -> Vector | None:
        """The same point where the body is drawn now."""
        shown, pivot = self._session.shown(body), self.pivot_body_mm(body)
        return None if shown is None or pivot is None else shown.pose.apply(pivot[None])[0]

    def picked_pivot_world_mm(self, body: str) -> Vector | None:
        """The same where a person picked it; None where it is the body's centre."""
        return self.pivot_world_mm(body) if body in self._pivots else None

    def set_pivot_world(self, body: str, point_mm: Vector) -> None:
        """Turn a body about a point of the world."""
        shown = self._session.shown(body)
        if shown is not None:
            self._pivots[body] = shown.pose.inverse().apply(np.asarray(point_mm)[None])[0]
            self.pivot_changed.emit()

    def centre_pivot(self, body: str) -> None:
        """Turn a body about its centre again."""
        self._pivots.pop(body, None)
        self.pivot_changed.emit()

    def begin(self, body: str) -> bool:
        """Take hold of a body; False while it cannot be moved."""
        self.abandon()
        key, shown, pivot = self._session.key_of(body), self._session.shown(body), self.pivot_world_mm(body)
        if key is None or shown is None or pivot is None:
            return False
        self.began.emit(key)
        if self._session.selection.body != body:
            self._session.selector.select_body(body)
        self._gesture = _Gesture(key, shown.pose, pivot)
        return True

    def move(self, pose: Rigid) -> None:
        """Where the held body is now."""
        if self._gesture is not None:
            self._session.live.put({self._gesture.key: pose}, Origin.BY_HAND)

    def finish(self, text: str, method: str) -> None:
        """Let go: the movement becomes one step of undo, unless nothing moved."""
        gesture, self._gesture = self._gesture, None
        if gesture is None:
            return
        moved = self._session.live.get(gesture.key)
        if moved is not None and not moved[0].close_to(gesture.base, mm=1e-9, deg=1e-9):
            self._store({gesture.key: moved[0]}, text, method)
        self._session.live.clear(Origin.BY_HAND)

    def abandon(self) -> None:
        """Let go and put the body back."""
        self._gesture = None
        self._session.live.clear(Origin.BY_HAND)

    def set_pose(self, body: str, pose: Rigid, text: str, method: str, *, merge: str = "") -> None:
        """One edit at once, of the selected frame; ``merge`` joins repeated ones."""
        key = self._session.key_of(body)
        if key is not None and not self.dragging:
            self.began.emit(key)
            self._store({key: pose}, text, method, merge=merge)

    def copy(self) -> bool:
        """Remember the active body's pose."""
        body = self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if shown is not None:
            self._copied = shown.pose
        return shown is not None

    def paste(self) -> None:
        """Give the active body the remembered pose."""
        body = self._session.selection.body
        if body is not None and self._copied is not None:
            self.set_pose(body, self._copied, f"Paste pose of {body}", "paste")

    def reset(self) -> None:
        """Give the active body the pose of the nearest other frame, or put it in the middle."""
        document, key = self._session.document, self._session.selection.key
        if document is None or key is None:
            return
        others = without_poses(document, [key]).study
        pose = nearest_pose(others, key)
        if pose is None:
            self.place()
        else:
            self.set_pose(key.body, pose, f"Reset {key.body} to the nearest frame", "nearest frame")

    def remove(self) -> None:
        """Remove the stored pose of the active body."""
        document, key = self._session.document, self._session.selection.key
        if document is not None and key is not None and document.study.poses.get(key) is not None:
            self._session.history.do(f"Remove pose of {key.body}", without_poses(document, [key]))

    def place(self) -> None:
        """Put the active body in the middle of the views, with its turn as it is."""
        trial, body = self._session.trial, self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if trial is None or body is None or shown is None:
            return
        centre = self._session.bodies[body].pivot_mm
        views = [plane.view for plane in trial.views]
        middle = placed_in_the_middle(views, centre).apply(centre[None])[0]
        pose = shown.pose.shifted(middle - shown.pose.apply(centre[None])[0])
        self.set_pose(body, pose, f"Place {body} in the middle", "placed")

    def mirror(self) -> bool:
        """The pose that the active view cannot tell from this one; False where the body has no such pose."""
        trial, body = self._session.trial, self._session.selection.body
        shown = None if body is None else self._session.shown(body)
        if trial is None or body is None or shown is None:
            return True
        symmetry = self._session.bodies[body].symmetry
        if symmetry is None:
            return False
        view = trial.views[min(self._session.selection.view, len(trial.views) - 1)].view
        self.set_pose(body, mirrored_pose(symmetry, shown.pose, view), f"Mirror {body}", "mirror")
        return True

    def _store(self, poses: dict[PoseKey, Rigid], text: str, method: str, *, merge: str = "") -> None:
        document = self._session.document
        if document is not None:
            author = self._session.preferences.author
            after = moved_by_hand(document, poses, author=author, method=method)
            self._session.history.do(text, after, merge=merge)
