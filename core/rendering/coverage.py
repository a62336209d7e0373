"""Which pixels a surface covers, open or closed, and how far two silhouettes lie apart."""

import math

import numba as nb
import numpy as np
from jaxtyping import Bool

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import View


@nb.njit(nogil=True, cache=True)
def _cover(pixels: np.ndarray, faces: np.ndarray, covered: np.ndarray) -> None:
    height, width = covered.shape
    for face in range(faces.shape[0]):
        p, q, r = pixels[faces[face, 0]], pixels[faces[face, 1]], pixels[faces[face, 2]]
        area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        if area == 0.0:
            continue
        top = max(math.ceil(min(p[1], q[1], r[1])), 0)
        bottom = min(math.floor(max(p[1], q[1], r[1])), height - 1)
        left = max(math.ceil(min(p[0], q[0], r[0])), 0)
        right = min(math.floor(max(p[0], q[0], r[0])), width - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                a = ((q[0] - x) * (r[1] - y) - (q[1] - y) * (r[0] - x)) / area
                b = ((r[0] - x) * (p[1] - y) - (r[1] - y) * (p[0] - x)) / area
                if a >= 0.0 and b >= 0.0 and a + b <= 1.0:
                    covered[y, x] = True


def coverage(mesh: TriangleMesh, view: View, world_from_body: Rigid) -> Bool[np.ndarray, "h w"]:
    """Pixels whose centre the surface covers; needs no closedness."""
    covered = np.zeros((view.height_px, view.width_px), dtype=bool)
    _cover(view.project(world_from_body.apply(mesh.vertices_mm)), mesh.faces, covered)
    return covered


def silhouette_change_mm(before: TriangleMesh, after: TriangleMesh) -> float:
    """Mean distance between the silhouettes of two surfaces, worst of three orthogonal directions.

    The area in which the two differ, over the outline's length, seen from one metre at a quarter of a
    millimetre a pixel.
    """
    worst = 0.0
    distance_mm, pixel_mm = 1000.0, 0.25
    size = math.ceil(1.6 * float(np.linalg.norm(before.extent_mm)) / pixel_mm) + 8
    for axes in (np.eye(3), np.eye(3)[[1, 2, 0]], np.eye(3)[[2, 0, 1]]):
        view = View(
            name="silhouette",
            camera_from_world=Rigid(
                rotation=axes, translation_mm=np.array([0, 0, distance_mm]) - axes @ before.centre_mm
            ),
            focal_px=(distance_mm / pixel_mm, distance_mm / pixel_mm),
            principal_px=((size - 1) / 2, (size - 1) / 2),
            width_px=size,
            height_px=size,
        )
        first, second = (coverage(mesh, view, Rigid.identity()) for mesh in (before, after))
        outline = int((first ^ np.roll(first, 1, 0)).sum() + (first ^ np.roll(first, 1, 1)).sum())
        worst = max(worst, float((first ^ second).sum()) / max(outline, 1) * pixel_mm)
    return worst
