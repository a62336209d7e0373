"""What the scene shows, held apart from the stage that draws it, and brought to it in one go."""

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from jaxtyping import Float, UInt8

from app.views.scene.image import body_corners_mm, centre_mm, plane_shapes
from app.views.scene.picking import nearest_body
from app.views.scene.stage import Stage
from app.views.scene.values import SceneBody, SceneCamera, SceneEllipsoid
from core.geometry.rigid import Rigid

Point = Float[np.ndarray, "3"]
Pictures = tuple[UInt8[np.ndarray, "h w"] | None, ...]


@final
class SceneContent:
    """The newest cameras, pictures, bodies and poses; only what changed goes to the stage.

    The window can fill it before there is a stage, or when there never will be one.
    """

    def __init__(self) -> None:
        self.cameras: tuple[SceneCamera, ...] = ()
        self.bodies: tuple[SceneBody, ...] = ()
        self.poses: dict[str, Rigid] = {}
        self._pictures: Pictures = ()
        self._ellipsoids: tuple[SceneEllipsoid, ...] = ()
        self._dark = True
        self._focus_mm: Point | None = None
        self._focus_pending = True
        self._changed = {"background", "planes", "pictures", "bodies", "poses", "ellipsoids"}

    def set_cameras(self, cameras: Sequence[SceneCamera]) -> bool:
        """Other X-ray views; pictures are forgotten when their number differs.

        Returns whether the geometry is another (not only names and colours).
        """
        other = [c.view for c in self.cameras] != [c.view for c in cameras]
        self.cameras = tuple(cameras)
        if len(self._pictures) != len(self.cameras):
            self._pictures = (None,) * len(self.cameras)
        self._focus_pending = True
        self._changed |= {"planes", "pictures"}
        return other

    def set_pictures(self, pictures: Sequence[UInt8[np.ndarray, "h w"] | None]) -> None:
        """Other pictures, one a camera."""
        self._pictures = tuple(pictures)
        self._changed.add("pictures")

    def set_bodies(self, bodies: Sequence[SceneBody]) -> bool:
        """Other bodies; returns whether others than before are there (not only other colours)."""
        before = {body.name: body.mesh for body in self.bodies}
        self.bodies = tuple(bodies)
        other = before != {body.name: body.mesh for body in self.bodies}
        self._focus_pending |= other
        self._changed |= {"bodies", "poses"}
        return other

    def set_poses(self, poses: Mapping[str, Rigid]) -> bool:
        """Where the bodies are; returns whether this is the first that is known of new bodies."""
        self.poses = dict(poses)
        self._changed.add("poses")
        first = self._focus_pending and len(self.corners_mm()) > 0
        if first:
            self._plane_focus()
            self._changed.add("planes")
        return first

    def set_ellipsoids(self, ellipsoids: Sequence[SceneEllipsoid]) -> None:
        """Uncertainty ellipsoids."""
        self._ellipsoids = tuple(ellipsoids)
        self._changed.add("ellipsoids")

    def set_background(self, *, dark: bool) -> None:
        """Dark or light."""
        self._dark = dark
        self._changed |= {"background", "bodies", "pictures"}

    @property
    def dark(self) -> bool:
        """Whether the background is dark."""
        return self._dark

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be seen."""
        return not self.cameras and not self.bodies

    def corners_mm(self) -> Float[np.ndarray, "n 3"]:
        """Corners of the boxes of the visible, placed bodies in the world."""
        return body_corners_mm(self.bodies, self.poses)

    def body_at(
        self, origin_mm: Float[np.ndarray, "3"], direction: Float[np.ndarray, "3"]
    ) -> tuple[str, Float[np.ndarray, "3"]] | None:
        """The visible body (no ghost) that a ray meets first, and where; None without one."""
        shown = (
            (body.name, body.mesh, self.poses[body.name])
            for body in self.bodies
            if body.visible and not body.ghost and body.opacity > 0.0 and body.name in self.poses
        )
        return nearest_body(origin_mm, direction, shown)

    def bring_to(self, stage: Stage) -> bool:
        """Hand what changed to the stage; returns whether more than poses and pictures did."""
        changed, self._changed = self._changed, set()
        if "background" in changed:
            stage.set_background(dark=self._dark)
        if "planes" in changed:
            stage.set_planes(plane_shapes(self.cameras, self._plane_focus()))
        if changed & {"planes", "pictures"}:
            stage.set_pictures(self._pictures)
        if "bodies" in changed:
            stage.set_bodies(self.bodies)
        if "poses" in changed:
            stage.set_poses(self.poses)
        if "ellipsoids" in changed:
            stage.set_ellipsoids(self._ellipsoids)
        return bool(changed & {"planes", "bodies", "background"})

    def _plane_focus(self) -> Float[np.ndarray, "3"] | None:
        """Where the bodies were when cameras or bodies were last exchanged: planes do not run after drags."""
        if self._focus_pending:
            self._focus_mm = centre_mm(self.corners_mm())
            self._focus_pending = self._focus_mm is None
        return self._focus_mm
