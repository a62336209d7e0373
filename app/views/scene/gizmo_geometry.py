"""The gizmo's mathematics: where its handles are on the screen, which one is meant, and what a drag means.

Pure functions and frozen values over :class:`Viewpoint`; no Qt, no OpenGL. Screen points are in
widget pixels from the top left, lengths in the world in mm, angles in radians.
"""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from app.views.scene.values import GizmoMode
from app.views.scene.viewpoint import Size, Viewpoint

ARROW_PX = 88.0
ARROW_START_PX = 16.0
RING_PX = 78.0
VIEW_RING_PX = 96.0
CENTRE_PX = 10.0
PICK_PX = 9.0
"""How far from a handle the cursor may be and still mean it."""
PREFER_FRONT_PX = 3.0
"""Handles that are nearer to the viewer win over others that are closer to the cursor by less than this."""
RING_POINTS = 73
FADE_SINE = (0.14, 0.30)
"""Sines of the angle between an arrow and the line of sight where it is gone and where it is full."""
EDGE_ON_COSINE = 0.22
"""A ring seen flatter than this is turned like a roller instead of around its ellipse."""
DEAD_CENTRE_PX = 6.0
"""Closer than this to a ring's centre the angle of the cursor means nothing."""
VANISHING_SHARE = 0.8
"""An arrow is followed at most this far toward the vanishing point of its axis."""


class Handle(Enum):
    """What can be grabbed."""

    MOVE_X = "move along x"
    MOVE_Y = "move along y"
    MOVE_Z = "move along z"
    MOVE_SCREEN = "move in the screen plane"
    TURN_X = "turn about x"
    TURN_Y = "turn about y"
    TURN_Z = "turn about z"
    TURN_SCREEN = "turn about the line of sight"

    @property
    def axis(self) -> int | None:
        """0, 1 or 2 for x, y, z; None for the handles of the screen."""
        return {"x": 0, "y": 1, "z": 2}.get(self.value[-1]) if self.value[-2] == " " else None

    @property
    def turns(self) -> bool:
        """Whether the handle turns (else it moves)."""
        return self.value.startswith("turn")


MOVES = (Handle.MOVE_X, Handle.MOVE_Y, Handle.MOVE_Z)
TURNS = (Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gizmo:
    """Where the gizmo stands: pivot, axes (columns, unit length, in the world) and mode."""

    mode: GizmoMode
    pivot_mm: Float[np.ndarray, "3"]
    axes: Float[np.ndarray, "3 3"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HandleShape:
    """A handle on the screen: a polyline, which of its points face the viewer, and how solid it is."""

    handle: Handle
    points_px: Float[np.ndarray, "n 2"]
    front: Bool[np.ndarray, " n"]
    strength: float
    """1: fully there; 0: pointing at the viewer, neither drawn nor to be grabbed."""
    nearness: float
    """For ties: larger is nearer to the viewer (1 toward, -1 away)."""


def handle_shapes(gizmo: Gizmo, viewpoint: Viewpoint, size: Size) -> tuple[HandleShape, ...]:
    """All handles of the gizmo as they appear; empty when the pivot is behind the eye."""
    if gizmo.mode is GizmoMode.NONE or float(viewpoint.depth_mm(gizmo.pivot_mm)) <= 1.0:
        return ()
    if gizmo.mode is GizmoMode.TRANSLATE:
        arrows = tuple(_arrow(gizmo, handle, viewpoint, size) for handle in MOVES)
        return (*arrows, _centre(gizmo, viewpoint, size))
    rings = tuple(_ring(gizmo, handle, viewpoint, size) for handle in TURNS)
    return (*rings, _screen_ring(gizmo, viewpoint, size))


def hit(shapes: tuple[HandleShape, ...], cursor_px: Float[np.ndarray, "2"]) -> Handle | None:
    """The handle that a press at the cursor means, or None.

    The centre handle wins inside its disc; else the closest polyline within the pick zone, with a
    small preference for handles nearer to the viewer. The far half of a ring does not count.
    """
    best: tuple[float, Handle] | None = None
    for shape in shapes:
        if shape.strength <= 0.0:
            continue
        if shape.handle is Handle.MOVE_SCREEN:
            distance = float(np.linalg.norm(shape.points_px[0] - cursor_px))
            reach = CENTRE_PX + 3.0
            score = distance - reach if distance <= reach else np.inf
        else:
            distance = _distance_to_polyline(shape, cursor_px)
            score = distance - PREFER_FRONT_PX * shape.nearness if distance <= PICK_PX else np.inf
        if np.isfinite(score) and (best is None or score < best[0]):
            best = (float(score), shape.handle)
    return None if best is None else best[1]


def axis_shift_mm(
    pivot_mm: Float[np.ndarray, "3"],
    axis: Float[np.ndarray, "3"],
    viewpoint: Viewpoint,
    size: Size,
    cursor_px: Float[np.ndarray, "2"],
) -> float:
    """Position along an axis (mm from the pivot) of the axis point seen closest to the cursor.

    A point at s mm is seen ``a s / (1 + b s)`` pixels along the axis' line on the screen; the
    inverse ``d / (a - b d)`` has its pole at the vanishing point a / b, before which d is held.
    Zero for an axis that points at the viewer.
    """
    focal = viewpoint.focal_px(size)
    centre = viewpoint.project(pivot_mm[None], size)[0]
    relative = (pivot_mm - viewpoint.eye_mm) @ viewpoint.world_from_eye
    along = axis @ viewpoint.world_from_eye
    depth = max(float(-relative[2]), 1.0)
    slope = -float(along[2]) / depth
    moving = (along[:2] - relative[:2] * slope) / depth * focal
    line = moving * [1.0, -1.0]
    per_mm = float(np.linalg.norm(line))
    if per_mm * depth < 1e-3 * focal:
        return 0.0
    seen = float((np.asarray(cursor_px) - centre) @ line) / per_mm
    if slope * seen > 0:
        seen = float(np.sign(seen) * min(abs(seen), VANISHING_SHARE * abs(per_mm / slope)))
    return seen / (per_mm - slope * seen)


def screen_shift_mm(
    pivot_mm: Float[np.ndarray, "3"],
    viewpoint: Viewpoint,
    size: Size,
    start_px: Float[np.ndarray, "2"],
    now_px: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "3"]:
    """World shift in the plane of the screen that takes the pivot along with the cursor exactly."""
    before = viewpoint.point_at(start_px, pivot_mm, size)
    return np.asarray(viewpoint.point_at(now_px, pivot_mm, size) - before)


def turn_is_edge_on(pivot_mm: Float[np.ndarray, "3"], axis: Float[np.ndarray, "3"], viewpoint: Viewpoint) -> bool:
    """Whether a ring about the axis is seen too flat to read an angle off it."""
    return bool(abs(axis @ _toward_eye(pivot_mm, viewpoint)) < EDGE_ON_COSINE)


def ring_angle_rad(
    pivot_mm: Float[np.ndarray, "3"],
    axis: Float[np.ndarray, "3"],
    viewpoint: Viewpoint,
    size: Size,
    cursor_px: Float[np.ndarray, "2"],
) -> float | None:
    """Angle of the cursor around the axis, in the ring's own plane; None at its very centre.

    The cursor's point at the pivot's depth is carried along the line of sight onto the ring's
    plane. Zero is an arbitrary but fixed direction; only differences mean something.
    """
    centre = viewpoint.project(pivot_mm[None], size)[0]
    if float(np.linalg.norm(np.asarray(cursor_px) - centre)) < DEAD_CENTRE_PX:
        return None
    toward = _toward_eye(pivot_mm, viewpoint)
    offset = viewpoint.point_at(cursor_px, pivot_mm, size) - pivot_mm
    on_plane = offset - toward * float(offset @ axis) / float(toward @ axis)
    first, second = _across(axis)
    return float(np.arctan2(on_plane @ second, on_plane @ first))


def roller_angle_rad(
    pivot_mm: Float[np.ndarray, "3"],
    axis: Float[np.ndarray, "3"],
    viewpoint: Viewpoint,
    start_px: Float[np.ndarray, "2"],
    now_px: Float[np.ndarray, "2"],
) -> float:
    """Turn of a ring seen edge-on: its near side follows the cursor, one radian for one radius."""
    forward = np.cross(axis, _toward_eye(pivot_mm, viewpoint))
    seen = np.array([forward @ viewpoint.right, -(forward @ viewpoint.up)])
    seen /= max(float(np.linalg.norm(seen)), 1e-9)
    return float((np.asarray(now_px) - np.asarray(start_px)) @ seen) / RING_PX


def _toward_eye(pivot: Float[np.ndarray, "3"], viewpoint: Viewpoint) -> Float[np.ndarray, "3"]:
    toward = viewpoint.eye_mm - pivot
    return np.asarray(toward / max(float(np.linalg.norm(toward)), 1e-9))


def _across(axis: Float[np.ndarray, "3"]) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Two unit vectors that make a right-handed frame with the axis as third."""
    first = np.cross(np.eye(3)[int(np.argmin(np.abs(axis)))], axis)
    first = first / np.linalg.norm(first)
    return first, np.cross(axis, first)


def _arrow(gizmo: Gizmo, handle: Handle, viewpoint: Viewpoint, size: Size) -> HandleShape:
    axis = gizmo.axes[:, handle.axis or 0]
    scale = viewpoint.mm_per_px(gizmo.pivot_mm, size)
    steps = np.linspace(ARROW_START_PX, ARROW_PX, 9)[:, None] * scale
    toward = float(axis @ _toward_eye(gizmo.pivot_mm, viewpoint))
    sine = float(np.sqrt(max(0.0, 1.0 - toward * toward)))
    return HandleShape(
        handle=handle,
        points_px=viewpoint.project(gizmo.pivot_mm + steps * axis, size),
        front=np.ones(9, dtype=bool),
        strength=float(np.clip((sine - FADE_SINE[0]) / (FADE_SINE[1] - FADE_SINE[0]), 0.0, 1.0)),
        nearness=toward,
    )


def _centre(gizmo: Gizmo, viewpoint: Viewpoint, size: Size) -> HandleShape:
    return HandleShape(
        handle=Handle.MOVE_SCREEN,
        points_px=viewpoint.project(gizmo.pivot_mm[None], size),
        front=np.ones(1, dtype=bool),
        strength=1.0,
        nearness=0.0,
    )


def _ring(gizmo: Gizmo, handle: Handle, viewpoint: Viewpoint, size: Size) -> HandleShape:
    axis = gizmo.axes[:, handle.axis or 0]
    toward = _toward_eye(gizmo.pivot_mm, viewpoint)
    facing = bool(abs(axis @ toward) > 0.985)
    points, offsets = _circle(gizmo.pivot_mm, axis, RING_PX * viewpoint.mm_per_px(gizmo.pivot_mm, size))
    heights = offsets @ toward
    return HandleShape(
        handle=handle,
        points_px=viewpoint.project(points, size),
        front=np.asarray(heights >= -1e-9) | facing,
        strength=1.0,
        nearness=0.0,
    )


def _screen_ring(gizmo: Gizmo, viewpoint: Viewpoint, size: Size) -> HandleShape:
    toward = _toward_eye(gizmo.pivot_mm, viewpoint)
    radius = VIEW_RING_PX * viewpoint.mm_per_px(gizmo.pivot_mm, size)
    points, _ = _circle(gizmo.pivot_mm, toward, radius)
    return HandleShape(
        handle=Handle.TURN_SCREEN,
        points_px=viewpoint.project(points, size),
        front=np.ones(len(points), dtype=bool),
        strength=1.0,
        nearness=-0.5,
    )


def _circle(
    centre: Float[np.ndarray, "3"], axis: Float[np.ndarray, "3"], radius: float
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    first, second = _across(axis)
    angles = np.linspace(0.0, 2.0 * np.pi, RING_POINTS)
    offsets = np.outer(np.cos(angles), first) + np.outer(np.sin(angles), second)
    return centre + radius * offsets, offsets


def _distance_to_polyline(shape: HandleShape, cursor: Float[np.ndarray, "2"]) -> float:
    """Distance of the cursor from those segments of the polyline that face the viewer."""
    start, end = shape.points_px[:-1], shape.points_px[1:]
    usable = shape.front[:-1] & shape.front[1:] & np.isfinite(start + end).all(axis=1)
    if not usable.any():
        return float("inf")
    start, end = start[usable], end[usable]
    along = end - start
    length2 = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((cursor - start) * along).sum(axis=1) / length2, 0.0, 1.0)
    nearest = start + along * share[:, None]
    return float(np.linalg.norm(nearest - cursor, axis=1).min())
