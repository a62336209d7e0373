"""One drag of a gizmo handle: from cursor positions to the cumulative motion since the press."""

from typing import final

import numpy as np
from jaxtyping import Float

from app.views.scene.gizmo_geometry import (
    Gizmo,
    Handle,
    axis_shift_mm,
    ring_angle_rad,
    roller_angle_rad,
    screen_shift_mm,
    turn_is_edge_on,
)
from app.views.scene.values import GizmoMotion
from app.views.scene.viewpoint import Size, Viewpoint


@final
class GizmoDrag:
    """A drag in progress. Pivot, axes and viewpoint are those of the press, whatever moves since.

    The shift is that of the closest axis point under the cursor since the press; turns are counted
    on past half a turn, so that several turns in one drag come out as what was done.
    """

    def __init__(
        self,
        body: str,
        handle: Handle,
        gizmo: Gizmo,
        viewpoint: Viewpoint,
        size: Size,
        start_px: Float[np.ndarray, "2"],
    ) -> None:
        self.body = body
        self.handle = handle
        self._gizmo = gizmo
        self._viewpoint = viewpoint
        self._size = size
        self._start = np.asarray(start_px, dtype=np.float64)
        self._axis = self._drag_axis()
        self._edge_on = turn_is_edge_on(gizmo.pivot_mm, self._axis, viewpoint)
        self._turned_rad = 0.0
        self._last_angle = None if self._edge_on else self._angle(self._start)

    @property
    def turned_rad(self) -> float:
        """The turn so far about the handle's axis, beyond half a turn too."""
        return self._turned_rad

    @property
    def axis(self) -> Float[np.ndarray, "3"]:
        """The axis moved along or turned about, in the world."""
        return self._axis

    def motion_at(self, cursor_px: Float[np.ndarray, "2"]) -> GizmoMotion:
        """The whole motion since the press, with the cursor where it is now."""
        cursor = np.asarray(cursor_px, dtype=np.float64)
        if self.handle.turns:
            return self._motion(np.zeros(3), self._axis * self._turn_to(cursor))
        if self.handle is Handle.MOVE_SCREEN:
            shift = screen_shift_mm(self._gizmo.pivot_mm, self._viewpoint, self._size, self._start, cursor)
            return self._motion(shift, np.zeros(3))
        return self._motion(self._axis * (self._along(cursor) - self._along(self._start)), np.zeros(3))

    def nothing(self) -> GizmoMotion:
        """The motion of a drag that is taken back."""
        return self._motion(np.zeros(3), np.zeros(3))

    def _drag_axis(self) -> Float[np.ndarray, "3"]:
        if self.handle.axis is not None:
            return np.asarray(self._gizmo.axes[:, self.handle.axis])
        toward = self._viewpoint.eye_mm - self._gizmo.pivot_mm
        return np.asarray(toward / np.linalg.norm(toward))

    def _along(self, cursor: Float[np.ndarray, "2"]) -> float:
        return axis_shift_mm(self._gizmo.pivot_mm, self._axis, self._viewpoint, self._size, cursor)

    def _angle(self, cursor: Float[np.ndarray, "2"]) -> float | None:
        return ring_angle_rad(self._gizmo.pivot_mm, self._axis, self._viewpoint, self._size, cursor)

    def _turn_to(self, cursor: Float[np.ndarray, "2"]) -> float:
        if self._edge_on:
            self._turned_rad = roller_angle_rad(self._gizmo.pivot_mm, self._axis, self._viewpoint, self._start, cursor)
            return self._turned_rad
        angle = self._angle(cursor)
        if angle is None:
            return self._turned_rad
        if self._last_angle is not None:
            step = angle - self._last_angle
            self._turned_rad += float((step + np.pi) % (2.0 * np.pi) - np.pi)
        self._last_angle = angle
        return self._turned_rad

    def _motion(self, shift_mm: Float[np.ndarray, "3"], turn_rad: Float[np.ndarray, "3"]) -> GizmoMotion:
        return GizmoMotion(body=self.body, translation_world_mm=shift_mm, rotation_vector_world_rad=turn_rad)
