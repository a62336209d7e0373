"""Moving a body by hand: what drags in a view and steps of the keys do to its pose.

Pixels are those of the picture (u right, v down). A positive shift along the ray leads away from the source.
Functions that answer a drag take the pose at the press and the whole movement since, so that rounding does not
add up and a drag back to its start is no movement at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import GeometryError
from core.geometry.rigid import Rigid, so3_log
from core.geometry.view import View

NEAREST_PIVOT_MM = 10.0
"""A shift along the ray stops with the pivot this far from the source plane."""

Vector = Float[np.ndarray, "3"] | Sequence[float]


class Frame(Enum):
    """Whose axes a step is taken along."""

    WORLD = "world"
    VIEW = "view"
    BODY = "body"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLocks:
    """Which components of a movement are suppressed, in the axes of some frame."""

    move: tuple[bool, bool, bool] = (False, False, False)
    turn: tuple[bool, bool, bool] = (False, False, False)

    @property
    def any(self) -> bool:
        """Whether anything is locked."""
        return any(self.move) or any(self.turn)


def drag_in_plane(view: View, world_from_body: Rigid, pivot_world_mm: Vector, du_px: float, dv_px: float) -> Rigid:
    """Move parallel to the detector so that the pivot's projection moves by exactly (du, dv), at the same depth.

    Raises:
        GeometryError: the pivot lies behind the source.
    """
    pivot = _pivot_before(view, pivot_world_mm)
    target = view.project(pivot[None])[0] + (du_px, dv_px)
    return world_from_body.shifted(view.point_at_depth(target, view.depth_mm(pivot)) - pivot)


def drag_along_ray(view: View, world_from_body: Rigid, pivot_world_mm: Vector, away_mm: float) -> Rigid:
    """Move along the ray through the pivot, whose projection stays; it stops before it reaches the source.

    Raises:
        GeometryError: the pivot lies behind the source.
    """
    pivot = _pivot_before(view, pivot_world_mm)
    ray = ray_through(view, pivot)
    along_axis = float(ray @ view.axis_world)
    depth = view.depth_mm(pivot)
    least_mm = min(NEAREST_PIVOT_MM - depth, 0.0) / along_axis
    return world_from_body.shifted(ray * max(away_mm, least_mm))


def turn_about_view_axes(
    view: View, world_from_body: Rigid, pivot_world_mm: Vector, about_x_rad: float, about_y_rad: float
) -> Rigid:
    """Turn about the pivot, about an axis in the picture's plane (x right, y down, right-handed).

    Positive about x brings the side that faces the source down, positive about y brings it to the left.
    """
    turn = view.camera_from_world.rotation.T @ np.array([about_x_rad, about_y_rad, 0.0])
    return world_from_body.turned(turn, np.asarray(pivot_world_mm, dtype=np.float64))


def roll_about_ray(view: View, world_from_body: Rigid, pivot_world_mm: Vector, angle_rad: float) -> Rigid:
    """Turn about the ray through the pivot; positive is clockwise on the screen.

    Raises:
        GeometryError: the pivot lies behind the source.
    """
    pivot = _pivot_before(view, pivot_world_mm)
    return world_from_body.turned(ray_through(view, pivot) * angle_rad, pivot)


def turn_by_drag(
    view: View, world_from_body: Rigid, pivot_world_mm: Vector, du_px: float, dv_px: float, lever_mm: float = 40.0
) -> Rigid:
    """Turn so that a point ``lever_mm`` in front of the pivot starts to follow the cursor, as a ball would.

    Zoomed in, the same way of the mouse turns less.

    Raises:
        GeometryError: the pivot lies behind the source.
    """
    pivot = _pivot_before(view, pivot_world_mm)
    per_px = view.millimetres_per_pixel(view.depth_mm(pivot)) / lever_mm
    return turn_about_view_axes(view, world_from_body, pivot, dv_px * per_px, -du_px * per_px)


def roll_by_drag(
    view: View,
    world_from_body: Rigid,
    pivot_world_mm: Vector,
    start_px: tuple[float, float],
    now_px: tuple[float, float],
) -> Rigid:
    """Roll by the angle that the cursor went round the pivot's projection.

    Raises:
        GeometryError: the pivot lies behind the source.
    """
    pivot = _pivot_before(view, pivot_world_mm)
    centre = view.project(pivot[None])[0]
    (ax, ay), (bx, by) = np.subtract(start_px, centre), np.subtract(now_px, centre)
    angle = float(np.arctan2(ax * by - ay * bx, ax * bx + ay * by))
    return roll_about_ray(view, world_from_body, pivot, angle)


def ray_through(view: View, point_world_mm: Vector) -> Float[np.ndarray, "3"]:
    """Unit direction in the world from the source to a point.

    Raises:
        GeometryError: the point is the source itself.
    """
    ray = np.asarray(point_world_mm, dtype=np.float64) - view.source_world_mm
    length = float(np.linalg.norm(ray))
    if length == 0.0:
        raise GeometryError(f"the point is the X-ray source of view {view.name!r}; no single ray leads there")
    return np.asarray(ray / length)


def frame_axes(frame: Frame, world_from_body: Rigid, view: View | None = None) -> Float[np.ndarray, "3 3"]:
    """The unit axes of a frame as columns, in the world.

    Raises:
        GeometryError: the frame is a view's and no view is given.
    """
    if frame is Frame.WORLD:
        return np.eye(3)
    if frame is Frame.BODY:
        return world_from_body.rotation
    if view is None:
        raise GeometryError("steps along a view's axes need the view")
    return view.camera_from_world.rotation.T


def nudge(
    world_from_body: Rigid,
    pivot_world_mm: Vector,
    *,
    frame: Frame,
    view: View | None = None,
    move_mm: Vector = (0.0, 0.0, 0.0),
    turn_rad: Vector = (0.0, 0.0, 0.0),
    locks: AxisLocks | None = None,
) -> Rigid:
    """One step of the keys: move along and turn about a frame's axes, the pivot being the centre of turning.

    In a view's frame the third axis is the ray through the pivot, so that a step in depth leaves the pivot's
    projection where it is and a roll is seen as one. Locked components of the movement are left out.

    Raises:
        GeometryError: the frame is a view's and no view is given, or the pivot lies behind its source.
    """
    axes = frame_axes(frame, world_from_body, view).copy()
    pivot = np.asarray(pivot_world_mm, dtype=np.float64)
    if frame is Frame.VIEW and view is not None:
        axes[:, 2] = ray_through(view, _pivot_before(view, pivot))
    turn, move = axes @ np.asarray(turn_rad, dtype=np.float64), axes @ np.asarray(move_mm, dtype=np.float64)
    moved = world_from_body.turned(turn, pivot).shifted(move)
    if locks is None:
        return moved
    return with_locks(world_from_body, moved, pivot, frame_axes(frame, world_from_body, view), locks)


def with_locks(
    before: Rigid, after: Rigid, pivot_world_mm: Vector, axes_world: Float[np.ndarray, "3 3"], locks: AxisLocks
) -> Rigid:
    """The movement from before to after without the locked components.

    It is taken apart into a turn about the pivot (where it was before), as a rotation vector, and a shift of
    the pivot, both in the given orthonormal axes (columns).
    """
    if not locks.any:
        return after
    pivot = np.asarray(pivot_world_mm, dtype=np.float64)
    moved_pivot = after.apply(before.inverse().apply(pivot[None]))[0]
    shift = axes_world.T @ (moved_pivot - pivot)
    turn = axes_world.T @ so3_log(after.rotation @ before.rotation.T)
    shift, turn = np.where(locks.move, 0.0, shift), np.where(locks.turn, 0.0, turn)
    return before.turned(axes_world @ turn, pivot).shifted(axes_world @ shift)


def _pivot_before(view: View, pivot_world_mm: Vector) -> Float[np.ndarray, "3"]:
    pivot = np.asarray(pivot_world_mm, dtype=np.float64)
    if not view.depth_mm(pivot) > 0.0:
        raise GeometryError(
            f"the pivot lies behind the X-ray source of view {view.name!r}; reset the pose before moving it there"
        )
    return pivot
