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


@nb.njit(nogil=True, cache=True)
def shadow_on_mask(
    vertices_mm: np.ndarray,
    faces: np.ndarray,
    rotation: np.ndarray,
    translation_mm: np.ndarray,
    lens: np.ndarray,
    mask: np.ndarray,
) -> tuple[float, float, float, float]:
    """A shadow's pixels, its centre (u, v), and the pixels it shares with a mask of the picture's size.

    ``rotation`` and ``translation_mm`` lead from the body to the camera; ``lens`` is (fx, fy, cx, cy) in pixels.
    All is 0 where a vertex reaches behind the source.
    """
    pixels = np.empty((len(vertices_mm), 2))
    for i in range(len(vertices_mm)):
        x, y, z = vertices_mm[i, 0], vertices_mm[i, 1], vertices_mm[i, 2]
        depth = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z + translation_mm[2]
        if depth < 1.0:
            return 0.0, 0.0, 0.0, 0.0
        for k in range(2):
            across = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z + translation_mm[k]
            pixels[i, k] = across / depth * lens[k] + lens[2 + k]
    covered = np.zeros(mask.shape, dtype=np.bool_)
    _cover(pixels, faces, covered)
    count, columns, rows, common = 0.0, 0.0, 0.0, 0.0
    for v in range(mask.shape[0]):
        for u in range(mask.shape[1]):
            if covered[v, u]:
                count += 1.0
                columns += u
                rows += v
                if mask[v, u]:
                    common += 1.0
    if count == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    return count, columns / count, rows / count, common


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
