"""The scene's camera as a frozen value: orbit, pan, zoom at a point, frame points, project and cast rays.

No OpenGL and no Qt here: the gizmo, the picking and the drawn picture share this one camera.
Screen points are (x, y) in widget pixels from the top left corner of a viewport (width, height).
"""

from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from jaxtyping import Float

from core.geometry.rigid import nearest_rotation, so3_exp

DEFAULT_ANGLE_DEG = 30.0
"""Vertical view angle unless a preset needs another: little perspective, still depth to be seen."""

NEAREST_MM = 1.0
FARTHEST_MM = 1e6
LEAST_FRAMED_MM = 20.0
"""Framing comes no closer than this to the nearest point."""
POLE_RAD = 1e-3
"""How close to straight up or down an orbit may come, so that the picture never flips over."""

Size = tuple[float, float]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Viewpoint:
    """Where the scene is looked at from.

    ``world_from_eye`` has the columns right, up and back (toward the viewer); the eye is
    ``distance_mm`` behind the target.
    """

    target_mm: Float[np.ndarray, "3"]
    world_from_eye: Float[np.ndarray, "3 3"]
    distance_mm: float
    angle_deg: float = DEFAULT_ANGLE_DEG

    @property
    def right(self) -> Float[np.ndarray, "3"]:
        """Unit vector to the right of the screen, in the world."""
        return self.world_from_eye[:, 0]

    @property
    def up(self) -> Float[np.ndarray, "3"]:
        """Unit vector to the top of the screen, in the world."""
        return self.world_from_eye[:, 1]

    @property
    def back(self) -> Float[np.ndarray, "3"]:
        """Unit vector out of the screen toward the viewer, in the world."""
        return self.world_from_eye[:, 2]

    @property
    def eye_mm(self) -> Float[np.ndarray, "3"]:
        """Where the eye is."""
        return np.asarray(self.target_mm + self.back * self.distance_mm)

    def depth_mm(self, points_mm: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """Distance of points from the eye's plane along the viewing direction."""
        return np.asarray((self.eye_mm - np.asarray(points_mm)) @ self.back)

    def focal_px(self, size: Size) -> float:
        """Focal length in pixels for a viewport."""
        return 0.5 * size[1] / float(np.tan(0.5 * np.radians(self.angle_deg)))

    def mm_per_px(self, point_mm: Float[np.ndarray, "3"], size: Size) -> float:
        """Size of a screen pixel at the depth of a point (at least at the nearest depth)."""
        return max(float(self.depth_mm(point_mm)), NEAREST_MM) / self.focal_px(size)

    def project(self, points_mm: Float[np.ndarray, "*n 3"], size: Size) -> Float[np.ndarray, "*n 2"]:
        """Screen points of world points; NaN for points at or behind the eye."""
        seen = (np.asarray(points_mm, dtype=np.float64) - self.eye_mm) @ self.world_from_eye
        depth = np.where(-seen[..., 2:] > 1e-6, -seen[..., 2:], np.nan)
        flat = seen[..., :2] / depth * self.focal_px(size)
        return np.asarray(flat * [1.0, -1.0] + [0.5 * size[0], 0.5 * size[1]])

    def ray(self, at_px: Float[np.ndarray, "2"], size: Size) -> Float[np.ndarray, "3"]:
        """Unit direction from the eye through a screen point."""
        x, y = np.asarray(at_px, dtype=np.float64) - (0.5 * size[0], 0.5 * size[1])
        direction = self.world_from_eye @ [x, -y, -self.focal_px(size)]
        return np.asarray(direction / np.linalg.norm(direction))

    def point_at(
        self, at_px: Float[np.ndarray, "2"], like_mm: Float[np.ndarray, "3"], size: Size
    ) -> Float[np.ndarray, "3"]:
        """The world point under a screen point at the same depth as another point."""
        ray = self.ray(at_px, size)
        depth = max(float(self.depth_mm(like_mm)), NEAREST_MM)
        return np.asarray(self.eye_mm + ray * (depth / -float(ray @ self.back)))

    def orbited(
        self,
        azimuth_rad: float,
        elevation_rad: float,
        pivot_mm: Float[np.ndarray, "3"],
        world_up: Float[np.ndarray, "3"],
    ) -> Self:
        """Walk around a pivot like a turntable: about the world's up, then about the screen's right.

        The elevation stops at the poles, so up stays up and the picture never rolls over.
        """
        around = so3_exp(np.asarray(world_up) * azimuth_rad)
        turned = around @ self.world_from_eye
        polar = float(np.arccos(np.clip(turned[:, 2] @ world_up, -1.0, 1.0)))
        allowed = np.clip(polar - elevation_rad, min(polar, POLE_RAD), max(polar, np.pi - POLE_RAD))
        raised = so3_exp(turned[:, 0] * (float(allowed) - polar))
        turn = raised @ around
        return replace(
            self,
            target_mm=turn @ (self.target_mm - pivot_mm) + pivot_mm,
            world_from_eye=nearest_rotation(turn @ self.world_from_eye),
        )

    def panned(self, from_px: Float[np.ndarray, "2"], to_px: Float[np.ndarray, "2"], size: Size) -> Self:
        """Shift sideways so that what was under one screen point (at the target's depth) is under another."""
        before = self.point_at(from_px, self.target_mm, size)
        after = self.point_at(to_px, self.target_mm, size)
        return replace(self, target_mm=self.target_mm + before - after)

    def zoomed(self, factor: float, keep_mm: Float[np.ndarray, "3"]) -> Self:
        """Come closer by a factor; the kept point stays exactly where it is on the screen."""
        distance = float(np.clip(self.distance_mm / factor, NEAREST_MM, FARTHEST_MM))
        ratio = distance / self.distance_mm
        return replace(
            self,
            target_mm=np.asarray(keep_mm) + (self.target_mm - keep_mm) * ratio,
            distance_mm=distance,
        )

    def retargeted(self, point_mm: Float[np.ndarray, "3"]) -> Self:
        """The same picture with the target moved along the viewing axis to the depth of a point."""
        depth = float(np.clip(self.depth_mm(point_mm), NEAREST_MM, FARTHEST_MM))
        return replace(self, target_mm=self.eye_mm - self.back * depth, distance_mm=depth)


def looking(direction: Float[np.ndarray, "3"], up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """The orientation (columns right, up, back) that looks along a direction.

    An up along the direction is replaced by the world axis furthest from it.
    """
    back = -np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    right = np.cross(up, back)
    if np.linalg.norm(right) < 1e-6:
        right = np.cross(np.eye(3)[int(np.argmin(np.abs(back)))], back)
    right = right / np.linalg.norm(right)
    return np.stack([right, np.cross(back, right), back], axis=1)


def framing(
    points_mm: Float[np.ndarray, "n 3"],
    world_from_eye: Float[np.ndarray, "3 3"],
    size: Size,
    angle_deg: float = DEFAULT_ANGLE_DEG,
    margin: float = 0.06,
) -> Viewpoint:
    """The closest viewpoint with the given orientation that sees all points, with a margin around.

    Each point must lie inside the four sides of the view pyramid: ``|x - ex| <= t (ez - z)`` with
    the tangent t of the half angle; the smallest ez that satisfies all of them is linear.
    """
    seen = np.asarray(points_mm, dtype=np.float64) @ world_from_eye
    tangent_y = np.tan(0.5 * np.radians(angle_deg)) * (1.0 - 2.0 * margin)
    tangent_x = tangent_y * size[0] / max(size[1], 1.0)
    eye = np.zeros(3)
    for axis, tangent in ((0, tangent_x), (1, tangent_y)):
        high = float((seen[:, axis] + tangent * seen[:, 2]).max())
        low = float((-seen[:, axis] + tangent * seen[:, 2]).max())
        eye[axis] = 0.5 * (high - low)
        needed = (high + low) / (2.0 * tangent)
        eye[2] = needed if axis == 0 else max(eye[2], needed)
    eye[2] = max(eye[2], float(seen[:, 2].max()) + LEAST_FRAMED_MM)
    centre = 0.5 * (seen.min(axis=0) + seen.max(axis=0))
    distance = float(np.clip(eye[2] - centre[2], 10.0, FARTHEST_MM))
    target = np.array([eye[0], eye[1], eye[2] - distance])
    return Viewpoint(
        target_mm=world_from_eye @ target,
        world_from_eye=world_from_eye,
        distance_mm=distance,
        angle_deg=angle_deg,
    )
