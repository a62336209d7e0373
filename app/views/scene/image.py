"""The scene as one picture, without a window: for the command line and for reports."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from app.views.scene.rig import Preset, plane_distance_mm, preset_viewpoint
from app.views.scene.smoothing import JITTERS_PX, Mean
from app.views.scene.stage import PlaneShape, Stage
from app.views.scene.values import SceneBody, SceneCamera
from app.views.scene.viewpoint import Viewpoint
from core.errors import DuoscopeError
from core.geometry.rigid import Rigid

MARKER_SHARE = 0.011
"""Radius of a source marker as a share of the distance from source to picture."""


def plane_shapes(cameras: Sequence[SceneCamera], focus_mm: Float[np.ndarray, "3"] | None) -> tuple[PlaneShape, ...]:
    """The cameras as geometry to be drawn, around the point where the bodies are."""
    shapes = []
    for camera in cameras:
        distance = plane_distance_mm(camera, focus_mm)
        shape = PlaneShape(
            name=camera.name,
            colour=camera.colour,
            source_mm=camera.view.source_world_mm,
            corners_mm=camera.view.corners_world_mm(distance),
            marker_mm=MARKER_SHARE * distance,
        )
        shapes.append(shape)
    return tuple(shapes)


def body_corners_mm(bodies: Sequence[SceneBody], poses: Mapping[str, Rigid]) -> Float[np.ndarray, "n 3"]:
    """Corners of the boxes around all visible bodies that have a pose, in the world."""
    parts = [np.zeros((0, 3))]
    for body in bodies:
        if body.visible and body.name in poses:
            box = np.stack(body.mesh.corners_mm)
            corners = np.stack(np.meshgrid(*box.T, indexing="ij"), axis=-1).reshape(-1, 3)
            parts.append(poses[body.name].apply(corners))
    return np.concatenate(parts)


def centre_mm(points_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"] | None:
    """Middle of the box around points; None without points."""
    if len(points_mm) == 0:
        return None
    return np.asarray(0.5 * (points_mm.min(axis=0) + points_mm.max(axis=0)))


def render_scene_image(
    cameras: Sequence[SceneCamera],
    pictures: Sequence[UInt8[np.ndarray, "h w"] | None],
    bodies: Sequence[SceneBody],
    poses: Mapping[str, Rigid],
    width: int,
    height: int,
    *,
    preset: Preset = "fit",
    dark: bool = True,
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw the 3D scene into an RGB picture of exactly the asked size; no window, no Qt.

    Raises:
        SceneUnavailableError: this computer offers no OpenGL.
        DuoscopeError: a size that no picture can have.
    """
    if not (1 <= width <= 16384 and 1 <= height <= 16384):
        raise DuoscopeError(f"a picture of the scene needs 1 to 16384 pixels a side, got {width} x {height}")
    corners = body_corners_mm(bodies, poses)
    stage = Stage()
    try:
        stage.set_background(dark=dark)
        stage.set_planes(plane_shapes(cameras, centre_mm(corners)))
        stage.set_pictures(pictures)
        stage.set_bodies(bodies)
        stage.set_poses(poses)
        viewpoint = preset_viewpoint(preset, cameras, corners, (width, height))
        ratio = max(1.0, min(width, height) / 900.0)
        return _smooth(stage, viewpoint, width, height, ratio)
    finally:
        stage.close()


def _smooth(
    stage: Stage, viewpoint: Viewpoint, width: int, height: int, pixel_ratio: float
) -> UInt8[np.ndarray, "height width 3"]:
    mean = Mean()
    for jitter in JITTERS_PX:
        drawn = stage.render(viewpoint, width, height, pixel_ratio=pixel_ratio, jitter_px=jitter)
        picture = mean.add(drawn[..., :3])
    return np.ascontiguousarray(picture)
