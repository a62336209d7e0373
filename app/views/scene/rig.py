"""The rig's geometry for drawing: where planes, frusta and sources go, and the preset viewpoints."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from app.views.scene.values import SceneCamera
from app.views.scene.viewpoint import Size, Viewpoint, framing, looking

Preset = Literal["fit", "model", "A", "B", "front", "side", "top"]
PRESETS: tuple[Preset, ...] = ("fit", "model", "A", "B", "front", "side", "top")

BEHIND_BODIES = 1.3
"""A picture plane of unknown detector distance stands this much further from the source than the bodies."""

FIT_ELEVATION_DEG = 30.0
MODEL_ELEVATION_DEG = 18.0


def plane_distance_mm(camera: SceneCamera, focus_mm: Float[np.ndarray, "3"] | None) -> float:
    """Where to draw a camera's picture plane, from its source.

    As asked for by the camera; else the detector's, where that is known; else a little behind the
    bodies; with neither, where a picture is 300 mm high.
    """
    if camera.plane_distance_mm is not None:
        return camera.plane_distance_mm
    detector = camera.view.detector_distance_mm
    if detector is not None:
        return detector
    depth = 0.0 if focus_mm is None else camera.view.depth_mm(focus_mm)
    if depth > 0:
        return BEHIND_BODIES * depth
    return 300.0 * camera.view.focal_px[1] / camera.view.height_px


def rig_focus_mm(cameras: Sequence[SceneCamera]) -> Float[np.ndarray, "3"] | None:
    """The point nearest to all optical axes through the pictures' centres; None without two of them."""
    if len(cameras) < 2:
        return None
    views = [camera.view for camera in cameras]
    centres = [np.array([0.5 * (v.width_px - 1), 0.5 * (v.height_px - 1)]) for v in views]
    directions = np.stack([v.rays_world(c[None])[0] for v, c in zip(views, centres, strict=True)])
    sources = np.stack([v.source_world_mm for v in views])
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    normal = across.sum(axis=0)
    if np.linalg.cond(normal) > 1e8:
        return None
    return np.asarray(np.linalg.solve(normal, (across @ sources[..., None])[..., 0].sum(axis=0)))


def rig_up(cameras: Sequence[SceneCamera]) -> Float[np.ndarray, "3"]:
    """What is up in the scene: the mean of the pictures' up directions (world z without cameras).

    Pictures that are upside down to one another cancel; then the first camera decides.
    """
    if not cameras:
        return np.array([0.0, 0.0, 1.0])
    ups = np.stack([-camera.view.camera_from_world.rotation[1] for camera in cameras])
    mean = ups.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length > 0.1 else ups[0])


def rig_points_mm(cameras: Sequence[SceneCamera], focus_mm: Float[np.ndarray, "3"] | None) -> Float[np.ndarray, "n 3"]:
    """Sources and picture corners of all cameras, for framing."""
    parts = [np.zeros((0, 3))]
    for camera in cameras:
        parts.append(camera.view.source_world_mm[None])
        parts.append(camera.view.corners_world_mm(plane_distance_mm(camera, focus_mm)))
    return np.concatenate(parts)


def preset_viewpoint(
    preset: Preset,
    cameras: Sequence[SceneCamera],
    body_points_mm: Float[np.ndarray, "n 3"],
    size: Size,
    *,
    whole_rig: bool = False,
) -> Viewpoint:
    """The viewpoint of a preset.

    Args:
        preset: fit (whole rig with both sources), model (the bodies), A or B (from that source,
            the picture filling the viewport), front, side or top.
        cameras: the X-ray views, in order A, B.
        body_points_mm: corners of the visible bodies in the world; may be empty.
        size: viewport (width, height).
        whole_rig: front, side and top frame the whole rig instead of the bodies.
    """
    index = {"A": 0, "B": 1}.get(preset)
    focus = _focus(cameras, body_points_mm)
    if index is not None and index < len(cameras):
        return _from_source(cameras[index], focus, size)
    rotation = _preset_orientation(preset, cameras)
    rig = rig_points_mm(cameras, focus)
    wants_rig = preset == "fit" or (whole_rig and preset != "model")
    points = np.concatenate([rig, body_points_mm]) if wants_rig else body_points_mm
    if len(points) == 0:
        points = rig if len(rig) else np.array([[-50.0, -50.0, -50.0], [50.0, 50.0, 50.0]])
    return _framed(points, rotation, size, focus if wants_rig else None)


def _framed(
    points: Float[np.ndarray, "n 3"],
    rotation: Float[np.ndarray, "3 3"],
    size: Size,
    focus: Float[np.ndarray, "3"] | None,
) -> Viewpoint:
    margin = 0.06 if focus is not None else 0.1
    viewpoint = framing(points, rotation, size, margin=margin)
    return viewpoint if focus is None else viewpoint.retargeted(focus)


def _focus(cameras: Sequence[SceneCamera], body_points_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"] | None:
    if len(body_points_mm):
        return np.asarray(0.5 * (body_points_mm.min(axis=0) + body_points_mm.max(axis=0)))
    return rig_focus_mm(cameras)


def _preset_orientation(preset: Preset, cameras: Sequence[SceneCamera]) -> Float[np.ndarray, "3 3"]:
    up = rig_up(cameras)
    forward = _forward(cameras, up)
    if preset == "top":
        return looking(-up, forward)
    if preset == "side":
        return looking(np.cross(up, forward), up)
    degrees = {"fit": FIT_ELEVATION_DEG, "model": MODEL_ELEVATION_DEG}.get(preset, 0.0)
    tilt = np.radians(degrees)
    return looking(forward * np.cos(tilt) - up * np.sin(tilt), up)


def _forward(cameras: Sequence[SceneCamera], up: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """The horizontal direction midway between the optical axes: both pictures are seen from the front."""
    axes = [camera.view.axis_world for camera in cameras]
    candidates = [np.sum(axes, axis=0), *axes] if axes else []
    for candidate in [*candidates, *np.eye(3)]:
        level = candidate - up * (candidate @ up)
        length = float(np.linalg.norm(level))
        if length > 0.2:
            return np.asarray(level / length)
    return np.array([1.0, 0.0, 0.0])


def _from_source(camera: SceneCamera, focus: Float[np.ndarray, "3"] | None, size: Size) -> Viewpoint:
    """The eye in the source: pictures and bodies then coincide exactly as on the detector."""
    view = camera.view
    rotation = view.camera_from_world.rotation
    middle = np.array([0.5 * (view.width_px - 1), 0.5 * (view.height_px - 1)])
    orientation = looking(view.rays_world(middle[None])[0], -rotation[1])
    distance = plane_distance_mm(camera, focus)
    source = view.source_world_mm
    eye_space = (view.corners_world_mm(distance) - source) @ orientation
    slopes = np.abs(eye_space[:, :2] / -eye_space[:, 2:]).max(axis=0) / 0.96
    needed = max(float(slopes[1]), float(slopes[0]) * size[1] / max(size[0], 1.0))
    depth = distance if focus is None else max(view.depth_mm(focus), 1.0)
    start = Viewpoint(
        target_mm=source - orientation[:, 2] * depth,
        world_from_eye=orientation,
        distance_mm=depth,
    )
    return replace(start, angle_deg=float(np.degrees(2.0 * np.arctan(needed))))
