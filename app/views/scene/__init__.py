"""The 3D scene: sources, picture planes and bodies drawn off-screen, an own camera and an own gizmo."""

from app.views.scene.image import render_scene_image
from app.views.scene.values import (
    GizmoMode,
    GizmoMotion,
    SceneBody,
    SceneCamera,
    SceneEllipsoid,
    SceneUnavailableError,
)
from app.views.scene.view import SceneView

__all__ = [
    "GizmoMode",
    "GizmoMotion",
    "SceneBody",
    "SceneCamera",
    "SceneEllipsoid",
    "SceneUnavailableError",
    "SceneView",
    "render_scene_image",
]
