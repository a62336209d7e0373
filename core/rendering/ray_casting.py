"""The plain reference for path length: every ray against every triangle under it, exactly and in float64.

Nothing is shared with the fast raster, which is tested against this. A ray is one pixel (or subpixel)
centre; a triangle is hit when the centre lies inside its projection, and the signed depths of all hits
add up to the length of material. The inside test has an exact sign (error-free products), and a centre
on an edge or a vertex is moved by an infinitesimal to one side, the same for all triangles ("simulation
of simplicity", Edelsbrunner & Muecke 1990). So a ray through a closed surface always leaves it as often
as it enters.
"""

import math

import numba as nb
import numpy as np
from jaxtyping import Float

from core.errors import GeometryError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View

_SPLITTER = 134217729.0
"""2^27 + 1: cuts a float64 into two halves whose products are exact (Dekker 1971)."""


def path_length_reference(
    mesh: TriangleMesh, view: View, world_from_body: Rigid, supersample: int = 1
) -> Float[np.ndarray, "h w"]:
    """Millimetres of material along the ray of every pixel centre.

    With ``supersample`` = s each pixel is the mean over s x s rays spread evenly over its area.
    Surfaces that are not closed give signed nonsense under their holes.

    Raises:
        GeometryError: a part of the surface lies behind the source, or supersample is not positive.
    """
    if supersample < 1:
        raise GeometryError(f"supersample must be 1 or more, got {supersample}")
    height, width = view.height_px, view.width_px
    fine = view.scaled(width * supersample, height * supersample) if supersample > 1 else view
    corners = camera_triangles(mesh, fine, world_from_body)
    lens = np.array([*fine.focal_px, *fine.principal_px])
    drawn = np.zeros((fine.height_px, fine.width_px))
    _cast(*corners, mesh.faces, lens, drawn)
    drawn *= _ray_lengths(fine)
    return drawn.reshape(height, supersample, width, supersample).mean(axis=(1, 3))


def path_length_and_derivatives(
    mesh: TriangleMesh, view: View, world_from_body: Rigid, pivot_body_mm: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "h w 7"]:
    """Path length of every pixel centre's ray, and its derivative with respect to the pose, both exact.

    A hit at ``X = z d`` of a face with the normal n moves, when the body moves with ``v + w x (X - p)``, by
    ``dz = n . (v + w x (X - p)) / (n . d)``; its ray stays. The derivative is exact wherever no edge of the
    surface crosses the ray, which is almost everywhere, and it has no bound near silhouettes: pictures of
    metal sampled at pixel centres have poor derivatives, which is why the registration draws with moments.

    Channels: mm; then mm a mm of the pivot's shift along the world's axes, and mm a radian about them.

    Raises:
        GeometryError: a part of the surface lies behind the source.
    """
    corners = camera_triangles(mesh, view, world_from_body)
    lens = np.array([*view.focal_px, *view.principal_px])
    pivot_mm = (view.camera_from_world @ world_from_body).apply(np.asarray(pivot_body_mm, dtype=np.float64)[None])[0]
    drawn = np.zeros((view.height_px, view.width_px, 7))
    _cast_derivatives(*corners, mesh.faces, lens, pivot_mm, drawn)
    drawn *= _ray_lengths(view)[..., None]
    turn = view.camera_from_world.rotation
    drawn[..., 1:4] = drawn[..., 1:4] @ turn
    drawn[..., 4:7] = drawn[..., 4:7] @ turn
    return drawn


def camera_triangles(
    mesh: TriangleMesh, view: View, world_from_body: Rigid
) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 2"]]:
    """Vertices in the camera frame (mm) and their pixels.

    Raises:
        GeometryError: a part of the surface lies behind the source.
    """
    vertices = np.ascontiguousarray((view.camera_from_world @ world_from_body).apply(mesh.vertices_mm))
    if vertices[np.unique(mesh.faces), 2].min() <= NEAREST_DEPTH_MM:
        raise GeometryError(f"the body lies partly behind the X-ray source of view {view.name!r}; check its pose")
    return vertices, np.ascontiguousarray(view.project_camera(vertices))


def _ray_lengths(view: View) -> Float[np.ndarray, "h w"]:
    """|(x, y, 1)|: millimetres along each ray per millimetre of depth."""
    x = (np.arange(view.width_px) - view.principal_px[0]) / view.focal_px[0]
    y = (np.arange(view.height_px) - view.principal_px[1]) / view.focal_px[1]
    return np.sqrt(1.0 + x[None, :] ** 2 + y[:, None] ** 2)


@nb.njit(nogil=True, cache=True)
def _product_error(a: float, b: float, product: float) -> float:
    """What rounding took from ``a * b``: ``a b = product + error`` exactly (Dekker 1971)."""
    cut = _SPLITTER * a
    a_high = cut - (cut - a)
    a_low = a - a_high
    cut = _SPLITTER * b
    b_high = cut - (cut - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@nb.njit(nogil=True, cache=True)
def _side(ax: float, ay: float, bx: float, by: float) -> int:
    """Side of the line a -> b on which the origin lies (exact); ties as if it were at (e, e^2)."""
    left, right = ax * by, ay * bx
    if left > right:
        return 1
    if left < right:
        return -1
    left_error, right_error = _product_error(ax, by, left), _product_error(ay, bx, right)
    if left_error != right_error:
        return 1 if left_error > right_error else -1
    if ay != by:
        return 1 if ay > by else -1
    if ax != bx:
        return 1 if bx > ax else -1
    return 0


@nb.njit(nogil=True, cache=True)
def _hit(triangle: np.ndarray, u: float, v: float) -> int:
    """Orientation (+1, -1) of a projected triangle around the pixel (u, v), or 0 if it is outside."""
    ax, ay = triangle[0, 0] - u, triangle[0, 1] - v
    bx, by = triangle[1, 0] - u, triangle[1, 1] - v
    first = _side(ax, ay, bx, by)
    if first == 0:
        return 0
    cx, cy = triangle[2, 0] - u, triangle[2, 1] - v
    if _side(bx, by, cx, cy) != first or _side(cx, cy, ax, ay) != first:
        return 0
    return first


@nb.njit(nogil=True, cache=True)
def _depth(corners: np.ndarray, x: float, y: float) -> float:
    """Depth at which the ray (x, y, 1) from the origin meets a triangle's plane (Moeller & Trumbore 1997).

    Kept within the triangle's own depths, which bounds the error on triangles seen edge-on.
    """
    ax, ay, az = corners[0, 0], corners[0, 1], corners[0, 2]
    e1x, e1y, e1z = corners[1, 0] - ax, corners[1, 1] - ay, corners[1, 2] - az
    e2x, e2y, e2z = corners[2, 0] - ax, corners[2, 1] - ay, corners[2, 2] - az
    px, py, pz = y * e2z - e2y, e2x - x * e2z, x * e2y - y * e2x
    determinant = e1x * px + e1y * py + e1z * pz
    nearest = min(az, corners[1, 2], corners[2, 2])
    farthest = max(az, corners[1, 2], corners[2, 2])
    if determinant == 0.0:
        return 0.5 * (nearest + farthest)
    qx, qy, qz = e1y * az - e1z * ay, e1z * ax - e1x * az, e1x * ay - e1y * ax
    depth = (e2x * qx + e2y * qy + e2z * qz) / determinant
    return float(min(max(depth, nearest), farthest))


@nb.njit(nogil=True, cache=True)
def _cast(vertices: np.ndarray, pixels: np.ndarray, faces: np.ndarray, lens: np.ndarray, drawn: np.ndarray) -> None:
    """Add the signed depths of all hits: exits count up, entries down."""
    height, width = drawn.shape
    level = vertices[faces[0, 0], 2]
    corners = np.empty((3, 3))
    flat = np.empty((3, 2))
    for face in range(faces.shape[0]):
        for k in range(3):
            corners[k] = vertices[faces[face, k]]
            flat[k] = pixels[faces[face, k]]
        left = max(math.ceil(min(flat[0, 0], flat[1, 0], flat[2, 0])), 0)
        right = min(math.floor(max(flat[0, 0], flat[1, 0], flat[2, 0])), width - 1)
        top = max(math.ceil(min(flat[0, 1], flat[1, 1], flat[2, 1])), 0)
        bottom = min(math.floor(max(flat[0, 1], flat[1, 1], flat[2, 1])), height - 1)
        for row in range(top, bottom + 1):
            y = (row - lens[3]) / lens[1]
            for column in range(left, right + 1):
                side = _hit(flat, float(column), float(row))
                if side != 0:
                    x = (column - lens[2]) / lens[0]
                    drawn[row, column] += side * (_depth(corners, x, y) - level)


@nb.njit(nogil=True, cache=True)
def _cast_derivatives(
    vertices: np.ndarray,
    pixels: np.ndarray,
    faces: np.ndarray,
    lens: np.ndarray,
    pivot_mm: np.ndarray,
    drawn: np.ndarray,
) -> None:
    """Add signed depths and their derivatives for twists along the camera's axes about the pivot."""
    height, width, _ = drawn.shape
    level = vertices[faces[0, 0], 2]
    corners = np.empty((3, 3))
    flat = np.empty((3, 2))
    for face in range(faces.shape[0]):
        for k in range(3):
            corners[k] = vertices[faces[face, k]]
            flat[k] = pixels[faces[face, k]]
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        left = max(math.ceil(min(flat[0, 0], flat[1, 0], flat[2, 0])), 0)
        right = min(math.floor(max(flat[0, 0], flat[1, 0], flat[2, 0])), width - 1)
        top = max(math.ceil(min(flat[0, 1], flat[1, 1], flat[2, 1])), 0)
        bottom = min(math.floor(max(flat[0, 1], flat[1, 1], flat[2, 1])), height - 1)
        for row in range(top, bottom + 1):
            y = (row - lens[3]) / lens[1]
            for column in range(left, right + 1):
                side = _hit(flat, float(column), float(row))
                if side == 0:
                    continue
                x = (column - lens[2]) / lens[0]
                depth = _depth(corners, x, y)
                cell = drawn[row, column]
                cell[0] += side * (depth - level)
                steep = normal[0] * x + normal[1] * y + normal[2]
                if steep == 0.0:
                    continue
                ax, ay, az = x * depth - pivot_mm[0], y * depth - pivot_mm[1], depth - pivot_mm[2]
                scale = side / steep
                cell[1] += scale * normal[0]
                cell[2] += scale * normal[1]
                cell[3] += scale * normal[2]
                cell[4] += scale * (ay * normal[2] - az * normal[1])
                cell[5] += scale * (az * normal[0] - ax * normal[2])
                cell[6] += scale * (ax * normal[1] - ay * normal[0])
