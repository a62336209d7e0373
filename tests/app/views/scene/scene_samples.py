"""A small biplane rig with two different boxes, for the tests of the 3D scene."""

import numpy as np

from app.views.scene import SceneBody, SceneCamera
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View

SIZE = (640, 480)


def camera(name: str, turn_deg: float, colour: str, **changes) -> SceneCamera:
    """Looks at the origin from 1000 mm away, horizontally; world z is up, picture y down."""
    angle = np.radians(turn_deg)
    axis = np.array([np.cos(angle), np.sin(angle), 0.0])
    rotation = np.stack([np.cross([0.0, 0.0, -1.0], axis), [0.0, 0.0, -1.0], axis])
    view = View(
        name=name,
        camera_from_world=Rigid(rotation=rotation, translation_mm=rotation @ (1000.0 * axis)),
        focal_px=(1500.0, 1500.0),
        principal_px=(255.5, 199.5),
        width_px=512,
        height_px=400,
        **changes,
    )
    return SceneCamera(name=name, view=view, colour=colour)


def cameras() -> tuple[SceneCamera, SceneCamera]:
    return camera("A", 0.0, "#4c9be8"), camera("B", 75.0, "#f0a030")


def box(x: float, y: float, z: float) -> TriangleMesh:
    """A closed box around the origin with faces wound outward."""
    corners = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * 0.5 * [x, y, z]
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    return TriangleMesh(vertices_mm=corners, faces=np.array(faces))


def bodies() -> tuple[SceneBody, SceneBody]:
    return (
        SceneBody(name="femur", mesh=box(40, 60, 30), colour="#ff0000"),
        SceneBody(name="tibia", mesh=box(50, 50, 25), colour="#00ff00"),
    )


def poses() -> dict[str, Rigid]:
    return {
        "femur": Rigid.from_euler([10, 20, 30], [0, 0, 30]),
        "tibia": Rigid.from_euler([0, 0, 0], [5, 5, -25]),
    }


def picture(shade: int = 128) -> np.ndarray:
    return np.full((400, 512), shade, dtype=np.uint8)
