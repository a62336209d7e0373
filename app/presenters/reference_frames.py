"""Six numbers of a pose in a chosen frame of reference, and back; steps, locks and uncertainty in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from core.geometry.manipulation import AxisLocks, with_locks
from core.geometry.rigid import Rigid
from core.geometry.view import View

Vector = Float[np.ndarray, "3"]
NAMES = ("x", "y", "z", "rx", "ry", "rz")
KEYS = ("world", "view A", "view B", "body")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceFrame:
    """How a pose is turned into numbers.

    ``frame_from_world`` for the world and the views; for the body it is ``base_from_world`` of the pose
    that the body had when the frame was opened, so that the numbers are the change since then.
    """

    frame_from_world: Rigid
    order: str

    def values(self, pose: Rigid) -> tuple[float, ...]:
        """x, y, z of the body's origin (mm) and the Euler angles about x, y, z (deg)."""
        seen = self.frame_from_world @ pose
        angles = seen.euler_deg(self.order)
        turns = [float(angles[self.order.index(letter)]) for letter in "XYZ"]
        return (*map(float, seen.translation_mm), *turns)

    def pose(self, values: Sequence[float]) -> Rigid:
        """The pose of six numbers."""
        angles = [values[3 + "XYZ".index(letter)] for letter in self.order]
        seen = Rigid.from_euler(angles, np.asarray(values[:3], dtype=np.float64), self.order)
        return self.frame_from_world.inverse() @ seen

    def with_value(self, pose: Rigid, index: int, value: float) -> Rigid:
        """The pose with one number replaced and the other five kept."""
        values = list(self.values(pose))
        values[index] = value
        return self.pose(values)

    def stepped(self, pose: Rigid, index: int, step: float, pivot_body_mm: Vector) -> Rigid:
        """One number changed by a step; turns leave the pivot where it is."""
        values = list(self.values(pose))
        values[index] += step
        moved = self.pose(values)
        if index < 3:
            return moved
        pivot = pivot_body_mm[None]
        return moved.shifted(pose.apply(pivot)[0] - moved.apply(pivot)[0])

    @property
    def axes_world(self) -> Float[np.ndarray, "3 3"]:
        """The axes x, y, z as columns, in the world."""
        return self.frame_from_world.rotation.T

    def locked_motion(self, base: Rigid, moved: Rigid, pivot_body_mm: Vector, locked: Sequence[bool]) -> Rigid:
        """The movement from base to moved without its components along and about locked axes."""
        locks = AxisLocks(move=(locked[0], locked[1], locked[2]), turn=(locked[3], locked[4], locked[5]))
        return with_locks(base, moved, base.apply(pivot_body_mm[None])[0], self.axes_world, locks)

    def deviations(self, covariance: Float[np.ndarray, "6 6"]) -> tuple[float, ...]:
        """One standard deviation along (mm) and about (deg) the axes, of a twist along the world's axes."""
        axes = self.axes_world
        along = np.sqrt(np.diag(axes.T @ covariance[:3, :3] @ axes).clip(min=0.0))
        about = np.degrees(np.sqrt(np.diag(axes.T @ covariance[3:, 3:] @ axes).clip(min=0.0)))
        return (*map(float, along), *map(float, about))


def reference_frame(key: str, views: Sequence[View], base: Rigid, order: str) -> ReferenceFrame:
    """The frame of a key (world, view A, view B, body); a missing view B means view A."""
    if key == "body":
        return ReferenceFrame(frame_from_world=base.inverse(), order=order)
    if key in {"view A", "view B"} and views:
        view = views[min(KEYS.index(key) - 1, len(views) - 1)]
        return ReferenceFrame(frame_from_world=view.camera_from_world, order=order)
    return ReferenceFrame(frame_from_world=Rigid.identity(), order=order)


def explained(key: str) -> tuple[str, ...]:
    """What the six rows mean in a frame."""
    if key == "body":
        return tuple(f"change {how} the body's {axis}" for how in ("along", "about") for axis in "xyz")
    if key == "world":
        return tuple(f"{how} {axis} of the world" for how in ("position along", "turn about") for axis in "xyz")
    names = ("x (right)", "y (down)", "z (away from the source)")
    return tuple(f"{how} {key}'s {name}" for how in ("position along", "turn about") for name in names)
