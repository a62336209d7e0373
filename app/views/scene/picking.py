"""Which body a ray meets first: ray against triangles in numpy, no OpenGL needed."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid

PARALLEL = 1e-12


def ray_meets_mesh(
    origin_mm: Float[np.ndarray, "3"], direction: Float[np.ndarray, "3"], mesh: TriangleMesh
) -> float | None:
    """Distance (in units of the direction) to the first triangle in front of the origin, or None.

    Moeller & Trumbore 1997, all triangles at once, both sides.
    """
    if not _meets_box(origin_mm, direction, mesh):
        return None
    corners = mesh.vertices_mm[mesh.faces]
    start = corners[:, 0]
    first, second = corners[:, 1] - start, corners[:, 2] - start
    across = np.cross(direction, second)
    determinant = np.einsum("ij,ij->i", first, across)
    usable = np.abs(determinant) > PARALLEL
    scale = 1.0 / np.where(usable, determinant, 1.0)
    offset = origin_mm - start
    u = np.einsum("ij,ij->i", offset, across) * scale
    normal = np.cross(offset, first)
    v = normal @ direction * scale
    distance = np.einsum("ij,ij->i", second, normal) * scale
    hit = usable & (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)
    return float(distance[hit].min()) if hit.any() else None


def nearest_body(
    origin_mm: Float[np.ndarray, "3"],
    direction: Float[np.ndarray, "3"],
    bodies: Iterable[tuple[str, TriangleMesh, Rigid]],
) -> tuple[str, Float[np.ndarray, "3"]] | None:
    """Name of the body met first by a world ray and the point where it is met, or None."""
    best: tuple[float, str] | None = None
    for name, mesh, world_from_body in bodies:
        body_from_world = world_from_body.inverse()
        distance = ray_meets_mesh(
            body_from_world.apply(np.asarray(origin_mm)[None])[0],
            body_from_world.rotate(np.asarray(direction)[None])[0],
            mesh,
        )
        if distance is not None and (best is None or distance < best[0]):
            best = (distance, name)
    if best is None:
        return None
    return best[1], np.asarray(origin_mm + np.asarray(direction) * best[0])


def _meets_box(origin: Float[np.ndarray, "3"], direction: Float[np.ndarray, "3"], mesh: TriangleMesh) -> bool:
    low, high = mesh.corners_mm
    safe = np.where(np.abs(direction) > PARALLEL, direction, PARALLEL)
    first, second = (low - origin) / safe, (high - origin) / safe
    enter = float(np.minimum(first, second).max())
    leave = float(np.maximum(first, second).min())
    return leave >= max(enter, 0.0)
