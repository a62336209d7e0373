"""The moments of a surface in the box of a picture that its shadow can reach.

A **box** is (left, top, width, height) in pixels of a cut. Empty pixels surround the shadow in it, as many as its user
needs, unless the cut ends there.
"""

import numba as nb
import numpy as np

from core.rendering.moment_raster import accumulate_faces, project_vertices


@nb.njit(nogil=True, cache=True, error_model="numpy")
def move_vertices(vertices_mm: np.ndarray, rotation: np.ndarray, translation_mm: np.ndarray, out: np.ndarray) -> float:
    """Camera-frame vertices (n, 3); returns the least depth."""
    nearest = np.inf
    for i in range(vertices_mm.shape[0]):
        x, y, z = vertices_mm[i, 0], vertices_mm[i, 1], vertices_mm[i, 2]
        for k in range(3):
            out[i, k] = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z + translation_mm[k]
        nearest = min(nearest, out[i, 2])
    return nearest


@nb.njit(nogil=True, cache=True, error_model="numpy")
def box_around(bounds: np.ndarray, supersample: int, margin: int, width: int, height: int) -> np.ndarray:
    """The box around fine pixels ``bounds`` = (left, top, right, bottom), ends not included, within the cut."""
    box = np.zeros(4, dtype=np.int64)
    if bounds[2] <= bounds[0] or bounds[3] <= bounds[1]:
        return box
    left = max(bounds[0] // supersample - margin, 0)
    top = max(bounds[1] // supersample - margin, 0)
    right = min(-(-bounds[2] // supersample) + margin, width)
    bottom = min(-(-bounds[3] // supersample) + margin, height)
    if right > left and bottom > top:
        box[0], box[1], box[2], box[3] = left, top, right - left, bottom - top
    return box


@nb.njit(nogil=True, cache=True, error_model="numpy")
def draw_surface(
    vertices_mm: np.ndarray,
    faces: np.ndarray,
    camera_from_world: tuple[np.ndarray, np.ndarray],
    world_from_body: tuple[np.ndarray, np.ndarray],
    depth_mm: float,
    lens: np.ndarray,
    size: tuple[int, int],
    supersample: int,
    margin: int,
    nearest_mm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Box and moments (h s, w s, 2) of a surface within a cut of ``size`` = (width, height).

    ``lens`` is that of the supersampled grid. The box is empty where nothing is seen and where a vertex is nearer to
    the source than ``nearest_mm``.
    """
    count = vertices_mm.shape[0]
    turn, shift = camera_from_world
    rotation = np.zeros((3, 3))
    translation = np.zeros(3)
    for i in range(3):
        translation[i] = shift[i]
        for k in range(3):
            translation[i] += turn[i, k] * world_from_body[1][k]
            for j in range(3):
                rotation[i, j] += turn[i, k] * world_from_body[0][k, j]
    camera = np.empty((count, 3))
    bounds = np.zeros(4, dtype=np.int64)
    nearest = move_vertices(vertices_mm, rotation, translation, camera)
    if nearest > nearest_mm:
        columns, rows = np.empty(count), np.empty(count)
        ceilings = np.empty((count, 2), dtype=np.int32)
        project_vertices(camera, lens, columns, rows, ceilings)
        bounds[:2] = 1 << 30
        bounds[2:] = -(1 << 30)
        for i in range(count):
            for k in range(2):
                bounds[k] = min(bounds[k], ceilings[i, k])
                bounds[2 + k] = max(bounds[2 + k], ceilings[i, k])
    box = box_around(bounds, supersample, margin, size[0], size[1])
    moments = np.zeros((box[3] * supersample, box[2] * supersample, 2), dtype=np.float32)
    if moments.size:
        inner = lens.copy()
        left, top = box[0] * supersample, box[1] * supersample
        inner[2] -= left
        inner[3] -= top
        for i in range(count):
            columns[i] -= left
            rows[i] -= top
            ceilings[i, 0] -= left
            ceilings[i, 1] -= top
        accumulate_faces(camera, faces, columns, rows, ceilings, inner, depth_mm, moments)
    return box, moments
