"""Scan-line raster of a closed surface into two depth moments a pixel: the fast renderer.

Along the ray ``(x, y, 1) z`` of a pixel the raster accumulates, with the sign of each face,

    M0 = sum s (z - z0)          the path length over |(x, y, 1)|
    M1 = sum s (z - z0)^2 / 2    the first moment of depth about z0

which are the integrals of the body's density ``rho`` and of ``rho (z - z0)``. Their image gradients
give the derivative of the path length with respect to any rigid motion (core.rendering.shadow).

Where an edge crosses a row is computed from the edge's upper vertex alone, so both faces that share
it find the identical number, spans tile the plane without gaps, and the signs cancel exactly.
"""

import math

import numba as nb
import numpy as np
from jaxtyping import Float, Float32, Int32


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _crossing(u_top: float, v_top: float, u_low: float, v_low: float, row: float) -> float:
    return u_top + (row - v_top) * ((u_low - u_top) / (v_low - v_top))


@nb.njit(nogil=True, cache=True, error_model="numpy")
def _span(u: np.ndarray, v: np.ndarray, row: float) -> tuple[float, float]:
    """Columns at which the outline crosses the row downward and upward."""
    down = 0.0
    up = 0.0
    for start in range(3):
        end = (start + 1) % 3
        if (v[start] <= row) == (v[end] <= row):
            continue
        if v[start] <= row:
            down = _crossing(u[start], v[start], u[end], v[end], row)
        else:
            up = _crossing(u[end], v[end], u[start], v[start], row)
    return down, up


@nb.njit(nogil=True, cache=True, error_model="numpy")
def accumulate_moments(
    vertices_camera_mm: np.ndarray,
    faces: np.ndarray,
    lens: np.ndarray,
    depth_mm: float,
    moments: np.ndarray,
) -> None:
    """Add a surface's moments to ``moments`` (h, w, 2), float32.

    ``vertices_camera_mm`` (n, 3) float64, all in front of the source; ``lens`` is (fx, fy, cx, cy)
    in pixels; ``depth_mm`` is z0, near the body, so that the differences keep their digits.
    """
    height, width, _ = moments.shape
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    count = vertices_camera_mm.shape[0]
    columns = np.empty(count)
    rows = np.empty(count)
    for i in range(count):
        inverse = 1.0 / vertices_camera_mm[i, 2]
        columns[i] = fx * vertices_camera_mm[i, 0] * inverse + cx
        rows[i] = fy * vertices_camera_mm[i, 1] * inverse + cy
    u = np.empty(3)
    v = np.empty(3)
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        v[0], v[1], v[2] = rows[a], rows[b], rows[c]
        first = max(math.ceil(min(v[0], v[1], v[2])), 0)
        last = min(math.ceil(max(v[0], v[1], v[2])), height)
        if first >= last:
            continue
        u[0], u[1], u[2] = columns[a], columns[b], columns[c]
        if max(u[0], u[1], u[2]) < 0 or min(u[0], u[1], u[2]) > width - 1:
            continue
        ax, ay, az = vertices_camera_mm[a, 0], vertices_camera_mm[a, 1], vertices_camera_mm[a, 2]
        px, py, pz = (
            vertices_camera_mm[b, 0] - ax,
            vertices_camera_mm[b, 1] - ay,
            vertices_camera_mm[b, 2] - az,
        )
        qx, qy, qz = (
            vertices_camera_mm[c, 0] - ax,
            vertices_camera_mm[c, 1] - ay,
            vertices_camera_mm[c, 2] - az,
        )
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        offset = nx * ax + ny * ay + nz * az
        nearest = min(az, az + pz, az + qz)
        farthest = max(az, az + pz, az + qz)
        slope = nx / fx
        for row in range(first, last):
            down, up = _span(u, v, float(row))
            sign = 1.0
            left, right = up, down
            if down < up:
                sign = -1.0
                left, right = down, up
            start = max(math.ceil(left), 0)
            stop = min(math.ceil(right), width)
            if start >= stop:
                continue
            facing = nx * (-cx / fx) + ny * ((row - cy) / fy) + nz
            for column in range(start, stop):
                steep = facing + slope * column
                z = offset / steep if steep != 0.0 else az
                z = min(max(z, nearest), farthest) - depth_mm
                moments[row, column, 0] += np.float32(sign * z)
                moments[row, column, 1] += np.float32(sign * 0.5 * z * z)


def moments(
    vertices_camera_mm: Float[np.ndarray, "n 3"],
    faces: Int32[np.ndarray, "m 3"],
    lens: Float[np.ndarray, "4"],
    depth_mm: float,
    size: tuple[int, int],
) -> Float32[np.ndarray, "h w 2"]:
    """The two moments of one closed surface on a grid of ``size`` = (height, width)."""
    out = np.zeros((*size, 2), dtype=np.float32)
    accumulate_moments(vertices_camera_mm, faces, lens, depth_mm, out)
    return out
