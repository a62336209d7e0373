"""Turns drags in the pictures, the gizmo and keys into movements of a body."""

import time
from collections.abc import Sequence
from typing import final

import numpy as np
from PySide6.QtCore import QObject

from app.presenters.pose_editor import PoseEditor
from app.presenters.pose_numbers import PoseNumbers
from app.presenters.session import Session
from app.views.fluoroscopy import DragKind, FluoroscopyView, ViewDrag
from app.views.scene import GizmoMode, GizmoMotion, SceneView
from core.geometry.manipulation import (
    Frame,
    drag_along_ray,
    drag_in_plane,
    nudge,
    roll_by_drag,
    turn_by_drag,
)
from core.geometry.rigid import Rigid
from core.geometry.view import View

_SAME_GESTURE_S = 0.8
_DEPTH_GAIN = 3.0
"""Depth is what is hardest to see: a drag along the ray moves by this many footprints of a pixel."""


@final
class Hands(QObject):
    """Binds the views' gestures to the pose editor."""

    def __init__(
        self,
        session: Session,
        editor: PoseEditor,
        numbers: PoseNumbers,
        pictures: Sequence[FluoroscopyView],
        scene: SceneView,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._editor = editor
        self._numbers = numbers
        self._scene = scene
        self._view_index = 0
        self.gizmo_mode = GizmoMode.TRANSLATE
        self._nudged: tuple[object, float, int] = (None, 0.0, 0)
        self._pictures = tuple(pictures)
        for index, picture in enumerate(pictures):
            self._bind_picture(index, picture)
        scene.gizmo_drag_started.connect(editor.begin)
        scene.gizmo_dragged.connect(self._on_gizmo)
        scene.gizmo_drag_ended.connect(self._on_gizmo_end)
        scene.gizmo_drag_cancelled.connect(lambda _body: editor.abandon())
        scene.body_clicked.connect(session.selector.select_body)

    def _bind_picture(self, index: int, picture: FluoroscopyView) -> None:
        picture.point_picked.connect(lambda pixel: self._on_point(index, pixel))
        picture.drag_started.connect(lambda drag: self._on_drag_start(index, drag))
        picture.dragged.connect(self._on_drag)
        picture.drag_ended.connect(self._on_drag_end)
        picture.drag_cancelled.connect(lambda *_: self._editor.abandon())
        picture.body_clicked.connect(lambda body: self._on_click(index, body))
        picture.ray_step_requested.connect(lambda steps: self._on_ray_step(index, steps))

    def pick_pivot(self) -> None:
        """The next click in the active picture is the pivot, at the depth of the present one."""
        active = self._pictures[min(self._session.selection.view, len(self._pictures) - 1)]
        active.start_picking("Click the point to turn about   Esc: cancel")

    def nudge(self, move: tuple[int, int, int], turn: tuple[int, int, int]) -> None:
        """One step along and about right, down, away of the active view."""
        body, view = self._session.selection.body, self._view(self._session.selection.view)
        shown = None if body is None else self._session.shown(body)
        pivot = None if body is None else self._editor.pivot_world_mm(body)
        if body is None or view is None or shown is None or pivot is None or self._editor.dragging:
            return
        step = self._numbers.step
        moved = nudge(
            shown.pose,
            pivot,
            frame=Frame.VIEW,
            view=view,
            move_mm=step * np.array(move, dtype=np.float64),
            turn_rad=np.radians(step * np.array(turn, dtype=np.float64)),
        )
        pose = self._kept(body, shown.pose, moved)
        self._editor.set_pose(body, pose, f"Nudge {body}", "keys", merge=self._gesture((body, move, turn)))

    def refresh_gizmo(self) -> None:
        """Put the gizmo on the active body."""
        body = self._session.selection.body
        pivot = None if body is None else self._editor.pivot_world_mm(body)
        shown = None if body is None else self._session.shown(body)
        if body is None or pivot is None or shown is None:
            self._scene.set_gizmo(GizmoMode.NONE, None, np.zeros(3), np.eye(3))
            return
        axes = self._numbers.reference(shown.pose).axes_world
        self._scene.set_gizmo(self.gizmo_mode, body, pivot, axes)

    def set_gizmo_mode(self, mode: GizmoMode) -> None:
        """Other handles."""
        self.gizmo_mode = mode
        self.refresh_gizmo()

    def _view(self, index: int) -> View | None:
        trial = self._session.trial
        if trial is None:
            return None
        return trial.views[min(index, len(trial.views) - 1)].view

    def _gesture(self, what: object) -> str:
        """The same text for repeats of one key in quick succession: they are one step of undo."""
        last, at, count = self._nudged
        now = time.monotonic()
        count += 0 if last == what and now - at < _SAME_GESTURE_S else 1
        self._nudged = (what, now, count)
        return f"nudge {count}"

    def _kept(self, body: str, base: Rigid, moved: Rigid) -> Rigid:
        pivot = self._editor.pivot_body_mm(body)
        return moved if pivot is None else self._numbers.kept(base, moved, pivot)

    def _on_click(self, index: int, body: str) -> None:
        self._session.selector.select_view(index)
        if body:
            self._session.selector.select_body(body)

    def _on_drag_start(self, index: int, drag: ViewDrag) -> None:
        self._session.selector.select_view(index)
        self._view_index = index
        self._editor.begin(drag.body)

    def _on_point(self, index: int, pixel: tuple[float, float]) -> None:
        """The clicked point is the pivot, at the depth of the present one."""
        body, view = self._session.selection.body, self._view(index)
        pivot = None if body is None else self._editor.pivot_world_mm(body)
        if body is not None and view is not None and pivot is not None:
            self._editor.set_pivot_world(body, view.point_at_depth(pixel, view.depth_mm(pivot)))

    def refresh_pivot(self) -> None:
        """Mark the pivot in the pictures where it is not the body's centre."""
        trial, body = self._session.trial, self._session.selection.body
        pivot = self._editor.picked_pivot_world_mm(body) if body is not None else None
        for index, picture in enumerate(self._pictures):
            there = trial is not None and index < len(trial.views) and pivot is not None
            view = self._view(index) if there else None
            picture.set_pivot_mark(None if view is None or pivot is None else view.project(pivot[None])[0])

    def _on_drag(self, drag: ViewDrag) -> None:
        base, pivot, view = self._editor.base, self._editor.base_pivot_mm, self._view(self._view_index)
        if base is not None and pivot is not None and view is not None:
            moved = dragged_pose(view, base, pivot, drag)
            self._editor.move(self._kept(drag.body, base, moved))

    def _on_drag_end(self, drag: ViewDrag) -> None:
        self._on_drag(drag)
        self._editor.finish(f"{_VERBS[drag.kind]} {drag.body}", "drag")

    def _on_ray_step(self, index: int, steps: int) -> None:
        self._session.selector.select_view(index)
        self.nudge((0, 0, steps), (0, 0, 0))

    def _on_gizmo(self, motion: GizmoMotion) -> None:
        base, pivot = self._editor.base, self._editor.base_pivot_mm
        if base is not None and pivot is not None:
            moved = base.turned(motion.rotation_vector_world_rad, pivot).shifted(motion.translation_world_mm)
            self._editor.move(self._kept(motion.body, base, moved))

    def _on_gizmo_end(self, motion: GizmoMotion) -> None:
        self._on_gizmo(motion)
        turned = bool(np.any(motion.rotation_vector_world_rad))
        self._editor.finish(f"{'Turn' if turned else 'Move'} {motion.body}", "gizmo")


_VERBS = {
    DragKind.IN_PLANE: "Move",
    DragKind.ALONG_RAY: "Move along the ray",
    DragKind.TURN: "Turn",
    DragKind.ROLL: "Roll",
}


def dragged_pose(view: View, base: Rigid, pivot_mm: np.ndarray, drag: ViewDrag) -> Rigid:
    """Where a drag in a view has brought the body from its pose at the press."""
    du, dv = drag.now_px[0] - drag.start_px[0], drag.now_px[1] - drag.start_px[1]
    if drag.kind is DragKind.IN_PLANE:
        return drag_in_plane(view, base, pivot_mm, du, dv)
    if drag.kind is DragKind.ALONG_RAY:
        footprint = view.millimetres_per_pixel(view.depth_mm(pivot_mm))
        return drag_along_ray(view, base, pivot_mm, -dv * footprint * _DEPTH_GAIN)
    if drag.kind is DragKind.TURN:
        return turn_by_drag(view, base, pivot_mm, du, dv)
    return roll_by_drag(view, base, pivot_mm, drag.start_px, drag.now_px)
